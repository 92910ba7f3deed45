/** Metrics of samples against exact values, and the rules that no score may break. */
import { fc, test } from '@fast-check/vitest';
import { Matrix } from 'ml-matrix';
import { describe, expect, test as example } from 'vitest';
import {
  carriedSize,
  comparable,
  type Features,
  frechet,
  frechetDistance,
  type Metric,
  matched,
  standardGaussian,
} from '../evaluation/index.js';
import { left, right } from './either.js';

const features = (size: number, values: ArrayLike<number>): Features => ({
  size,
  values: Float32Array.from(values),
});

const measure = (metric: Metric, samples: Features, reference: Features): number =>
  metric.of(right(comparable(samples, reference)));

const normals = (count: number, d: number, seed: number): Float32Array =>
  standardGaussian(d).sample(count, seed);

const diagonal = (mean: readonly number[], variances: readonly number[]) => ({
  mean,
  covariance: Matrix.diag([...variances]),
});

const variances = fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 3, maxLength: 3 });
const means = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 3, maxLength: 3 });

/** A rotation of three dimensions from three angles. */
const rotation = ([a, b, c]: readonly number[]): Matrix => {
  const turn = (i: number, j: number, angle: number): Matrix => {
    const R = Matrix.eye(3, 3);
    R.set(i, i, Math.cos(angle)).set(j, j, Math.cos(angle));
    return R.set(i, j, -Math.sin(angle)).set(j, i, Math.sin(angle));
  };
  return turn(0, 1, a)
    .mmul(turn(1, 2, b))
    .mmul(turn(0, 2, c));
};

describe('the Fréchet distance', () => {
  example('of N(0, I) and N((1, 0), diag(4, 1)) is 2', () => {
    expect(frechetDistance(diagonal([0, 0], [1, 1]), diagonal([1, 0], [4, 1]))).toBeCloseTo(2, 12);
  });

  test.prop([means, variances, means, variances, means])(
    'of Gaussians with common axes is Σ (m − m′)² + (s − s′)², however both are turned',
    (m1, v1, m2, v2, angles) => {
      const R = rotation(angles);
      const turned = (mean: readonly number[], v: readonly number[]) => ({
        mean: R.mmul(Matrix.columnVector(mean)).to1DArray(),
        covariance: R.mmul(Matrix.diag([...v])).mmul(R.transpose()),
      });
      const exact = m1.reduce(
        (sum, m, i) => sum + (m - m2[i]) ** 2 + (Math.sqrt(v1[i]) - Math.sqrt(v2[i])) ** 2,
        0,
      );
      expect(frechetDistance(turned(m1, v1), turned(m2, v2))).toBeCloseTo(exact, 5);
    },
  );

  test.prop([means, variances, means, variances, means])(
    'is symmetric and at least 0',
    (m1, v1, m2, v2, angles) => {
      const R = rotation(angles);
      const a = diagonal(m1, v1);
      const b = { mean: m2, covariance: R.mmul(Matrix.diag(v2)).mmul(R.transpose()) };
      expect(frechetDistance(a, b)).toBeCloseTo(frechetDistance(b, a), 5);
      expect(frechetDistance(a, b)).toBeGreaterThan(-1e-6);
    },
  );

  example('of two samples is that of their moments, with unbiased covariances', () => {
    const a = features(1, [0, 2, 4, 0, 2, 4, 0, 2, 4]);
    const b = features(1, [1, 1, 1, 1, 1, 1, 1, 1, 10]);
    const [sa, sb] = [Math.sqrt(24 / 8), Math.sqrt(72 / 8)];
    expect(measure(frechet, a, b)).toBeCloseTo((2 - 2) ** 2 + (sa - sb) ** 2, 6);
  });

  example('of a sample with itself is 0, also without full rank', () => {
    const flat = features(
      4,
      normals(40, 4, 1).map((x, i) => (i % 4 === 3 ? 0 : x)),
    );
    expect(Math.abs(measure(frechet, flat, flat))).toBeLessThan(1e-6);
  });
});

describe('two samples are compared only', () => {
  const problem = (samples: Features, reference: Features) => left(comparable(samples, reference))[0];

  example('with equal sizes', () => {
    expect(problem(features(1, normals(20, 1, 1)), features(1, normals(21, 1, 1)))).toMatchObject({
      path: 'samples',
      found: '20 rows',
      expected: '21, as many as in the reference',
    });
    expect(problem(features(1, []), features(1, []))).toMatchObject({ found: '0 rows' });
  });

  example('with equal features', () => {
    expect(problem(features(2, normals(20, 2, 1)), features(1, normals(40, 1, 1)))).toMatchObject({
      found: '2 features',
    });
  });

  test.prop([fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 6 })])(
    'where there are nine examples for each feature',
    (count, d) => {
      const sample = features(d, normals(count, d, 1));
      expect(comparable(sample, sample)._tag).toBe(count >= 9 * d ? 'Right' : 'Left');
      expect(matched(sample, sample)._tag).toBe('Right');
    },
  );

  example('where all is finite', () => {
    const fine = features(1, normals(20, 1, 1));
    const broken = features(1, [...normals(19, 1, 1), Infinity]);
    expect(problem(broken, fine)).toMatchObject({ path: 'samples[19]', found: 'Infinity' });
    expect(problem(fine, broken)).toMatchObject({ path: 'reference[19]' });
  });
});

test.prop([fc.integer({ min: 9, max: 1e6 }), fc.integer({ min: 1, max: 512 })])(
  'samples carry the features that they are given',
  (count, most) => {
    const size = carriedSize(count, most);
    expect(size * 9).toBeLessThanOrEqual(count);
    expect(size).toBeLessThanOrEqual(most);
    expect(2 * size > Math.min(count / 9, most)).toBe(true);
  },
);

example('299 digits carry 32 features', () => expect(carriedSize(299, 64)).toBe(32));
