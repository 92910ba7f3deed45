/** The geometry of a decoder: singular values against differences in double precision, the bound chain, and known maps. */
import { fc, test } from '@fast-check/vitest';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, test as example } from 'vitest';
import type { Layer } from '../dsl/layer.js';
import type { NetworkValue } from '../dsl/network.js';
import {
  boundsOf,
  conditionNumber,
  effectiveRank,
  geometryOf,
  isDegenerate,
  jacobiansAt,
  logVolume,
  quantile,
  reencodingDistances,
  singularValues,
} from '../evaluation/index.js';
import type { Dataset } from '../data/index.js';
import type { Model } from '../training/index.js';
import { fillDraw } from '../runtime/draws.js';
import { activation, dense } from './arbitrary/network.js';
import { smoothValuesIn } from './arbitrary/values.js';
import { backends, hasNative, nativeBackend } from './backends.js';
import { left, right } from './either.js';
import { calculate } from './expressions.js';
import { modelOf } from './models.js';

const seed = fc.nat(1e6);
const net = (name: string, input: readonly number[], ...layers: readonly Layer[]): NetworkValue => ({
  name,
  input,
  layers,
});

const close = (found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void => {
  expect(found.length).toBe(expected.length);
  Array.from(expected).forEach((value, i) => expect(Math.abs(found[i] - value)).toBeLessThan(tolerance));
};

describe('singular values', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 }), seed);

  test.prop([sizes])('are those of the whole matrix, zeros where it is wide', ([count, size, s]) => {
    const columns = smoothValuesIn([-1, 1], count * size, s, 'columns');
    const { diagonal } = new SingularValueDecomposition(
      new Matrix([...Array(count).keys()].map((k) => [...columns.subarray(k * size, (k + 1) * size)])),
      { autoTranspose: true },
    );
    const expected = [...diagonal, ...Array<number>(count).fill(0)].slice(0, count).sort((a, b) => b - a);
    close(singularValues(columns, count), expected, 1e-12);
  });

  test.prop([sizes])('see a column that repeats another', ([count, size, s]) => {
    fc.pre(count > 1 && size >= count);
    const columns = smoothValuesIn([-1, 1], count * size, s, 'columns');
    columns.copyWithin(0, (count - 1) * size);
    const spectrum = singularValues(columns, count);
    expect(spectrum[count - 1]).toBeLessThan(1e-14 * spectrum[0] * size);
    expect(isDegenerate(spectrum, size)).toBe(true);
  });

  example('of nothing are zero', () => {
    expect([...singularValues(new Float64Array(6), 2)]).toEqual([0, 0]);
  });

  const spectra = fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 8 });

  test.prop([spectra])('have a rank from 1 to d, and d where all are equal', (values) => {
    const s = Float64Array.from(values).sort().reverse();
    const d = s.length;
    expect(effectiveRank(s)).toBeGreaterThanOrEqual(1 - 1e-12);
    expect(effectiveRank(s)).toBeLessThanOrEqual(d + 1e-12);
    expect(conditionNumber(s)).toBeGreaterThanOrEqual(1);
    expect(effectiveRank(s.fill(2))).toBeCloseTo(d, 10);
  });

  example('that are zero add no rank', () => {
    expect(effectiveRank(Float64Array.of(3, 3, 0, 0))).toBeCloseTo(2, 12);
    expect(conditionNumber(Float64Array.of(3, 0))).toBe(Infinity);
  });
});

