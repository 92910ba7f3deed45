/** Priors over codes: densities against their formula, and expectation-maximization that climbs, recovers and bears degenerate codes. */
import { elementAt, float32At, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { determinant, inverse, Matrix } from 'ml-matrix';
import { describe, expect, test as example } from 'vitest';
import { fitGaussian, fitMixture, type Gaussian, standardGaussian } from '../../../evaluation/index.js';
import { gaussianOf } from '../../../evaluation/priors/gaussian.js';
import { mixtureOf } from '../../../evaluation/priors/mixture.js';
import { left, right } from '../../shared/either.js';
import { meanOf, rowsOf } from '../../shared/moments.js';

const average = (values: ArrayLike<number>): number => meanOf(values, (x) => x);

/** ln N(z; m, C) as it is written, by an inverse and a determinant. */
const formula = ({ mean, covariance }: Gaussian, z: ArrayLike<number>): number => {
  const c = Matrix.columnVector(Array.from(z, (x, i) => x - float64At(mean, i)));
  const square = c.transpose().mmul(inverse(covariance)).mmul(c).get(0, 0);
  return -(square + Math.log(determinant(covariance)) + mean.length * Math.log(2 * Math.PI)) / 2;
};

const entries = fc.double({ min: -2, max: 2, noNaN: true });

/** A Gaussian of up to seven dimensions, so that the factor's padding is met. */
const gaussians = fc.integer({ min: 1, max: 7 }).chain((d) =>
  fc
    .record({
      mean: fc.array(entries, { minLength: d, maxLength: d }),
      below: fc.array(entries, { minLength: d * d, maxLength: d * d }),
    })
    .map(({ mean, below }) => {
      const L = Matrix.zeros(d, d);
      for (let i = 0; i < d; i++)
        for (let j = 0; j <= i; j++)
          L.set(i, j, i === j ? 0.5 + Math.abs(elementAt(below, i * d + i)) : elementAt(below, i * d + j));
      return gaussianOf(Float64Array.from(mean), L);
    }),
);

describe('a Gaussian', () => {
  test.prop([gaussians, fc.nat()])('has the density of its formula', (gaussian, seed) => {
    const codes = gaussian.sample(3, seed);
    const densities = gaussian.logDensity(codes);
    rowsOf(codes, gaussian.size).forEach((z, row) => {
      expect(float64At(densities, row) / formula(gaussian, z)).toBeCloseTo(1, 6);
    });
  });

  test.prop([gaussians, fc.nat()])('draws the rows of a smaller sample first', (gaussian, seed) => {
    expect(gaussian.sample(9, seed).subarray(0, 4 * gaussian.size)).toEqual(gaussian.sample(4, seed));
  });

  example('of mean 0 and variance 1 has density (2π)^(−d/2) exp(−‖z‖²/2)', () => {
    const [density] = standardGaussian(5).logDensity(Float64Array.of(1, 2, 0, -1, 3));
    expect(density).toBeCloseTo(-2.5 * Math.log(2 * Math.PI) - 7.5, 12);
  });

  example('fitted to a plane keeps the variances in it and a little across', () => {
    const codes = Float32Array.from({ length: 600 }, (_, i) =>
      i % 3 === 2 ? codesAt(i - 2) + codesAt(i - 1) : codesAt(i),
    );
    const { covariance } = right(fitGaussian(codes, 3));
    const across = Matrix.rowVector([1, 1, -1]);
    expect(across.mmul(covariance).mmul(across.transpose()).get(0, 0)).toBeLessThan(1e-5);
    expect(covariance.get(0, 0)).toBeCloseTo(
      average(everyThird(codes).map((x) => x * x)) - average(everyThird(codes)) ** 2,
      5,
    );
  });

  example('says which code is not finite', () => {
    expect(left(fitGaussian(Float32Array.of(0, 1, 2, NaN), 2))[0]).toMatchObject({
      path: 'codes[1]',
      found: 'NaN',
    });
    expect(left(fitGaussian(Float32Array.of(0, 1, 2), 2))[0]).toMatchObject({ found: '3 numbers' });
  });
});

const codesAt = (i: number): number => Math.sin(i * i + 1);
const everyThird = (codes: Float32Array): Float32Array => codes.filter((_, i) => i % 3 === 0);

/** Few codes of few values, with duplicates, more or fewer than the components that are asked for. */
const fewCodes = fc
  .record({ d: fc.integer({ min: 1, max: 4 }), n: fc.integer({ min: 1, max: 60 }) })
  .chain(({ d, n }) =>
    fc
      .array(fc.oneof(fc.integer({ min: -3, max: 3 }), entries), { minLength: n * d, maxLength: n * d })
      .map((values) => ({ d, codes: Float32Array.from(values) })),
  );

const few = fc.integer({ min: 1, max: 6 });

describe('expectation-maximization', () => {
  test.prop([fewCodes, few, fc.nat()])('never loses likelihood', ({ d, codes }, components, seed) => {
    const { logLikelihoods } = right(fitMixture(codes, d, { components, seed, tolerance: 0, rounds: 30 }));
    logLikelihoods.slice(1).forEach((after, i) => {
      expect(after).toBeGreaterThanOrEqual(elementAt(logLikelihoods, i) - 1e-9 * (1 + Math.abs(after)));
    });
  });

  test.prop([fewCodes, few, fc.nat()])(
    'ends with the likelihood of the mixture that it gives, whose weights sum to 1',
    ({ d, codes }, components, seed) => {
      const mixture = right(fitMixture(codes, d, { components, seed }));
      const found = average(mixture.logDensity(codes));
      expect(Math.abs((mixture.logLikelihoods.at(-1) ?? NaN) - found)).toBeLessThan(
        1e-6 * (1 + Math.abs(found)),
      );
      expect(mixture.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
      expect(mixture.components.length).toBe(mixture.weights.length);
      expect(mixture.components.length).toBeLessThanOrEqual(components);
      expect(mixture.sample(5, seed).every(Number.isFinite)).toBe(true);
    },
  );

  test.prop([fewCodes, few, fc.nat(), fc.integer({ min: -8, max: 8 })])(
    'fits the same mixture to codes in other units',
    ({ d, codes }, components, seed, power) => {
      const options = { components, seed };
      const scaled = codes.map((x) => x * 2 ** power);
      // Below 2⁻¹²⁶ a float32 has fewer digits, and other units are other codes.
      fc.pre(scaled.every((x, i) => x * 2 ** -power === codes[i]));
      const spread = right(fitGaussian(codes, d)).covariance.trace();
      fc.pre(spread > 1e-3);
      const a = right(fitMixture(codes, d, options)).logDensity(codes);
      const b = right(fitMixture(scaled, d, options)).logDensity(scaled);
      a.forEach((log, row) => expect(float64At(b, row) + d * power * Math.LN2).toBeCloseTo(log, 4));
    },
  );

  test.prop([gaussians, fc.nat()])('of one component is the Gaussian', (source, seed) => {
    const codes = source.sample(100, seed);
    const { components, weights } = right(fitMixture(codes, source.size, { components: 1 }));
    const gaussian = right(fitGaussian(codes, source.size));
    expect(weights).toEqual([1]);
    elementAt(components, 0)
      .covariance.to1DArray()
      .forEach((x, at) => {
        expect(x).toBeCloseTo(elementAt(gaussian.covariance.to1DArray(), at), 6);
      });
    elementAt(components, 0).mean.forEach((x, i) => expect(x).toBeCloseTo(float64At(gaussian.mean, i), 6));
  });

  const [one, two, three] = [
    gaussianOf(Float64Array.of(-4, 0), new Matrix([[1, 0], [0.8, 0.4]])),
    gaussianOf(Float64Array.of(3, 3), new Matrix([[0.5, 0], [0, 1.5]])),
    gaussianOf(Float64Array.of(2, -4), new Matrix([[1, 0], [-0.5, 0.7]])),
  ]; // prettier-ignore
  const truth = mixtureOf([0.5, 0.3, 0.2], [one, two, three]);

  example('recovers a mixture', () => {
    const mixture = right(fitMixture(truth.sample(6000, 3), 2, { components: 3 }));
    const nearest = (to: Gaussian): number =>
      mixture.components.reduce(
        (best, { mean }, k) =>
          Math.hypot(float64At(mean, 0) - float64At(to.mean, 0), float64At(mean, 1) - float64At(to.mean, 1)) <
          Math.hypot(
            float64At(elementAt(mixture.components, best).mean, 0) - float64At(to.mean, 0),
            float64At(elementAt(mixture.components, best).mean, 1) - float64At(to.mean, 1),
          )
            ? k
            : best,
        0,
      );
    truth.components.forEach((component, i) => {
      const k = nearest(component);
      expect(Math.abs(elementAt(mixture.weights, k) - elementAt(truth.weights, i))).toBeLessThan(0.02);
      component.mean.forEach((x, at) =>
        expect(Math.abs(float64At(elementAt(mixture.components, k).mean, at) - x)).toBeLessThan(0.12),
      );
      component.covariance.to1DArray().forEach((x, at) => {
        expect(
          Math.abs(elementAt(elementAt(mixture.components, k).covariance.to1DArray(), at) - x),
        ).toBeLessThan(0.2);
      });
    });
    expect(mixture.converged).toBe(true);
  });

  example('is as likely as the truth on other codes, and likelier on its own', () => {
    const [seen, unseen] = [truth.sample(6000, 3), truth.sample(6000, 4)];
    const mixture = right(fitMixture(seen, 2, { components: 3 }));
    const gain = (codes: Float32Array): number =>
      average(mixture.logDensity(codes)) - average(truth.logDensity(codes));
    expect(gain(seen)).toBeGreaterThan(0);
    expect(Math.abs(gain(unseen))).toBeLessThan(0.01);
  });

  example('finds ten groups in sixteen dimensions', () => {
    const centres = standardGaussian(16)
      .sample(10, 7)
      .map((x) => 3 * x);
    const groups = rowsOf(centres, 16).map((mean) => gaussianOf(Float64Array.from(mean), Matrix.eye(16, 16)));
    const many = mixtureOf(
      groups.map(() => 0.1),
      groups,
    );
    const [seen, unseen] = [many.sample(4000, 1), many.sample(4000, 2)];
    const mixture = right(fitMixture(seen, 16));
    expect(mixture.components.length).toBe(10);
    // 10 · (16 + 136) parameters and 9 weights cost about half a nat each over 4000 codes.
    expect(average(mixture.logDensity(unseen)) - average(many.logDensity(unseen))).toBeGreaterThan(-0.3);
  });

  example('draws components by their weights, and the same codes for one seed', () => {
    const codes = truth.sample(20_000, 11);
    const share = rowsOf(codes, 2).filter((row) => float32At(row, 0) < -1).length / 20_000;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.02);
    expect(truth.sample(20, 11)).toEqual(codes.subarray(0, 40));
    expect(truth.sample(20, 12)).not.toEqual(codes.subarray(0, 40));
    const fit = () => right(fitMixture(codes.subarray(0, 2000), 2, { components: 4, seed: 5 }));
    expect(fit().logLikelihoods).toEqual(fit().logLikelihoods);
  });

  example('bears one code, equal codes, fewer codes than components, and codes on a line', () => {
    const line = Float32Array.from({ length: 300 }, (_, i) => codesAt(Math.floor(i / 3)) * (1 + (i % 3)));
    for (const [codes, most] of [
      [Float32Array.of(1, 2, 3), 1],
      [new Float32Array(60).fill(7), 1],
      [new Float32Array(60), 1],
      [Float32Array.of(1, 2, 3, 4, 5, 6), 2],
      [line, 10],
    ] as const) {
      const mixture = right(fitMixture(codes, 3));
      expect(mixture.components.length).toBeLessThanOrEqual(most);
      expect(mixture.logDensity(codes).every(Number.isFinite)).toBe(true);
      expect(mixture.sample(9, 0).every(Number.isFinite)).toBe(true);
    }
  });

  example('names every option that is wrong', () => {
    const problems = left(fitMixture(new Float32Array(8), 2, { components: 0, restarts: 1.5, floor: 2 }));
    expect(problems.map(({ path }) => path)).toEqual(['components', 'restarts', 'floor']);
  });
});
