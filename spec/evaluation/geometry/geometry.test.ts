/** The geometry of a decoder: singular values against differences in double precision, the bound chain, and known maps. */
import { atLeast, elementAt, float32At, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import type { Layer } from '../../../dsl/layers/layer.js';
import type { NetworkValue } from '../../../dsl/network.js';
import {
  boundsOf,
  geometryOf,
  jacobiansAt,
  logVolume,
  reencodingDistances,
  singularValues,
} from '../../../evaluation/index.js';
import type { Dataset } from '../../../data/index.js';
import type { Model } from '../../../runs/index.js';
import { activation, dense } from '../../../laws/arbitrary/network.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { backends, hasNative, nativeBackend } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';
import { calculate } from '../../shared/expressions.js';
import { modelOf } from '../../shared/models.js';
import { close } from '../../shared/near.js';

const seed = fc.nat(1e6);
const net = (name: string, input: readonly number[], ...layers: readonly Layer[]): NetworkValue => ({
  name,
  input,
  layers,
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
      return float32At(code, column) + (column === row % d ? (row < d ? h : -h) : 0);
    });
    const given = new Map([...arrays].map(([name, { data }]) => [name, Float64Array.from(data)] as const));
    const image = { tag: 'apply', network: decoder, at: { tag: 'data', shape: [d] }, output: '' } as const;
    const values = calculate(
      { image },
      { batch: 2 * d, given: new Map([...given, ['data', shifted]]), mode: 'inference' },
    )('image');
    const half = values.length / 2;
    return Float64Array.from(
      { length: half },
      (_, i) => (float64At(values, i) - float64At(values, half + i)) / (2 * h),
    );
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
        close(spectrum, exact, 2e-5 * (1 + float64At(exact, 0)));
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
    net('encoder', [encoder.length], dense(elementAt(encoder, 0).length)),
    net('decoder', [decoder.length], dense(elementAt(decoder, 0).length, false)),
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
    const [large, small] = atLeast(
      2,
      [1, -1].map((sign) => Math.sqrt((7 + sign * Math.sqrt(13)) / 2)),
    );
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

  example('of no data is a problem', async () => {
    const model = await golden();
    expect(left(await geometryOf(model, points(3, 0)))).toMatchObject([{ path: 'data' }]);
    expect(left(await geometryOf(model, points(4, 9)))).toMatchObject([{ path: 'expressions.code.at' }]);
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