describe('bounds', () => {
  const spectrum = fc
    .array(fc.double({ min: -12, max: 6, noNaN: true }), { minLength: 1, maxLength: 20 })
    .map((logs) => Float64Array.from(logs, Math.exp).sort().reverse());
  const lambda = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
  const atMost = (a: number, b: number): void =>
    expect(a).toBeLessThanOrEqual(b + 1e-10 * Math.max(1, Math.abs(b)));

  test.prop([spectrum, lambda])('volume ≤ sphere ≤ bound (5) ≤ bound (4), for any spectrum', (s, l) => {
    const { sphere, frobenius, linear } = boundsOf(s, l);
    atMost(logVolume(s), sphere);
    atMost(sphere, frobenius);
    atMost(frobenius, linear);
  });

  test.prop([spectrum, fc.double({ min: 0.01, max: 100, noNaN: true })])(
    'a decoder that is c times larger has d·ln c more of each',
    (s, c) => {
      const [before, after] = [
        boundsOf(s, 1),
        boundsOf(
          s.map((value) => c * value),
          c * c,
        ),
      ];
      const more = s.length * Math.log(c);
      expect(after.sphere - before.sphere).toBeCloseTo(more, 8);
      expect(after.frobenius - before.frobenius).toBeCloseTo(more, 8);
      expect(after.linear - before.linear).toBeCloseTo(more, 3);
    },
  );

  test.prop([fc.double({ min: 0, max: 1e3, noNaN: true }), fc.double({ min: 1e-3, max: 1e3, noNaN: true })])(
    'in two dimensions the sphere has 2 ln((s₁ + s₂)/2)',
    (a, b) => {
      const s = Float64Array.of(Math.max(a, b), Math.min(a, b));
      expect(boundsOf(s, 1).sphere).toBeCloseTo(2 * Math.log((a + b) / 2), 10);
    },
  );

  test.prop([fc.integer({ min: 1, max: 200 }), fc.double({ min: 0.01, max: 10, noNaN: true })])(
    'all are tight where all singular values are equal, the last at λ = s²',
    (d, value) => {
      const s = new Float64Array(d).fill(value);
      for (const bound of Object.values(boundsOf(s, value * value)))
        expect(Math.abs(bound - logVolume(s))).toBeLessThan(1e-10 * d * (1 + Math.abs(Math.log(value))));
    },
  );

  example('the sphere has the mean over probes', () => {
    const s = Float64Array.of(3, 1.5, 1, 0.4, 0.01);
    const probes = new Float32Array(5 * 40_000);
    fillDraw('sphere', { examples: 40_000, probes: 1, size: 5 }, { seed: 1, name: 'v', step: 0 }, probes);
    const sums = new Float64Array(40_000);
    probes.forEach((v, i) => (sums[Math.floor(i / 5)] += (s[i % 5] * v) ** 2 / 5));
    const found = sums.reduce((total, square) => total + 2.5 * Math.log(square), 0) / 40_000;
    expect(Math.abs(boundsOf(s, 1).sphere - found)).toBeLessThan(0.03);
  });

  example('are those of the golden decoder [[1,0],[0,2],[1,1]]', () => {
    const s = singularValues([1, 0, 1, 0, 2, 1], 2);
    expect(logVolume(s)).toBeCloseTo(1.09861, 5);
    expect(boundsOf(s, 1).sphere).toBeCloseTo(1.17865, 5);
    expect(boundsOf(s, 1).frobenius).toBeCloseTo(1.25276, 5);
    expect(boundsOf(s, 1).linear).toBeCloseTo(2.5, 10);
    expect(boundsOf(s, 3.5).linear).toBeCloseTo(1.25276, 5);
  });

  example('of a decoder without full rank are finite but for the volume; of none, −∞', () => {
    const flat = Float64Array.of(2, 0);
    expect(logVolume(flat)).toBe(-Infinity);
    expect(boundsOf(flat, 1).sphere).toBeCloseTo(0, 10);
    expect(boundsOf(Float64Array.of(0, 0), 1).sphere).toBe(-Infinity);
  });
});

