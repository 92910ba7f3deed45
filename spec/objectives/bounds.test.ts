/** The bound chain: ½ log det JᵀJ ≤ (d/2) E ln(‖Jv‖²/d) ≤ (d/2) ln(‖J‖²_F/d) ≤ ½ Σ (s²/λ + ln λ − 1), probes with |v|² = d. */
import { atLeast, elementAt, entryOf, float64At } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import {
  add,
  basis,
  data,
  div,
  draw,
  exp,
  field,
  jvp,
  log,
  type Node,
  normal,
  orthonormal as orthonormalFrame,
  scale,
  sphere,
  sqNorm,
  sqNormEach,
  sub,
  sum,
  volume,
} from '../../dsl/index.js';
import { type Autoencoder, autoencoders, forAll, inMean, upperBounds } from '../../laws/index.js';
import type { NetworkValue } from '../../dsl/network.js';
import { activation, dense } from '../../laws/arbitrary/network.js';
import { smoothValuesIn } from '../../laws/arbitrary/values.js';
import { calculate } from '../shared/expressions.js';
import { dot } from '../shared/moments.js';

/** A matrix by its columns. */
type Matrix = readonly Float64Array[];

const columnsOf = (count: number, size: number, entry: (row: number, column: number) => number): Matrix =>
  Array.from({ length: count }, (_, k) => Float64Array.from({ length: size }, (_, i) => entry(i, k)));

const times = (matrix: Matrix, v: ArrayLike<number>): Float64Array =>
  Float64Array.from({ length: elementAt(matrix, 0).length }, (_, i) =>
    matrix.reduce((sum, column, k) => sum + float64At(column, i) * elementAt(v, k), 0),
  );

const square = (v: ArrayLike<number>): number => dot(v, v);

/** Orthonormal columns that span the same space (Gram and Schmidt, twice for accuracy), with the lengths that were left over. */
const orthonormal = (matrix: Matrix): { readonly columns: Matrix; readonly lengths: readonly number[] } =>
  matrix.reduce<{ readonly columns: Matrix; readonly lengths: readonly number[] }>(
    ({ columns, lengths }, v) => {
      const left = [...columns, ...columns].reduce((rest, q) => {
        const along = dot(rest, q);
        return rest.map((x, i) => x - along * float64At(q, i));
      }, v);
      const length = Math.sqrt(square(left));
      return { columns: [...columns, left.map((x) => x / length)], lengths: [...lengths, length] };
    },
    { columns: [], lengths: [] },
  );

/** ½ log det JᵀJ = Σ ln of the lengths that Gram and Schmidt leave. */
const halfLogDet = (J: Matrix): number =>
  orthonormal(J).lengths.reduce((sum, length) => sum + Math.log(length), 0);

const squaredFrobenius = (J: Matrix): number => J.reduce((sum, column) => sum + square(column), 0);

const jensen = (J: Matrix): number => (J.length / 2) * Math.log(squaredFrobenius(J) / J.length);

/** ½ Σ (s²/λ + ln λ − 1), Σ s² = ‖J‖²_F. */
const linearised = (J: Matrix, lambda: number): number =>
  (squaredFrobenius(J) / lambda + J.length * (Math.log(lambda) - 1)) / 2;

const identity = (d: number): Matrix => columnsOf(d, d, (i, k) => (i === k ? 1 : 0));

/** The decoder's Jacobian at a code by JVPs along the basis. */
const jacobianOf = (network: NetworkValue, d: number, seed: number): Matrix => {
  const probes: Node = { tag: 'draw', name: 'basis', distribution: 'normal', shape: [d], probes: d };
  const Jv: Node = { tag: 'jvp', network, at: { tag: 'data', shape: [d] }, tangent: probes, output: '' };
  const basis = Float64Array.from(identity(d).flatMap((column) => [...column]));
  const values = calculate({ Jv }, { seed, given: new Map([['basis', basis]]) })('Jv');
  return Array.from({ length: d }, (_, k) =>
    values.slice((k * values.length) / d, ((k + 1) * values.length) / d),
  );
};

const decoders = fc
  .record({
    d: fc.integer({ min: 1, max: 5 }),
    extra: fc.nat(4),
    width: fc.integer({ min: 5, max: 10 }),
    name: fc.constantFrom('tanh' as const, 'elu' as const),
    seed: fc.nat(1e6),
  })
  .map(({ d, extra, width, name, seed }) => {
    const net: NetworkValue = {
      name: 'decoder',
      input: [d],
      layers: [dense(width), activation(name), dense(d + extra)],
    };
    return { d, J: jacobianOf(net, d, seed) };
  });

