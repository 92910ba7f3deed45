/** Fits in the data's own scale: they commute with a change of the units of each coordinate, to the bit where units are powers of 2. */
import { atLeast, elementAt, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { fitGaussian, fitMixture, type Gaussian, gaussianOf, mixtureOf } from '../../../evaluation/index.js';
import { Matrix } from 'ml-matrix';
import { right } from '../../shared/either.js';

const entries = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -2, max: 2, noNaN: true }));

/** Codes, some of them alike, and a power of 2 for each coordinate. No coordinate is 0 throughout: such a one has no unit. */
const scaledCodes = fc
  .record({ d: fc.integer({ min: 1, max: 5 }), n: fc.integer({ min: 1, max: 60 }) })
  .chain(({ d, n }) =>
    fc.record({
      d: fc.constant(d),
      codes: fc
        .array(entries, { minLength: n * d, maxLength: n * d })
        .map((values) => Float32Array.from(values, (x) => (Math.abs(x) < 1e-6 ? 0 : x)))
        .filter((values) =>
          values.slice(0, d).every((_, i) => values.some((x, at) => at % d === i && x !== 0)),
        ),
      powers: fc.array(fc.integer({ min: -40, max: 40 }), { minLength: d, maxLength: d }),
    }),
  );

const scaled = (codes: Float32Array, d: number, powers: readonly number[]): Float32Array =>
  codes.map((x, at) => x * 2 ** elementAt(powers, at % d));

const expectScaled = (found: Gaussian, from: Gaussian, powers: readonly number[]): void => {
  expect([...found.mean]).toEqual([...from.mean].map((x, i) => x * 2 ** elementAt(powers, i)));
  expect(found.factor.to2DArray()).toEqual(
    from.factor.to2DArray().map((row, i) => row.map((x) => x * 2 ** elementAt(powers, i))),
  );
};

const expectDensities = (found: Float64Array, from: Float64Array, powers: readonly number[]): void => {
  const jacobian = powers.reduce((sum, power) => sum + power * Math.LN2, 0);
  found.forEach((log, row) => expect(Math.abs(log + jacobian - float64At(from, row))).toBeLessThan(1e-9));
};

describe('fitting commutes with scaling each coordinate by a power of 2, to the bit:', () => {
  test.prop([scaledCodes])('a Gaussian', ({ d, codes, powers }) => {
    const other = scaled(codes, d, powers);
    const [once, again] = [right(fitGaussian(codes, d)), right(fitGaussian(other, d))];
    expectScaled(again, once, powers);
    expect(again.floored).toBe(once.floored);
    expectDensities(again.logDensity(other), once.logDensity(codes), powers);
    expect(again.sample(5, 1)).toEqual(scaled(once.sample(5, 1), d, powers));
  });

  test.prop([scaledCodes, fc.integer({ min: 1, max: 5 }), fc.nat()], { numRuns: 40 })(
    'a mixture, with its rounds',
    ({ d, codes, powers }, components, seed) => {
      const other = scaled(codes, d, powers);
      const [once, again] = atLeast(
        2,
        [codes, other].map((z) => right(fitMixture(z, d, { components, seed }))),
      );
      expect(again.weights).toEqual(once.weights);
      expect([again.rounds, again.converged, again.floored]).toEqual([
        once.rounds,
        once.converged,
        once.floored,
      ]);
      once.components.forEach((component, k) =>
        expectScaled(elementAt(again.components, k), component, powers),
      );
      expectDensities(again.logDensity(other), once.logDensity(codes), powers);
    },
  );
});

describe('floors', () => {
  const wide = gaussianOf(new Float64Array(2), Matrix.diag([1e4, 1]));

  example('leave deviations of 10⁴ and 1 as they are, and say so', () => {
    const codes = wide.sample(4000, 3);
    const { covariance, floored } = right(fitGaussian(codes, 2));
    // Three standard errors of a deviation of 4,000 codes.
    expect(Math.abs(Math.sqrt(covariance.get(0, 0)) / 1e4 - 1)).toBeLessThan(0.034);
    expect(Math.abs(Math.sqrt(covariance.get(1, 1)) - 1)).toBeLessThan(0.034);
    expect(floored).toBe(0);
  });

  example('leave two groups of them apart', () => {
    const far = gaussianOf(Float64Array.of(0, 20), Matrix.diag([1e4, 1]));
    const truth = mixtureOf([0.5, 0.5], [wide, far]);
    const codes = truth.sample(2000, 3);
    const found = right(fitMixture(codes, 2, { components: 2 }));
    expect(
      found.components
        .map(({ mean }) => float64At(mean, 1))
        .sort((a, b) => a - b)
        .map((x) => Math.round(x) + 0),
    ).toEqual([0, 20]);
    found.components.forEach(({ covariance }) =>
      expect(Math.abs(Math.sqrt(covariance.get(1, 1)) - 1)).toBeLessThan(0.07),
    );
    expect(found.floored).toBe(0);
  });

  example('act on codes of lower rank, on constant ones and on one alone, and say so', () => {
    const line = Float32Array.from(
      { length: 200 },
      (_, at) => Math.sin(Math.floor(at / 2)) * (at % 2 ? 1e4 : 1),
    );
    const constant = Float32Array.from({ length: 200 }, (_, at) => (at % 2 ? 7 : Math.sin(at)));
    const zero = Float32Array.from({ length: 200 }, (_, at) => (at % 2 ? 0 : Math.sin(at)));
    for (const [codes, least] of [
      [line, 1],
      [constant, 1],
      [zero, 1],
      [Float32Array.of(3, 4), 2],
    ] as const) {
      expect(right(fitGaussian(codes, 2)).floored).toBe(least);
      expect(right(fitMixture(codes, 2)).floored).toBeGreaterThanOrEqual(least);
    }
  });
});