describe('the Jacobian of a decoder', () => {
  const normalised: Layer = { tag: 'batchNorm', statistics: 'constant', momentum: 0.99, epsilon: 1e-3 };

  /** Central differences of the float64 interpreter with the model's weights. */
  const differences = async (model: Model, code: Float32Array): Promise<Float64Array> => {
    const { decoder } = model.experiment;
    const d = code.length;
    const { arrays } = await model.state();
    const h = 1e-5;
    const shifted = Float64Array.from({ length: 2 * d * d }, (_, i) => {
      const [row, column] = [Math.floor(i / d), i % d];
      return code[column] + (column === row % d ? (row < d ? h : -h) : 0);
    });
    const given = new Map([...arrays].map(([name, { data }]) => [name, Float64Array.from(data)] as const));
    const image = { tag: 'apply', network: decoder, at: { tag: 'data', shape: [d] }, output: '' } as const;
    const values = calculate(
      { image },
      { batch: 2 * d, given: new Map([...given, ['data', shifted]]), mode: 'inference' },
    )('image');
    const half = values.length / 2;
    return Float64Array.from({ length: half }, (_, i) => (values[i] - values[half + i]) / (2 * h));
  };

  const shapes = fc.record({
    d: fc.integer({ min: 1, max: 4 }),
    extra: fc.nat(4),
    name: fc.constantFrom('tanh' as const, 'elu' as const, 'softplus' as const),
    seed,
  });

  test.prop([shapes], { numRuns: 25 })(
    'has the singular values of the matrix of differences, batch-norm by its running statistics',
    async ({ d, extra, name, seed: s }) => {
      const size = d + extra;
      const encoder = net('encoder', [size], dense(d));
      const decoder = net('decoder', [d], dense(7), normalised, activation(name), dense(size));
      const statistics = {
        'decoder/1.batchNorm/mean': smoothValuesIn([-1, 1], 7, s, 'mean'),
        'decoder/1.batchNorm/variance': smoothValuesIn([0.2, 2], 7, s, 'variance'),
      };
      const model = await modelOf(encoder, decoder, { seed: s, weights: statistics });
      const codes = Float32Array.from(smoothValuesIn([-2, 2], 3 * d, s, 'codes'));
      const points = right(await jacobiansAt(model, codes));
      expect(points).toHaveLength(3);
      for (const [i, { spectrum, stretches }] of points.entries()) {
        const exact = singularValues(await differences(model, codes.subarray(i * d, (i + 1) * d)), d);
        close(spectrum, exact, 2e-5 * (1 + exact[0]));
        // Deterministic form of the chain: the frame lies between the volume and bound (5).
        const along = stretches.reduce((sum, stretch) => sum + Math.log(stretch), 0);
        expect(along).toBeGreaterThanOrEqual(logVolume(spectrum) - 1e-4);
        expect(along).toBeLessThanOrEqual(boundsOf(spectrum, 1).frobenius + 1e-4);
      }
      model.dispose();
    },
  );

  example('that is not finite is a problem', async () => {
    const model = await modelOf(net('encoder', [2], dense(1)), net('decoder', [1], dense(2)), {
      weights: { 'decoder/0.dense/kernel': [NaN, 1] },
    });
    expect(left(await jacobiansAt(model, Float32Array.of(1, 2)))).toMatchObject([{ path: 'jacobian' }]);
    model.dispose();
  });
});

/** Linear encoder and decoder: rows of a kernel are the images of the basis. */
const linear = (
  decoder: readonly (readonly number[])[],
  encoder: readonly (readonly number[])[],
  shift: readonly number[],
  backend?: Model['backend'],
) =>
  modelOf(
    net('encoder', [encoder.length], dense(encoder[0].length)),
    net('decoder', [decoder.length], dense(decoder[0].length, false)),
    {
      weights: {
        'encoder/0.dense/kernel': encoder.flat(),
        'encoder/0.dense/bias': shift,
        'decoder/0.dense/kernel': decoder.flat(),
      },
      ...(backend === undefined ? {} : { backend }),
    },
  );

const points = (size: number, count: number): Dataset => ({
  name: 'points',
  shape: [size],
  size: count,
  examples: Float32Array.from(smoothValuesIn([-3, 3], size * count, 5, 'points')),
});