const rotation = (d: number, seed: number): Matrix => {
  const values = smoothValuesIn([-1, 1], d * d, seed, 'rotation');
  return orthonormal(columnsOf(d, d, (i, k) => float64At(values, k * d + i))).columns;
};

/** Rounding in a chain of inequalities that may be equalities. */
const atMost = (left: number, right: number): void =>
  expect(left).toBeLessThanOrEqual(right + 1e-9 * Math.max(1, Math.abs(right)));

const alongColumns = (J: Matrix, Q: Matrix): number =>
  Q.reduce((sum, q) => sum + Math.log(square(times(J, q))) / 2, 0);

const seed = fc.nat(1e6);

describe('the bound chain on random decoders', () => {
  test.prop([decoders, seed])(
    '½ log det JᵀJ is at most ½ Σ ln ‖Jq_k‖² for any orthonormal frame',
    ({ d, J }, s) => {
      atMost(halfLogDet(J), alongColumns(J, rotation(d, s)));
    },
  );

  test.prop([decoders, seed])('½ Σ ln ‖Jq_k‖² is at most (d/2) ln(‖J‖²_F/d)', ({ d, J }, s) => {
    atMost(alongColumns(J, rotation(d, s)), jensen(J));
  });

  test.prop([decoders, fc.double({ min: 1e-3, max: 1e3, noNaN: true })])(
    '(d/2) ln(‖J‖²_F/d) is at most ½ Σ (s²/λ + ln λ − 1) for any λ',
    ({ J }, lambda) => {
      atMost(jensen(J), linearised(J, lambda));
    },
  );

  test.prop([decoders])('the last bound is tight at λ = ‖J‖²_F/d', ({ d, J }) => {
    expect(linearised(J, squaredFrobenius(J) / d)).toBeCloseTo(jensen(J), 10);
  });

  test.prop([decoders, seed])('‖J‖²_F is Σ ‖Jq_k‖² for any orthonormal frame', ({ d, J }, s) => {
    const total = rotation(d, s).reduce((sum, q) => sum + square(times(J, q)), 0);
    expect(total / squaredFrobenius(J)).toBeCloseTo(1, 10);
  });
});

describe('the bound chain as laws of expressions, for any layers', () => {
  /** ½ ln det JᵀJ, ½ Σ ln ‖Jq_k‖² over an orthonormal frame, (d/2) ln(‖J‖²_F/d) and ½ Σ (s²/λ + ln λ − 1) of a decoder. */
  const chainOf = ({ decoder, codes: d }: Autoencoder) => {
    const z = data(d);
    const frame = sqNormEach(jvp(decoder, z, draw('Q', orthonormalFrame(d), { probes: d })));
    const squared = sqNorm(jvp(decoder, z, basis(d)));
    const lambda = exp(field('ln lambda'));
    return {
      exact: volume(decoder, z, { method: 'exact' }),
      frames: scale(0.5, sum(log(scale(1 / d, frame)))),
      jensen: scale(d / 2, log(scale(1 / d, squared))),
      linearised: scale(0.5, add(div(squared, lambda), scale(d, sub(log(lambda), 1)))),
    };
  };

  example('each bound is at least the one before it', () => {
    forAll(autoencoders(), (model) => {
      const { exact, frames, jensen, linearised } = chainOf(model);
      return [
        ...upperBounds(frames, exact),
        ...upperBounds(jensen, frames),
        ...upperBounds(linearised, jensen),
      ];
    });
  });

  example('sphere probes give a bound on the average, and Gaussian ones none', () => {
    const bound = (probe: typeof sphere) => () =>
      forAll(autoencoders({ layers: 2 }), ({ decoder, codes: d }) => {
        const Jv = jvp(decoder, data(d), draw('v', probe(d)));
        const estimate = scale(d / 2, log(scale(1 / d, sqNorm(Jv))));
        return upperBounds(inMean(estimate), volume(decoder, data(d), { method: 'exact' }));
      });
    expect(bound(sphere)).not.toThrow();
    expect(bound(normal)).toThrow(/^bound less exact is -/);
  });
});

const golden: Matrix = [Float64Array.of(1, 0, 1), Float64Array.of(0, 2, 1)];