describe('re-encoded codes', () => {
  test.prop([fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 2, maxLength: 2 })], { numRuns: 10 })(
    'of a left inverse with a bias are off by the bias',
    async (bias) => {
      const model = await linear([[1, 0, 1], [0, 2, 0]], [[1, 0], [0, 0.5], [0, 0]], bias); // prettier-ignore
      const distances = right(await reencodingDistances(model, Float32Array.of(1, 2, -3, 0.5)));
      close(distances, [Math.hypot(...bias), Math.hypot(...bias)], 1e-5);
      model.dispose();
    },
  );
});

describe('the geometry of the golden decoder', () => {
  const golden = (backend?: Model['backend']) => linear([[1, 0, 1], [0, 2, 1]], [[1, 0], [0, 0.5], [0, 0]], [0, 0], backend); // prettier-ignore

  const check = async (backend: Model['backend']): Promise<void> => {
    const before = backend.liveCount();
    const model = await golden(backend);
    const found = right(await geometryOf(model, points(3, 300), { lambda: 3.5, eta: 1.5, points: 200 }));
    model.dispose();
    expect(backend.liveCount()).toBe(before);
    expect(found).toMatchObject({ points: 200, dimension: 2, degenerate: 0 });
    expect(found.volume.mean).toBeCloseTo(1.09861, 4);
    expect(found.tightness.sphere).toBeCloseTo(1.17865 - 1.09861, 4);
    expect(found.tightness.frobenius).toBeCloseTo(1.25276 - 1.09861, 4);
    expect(found.tightness.linear).toBeCloseTo(1.25276 - 1.09861, 4);
    // s² are the roots of x² − 7x + 9.
    const [large, small] = [1, -1].map((sign) => Math.sqrt((7 + sign * Math.sqrt(13)) / 2));
    close(
      found.spectrum.map(({ mean }) => mean),
      [large, small],
      1e-5,
    );
    expect(found.condition.mean).toBeCloseTo(large / small, 4);
    expect(found.violations.points).toBe(1);
    // ‖Ju‖² = s₁² cos² + s₂² sin² < η² on this part of the circle.
    const cosine = Math.sqrt((1.5 ** 2 - small ** 2) / (large ** 2 - small ** 2));
    expect(Math.abs(found.violations.directions - (2 / Math.PI) * Math.asin(cosine))).toBeLessThan(0.06);
  };

  example('has the golden numbers', () => check(backends.wasm));
  example.skipIf(!hasNative())('has them on native', () => check(right(nativeBackend())));

  example('is the same for the same seed, and has fewer points where they are dear', async () => {
    const model = await golden();
    const along = (options: object) => geometryOf(model, points(3, 40), options);
    expect(await along({ seed: 4 })).toEqual(await along({ seed: 4 }));
    expect(right(await along({ flops: 6 * 24 })).points).toBeLessThan(40);
    model.dispose();
  });

  example('without full rank every point is degenerate, and no number is claimed', async () => {
    const model = await linear([[1, 2, 3], [2, 4, 6]], [[1, 0], [0, 1], [0, 0]], [0, 0]); // prettier-ignore
    const found = right(await geometryOf(model, points(3, 10)));
    expect(found.degenerate).toBe(10);
    expect(found.violations.points).toBe(1);
    expect(found.volume.mean).toBeNaN();
    model.dispose();
  });
});

test.prop([
  fc.array(fc.double({ noNaN: true, min: -9, max: 9 }), { minLength: 1 }),
  fc.double({ min: 0, max: 1, noNaN: true }),
])('a quantile lies between the extremes and grows with its level', (values, level) => {
  const ascending = Float64Array.from(values).sort();
  expect(quantile(ascending, 0)).toBe(ascending[0]);
  expect(quantile(ascending, 1)).toBe(ascending[ascending.length - 1]);
  expect(quantile(ascending, level)).toBeGreaterThanOrEqual(quantile(ascending, level / 2) - 1e-12);
});