/** (d/2) E ln(‖Jv‖²/d) over equally likely probes. */
const average = (J: Matrix, probes: readonly (readonly number[])[]): number =>
  probes.reduce((sum, v) => sum + Math.log(square(times(J, v)) / J.length), 0) *
  (J.length / 2 / probes.length);

/** The circle |v|² = 2; the mean over equally spaced angles converges geometrically. */
const circle = Array.from({ length: 4096 }, (_, i) => {
  const angle = (2 * Math.PI * i) / 4096;
  return [Math.SQRT2 * Math.cos(angle), Math.SQRT2 * Math.sin(angle)];
});

/** E ln r² for r² = |v|², v ~ N(0, I_d), by the trapezoidal rule in t = ln r². */
const meanLogOfSquare = (d: number): number => {
  const nodes = Array.from({ length: 40_001 }, (_, i) => -60 + (i * 70) / 40_000);
  const weight = (t: number): number => Math.exp((d / 2) * (t - Math.log(d)) - (Math.exp(t) - d) / 2);
  const total = nodes.reduce((sum, t) => sum + weight(t), 0);
  return nodes.reduce((sum, t) => sum + t * weight(t), 0) / total;
};

describe('the linear decoder [[1,0],[0,2],[1,1]]', () => {
  const decoder: NetworkValue = { name: 'decoder', input: [2], layers: [dense(3, false)] };
  example('its Jacobian is its matrix', () => {
    const kernel = Float64Array.of(1, 0, 1, 0, 2, 1);
    const given = new Map([
      ['decoder/0.dense/kernel', kernel],
      ['basis', Float64Array.of(1, 0, 0, 1)],
    ]);
    const probes: Node = { tag: 'draw', name: 'basis', distribution: 'normal', shape: [2], probes: 2 };
    const at: Node = { tag: 'data', shape: [2] };
    const Jv: Node = { tag: 'jvp', network: decoder, at, tangent: probes, output: '' };
    expect([...calculate({ Jv }, { given })('Jv')]).toEqual(golden.flatMap((column) => [...column]));
  });

  // Gaussian probes are sphere probes of random length: E ln ‖Wv‖² gains E ln(|v|²/d).
  const numbers: Readonly<Record<string, readonly [found: number, expected: number]>> = {
    '½ log det': [halfLogDet(golden), 1.09861],
    'sphere': [average(golden, circle), 1.17865],
    'Rademacher': [average(golden, [[1, 1], [1, -1], [-1, 1], [-1, -1]]), 1.21018],
    'Gaussian': [average(golden, circle) + meanLogOfSquare(2) - Math.log(2), 0.60144],
    'bound (5)': [jensen(golden), 1.25276],
    'bound (4) at λ = 1': [linearised(golden, 1), 2.5],
    'bound (4) at λ = 3.5': [linearised(golden, 3.5), 1.25276],
  }; // prettier-ignore
  for (const [name, [found, expected]] of Object.entries(numbers)) {
    example(name, () => expect(found).toBeCloseTo(expected, 5));
  }

  example('its determinant is 9 and its squared norm 7', () => {
    expect(Math.exp(2 * halfLogDet(golden))).toBeCloseTo(9, 10);
    expect(squaredFrobenius(golden)).toBe(7);
  });

  example('Gaussian probes give no bound', () => {
    expect(entryOf(numbers, 'Gaussian')[0]).toBeLessThan(entryOf(numbers, '½ log det')[0]);
  });
});

describe('Gaussian probes of an isotropic Jacobian', () => {
  for (const [d, bias] of [
    [2, -0.5772],
    [20, -0.5083],
    [32, -0.5052],
    [128, -0.5013],
  ] as const) {
    // prettier-ignore
    example(`in ${d} dimensions are off by ${bias}`, () => {
      // (d/2) E ln(‖Jv‖²/d) − ½ log det JᵀJ = (d/2) (E ln |v|² − ln d) for J with orthonormal columns.
      expect((d / 2) * (meanLogOfSquare(d) - Math.log(d))).toBeCloseTo(bias, 4);
    });
  }

  test.prop([fc.integer({ min: 2, max: 6 }), seed])('sphere probes of one are exact', (d, s) => {
    const J = rotation(d, s);
    const [v] = atLeast(
      1,
      rotation(d, s + 1).map((q) => q.map((x) => x * Math.sqrt(d))),
    );
    expect((d / 2) * Math.log(square(times(J, v)) / d)).toBeCloseTo(halfLogDet(J), 9);
  });
});
