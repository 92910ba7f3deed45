/** Metrics of samples against exact values and against their definitions. */
import { atLeast, elementAt, float32At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { Matrix } from 'ml-matrix';
import { describe, expect, test as example } from 'vitest';
import {
  comparable,
  coverage,
  type Features,
  frechet,
  frechetDistance,
  type Metric,
  polynomialMmd,
  precision,
  rbfMmd,
  recall,
  sampleMetrics,
  slicedWasserstein,
  standardGaussian,
} from '../../../evaluation/index.js';
import { right } from '../../shared/either.js';
import { dot, meanOf, rowsOf } from '../../shared/moments.js';

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
const rotation = (angles: readonly number[]): Matrix => {
  const [a, b, c] = atLeast(3, angles);
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
        (sum, m, i) =>
          sum +
          (m - elementAt(m2, i)) ** 2 +
          (Math.sqrt(elementAt(v1, i)) - Math.sqrt(elementAt(v2, i))) ** 2,
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

/** Rows in another order. */
const reversed = ({ size, values }: Features): Features =>
  features(
    size,
    rowsOf(values, size)
      .toReversed()
      .flatMap((row) => [...row]),
  );

describe.each(sampleMetrics)('$name', (metric) => {
  test.prop([fc.nat(1e6), fc.integer({ min: 1, max: 4 })], { numRuns: 15 })(
    'does not depend on the order of the examples',
    (seed, d) => {
      const [a, b] = [features(d, normals(40, d, seed)), features(d, normals(40, d, seed + 1))];
      const value = measure(metric, a, b);
      expect(measure(metric, reversed(a), b)).toBeCloseTo(value, 8);
      expect(measure(metric, a, reversed(b))).toBeCloseTo(value, 8);
    },
  );
});

const squared = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + (x - elementAt(b, i)) ** 2, 0);

const two = fc.record({ seed: fc.nat(1e6), d: fc.integer({ min: 1, max: 3 }) }).map(({ seed, d }) => ({
  d,
  a: normals(30, d, seed),
  b: normals(30, d, seed + 1).map((x) => 2 * x + 0.5),
}));

describe('precision and recall', () => {
  test.prop([two, fc.integer({ min: 1, max: 5 })])('are what their definition says', ({ a, b, d }, k) => {
    const [rows, centres] = [rowsOf(a, d), rowsOf(b, d)];
    // The first of the sorted distances is that from the centre itself.
    const reach = centres.map((c) =>
      elementAt(
        centres.map((other) => squared(c, other)).sort((x, y) => x - y),
        k,
      ),
    );
    const inside = rows.filter((row) => centres.some((c, i) => squared(row, c) <= elementAt(reach, i)));
    expect(coverage(a, b, d, k)).toBe(inside.length / 30);
  });

  example('are 1 for equal samples and 0 for distant ones, and change places with the samples', () => {
    const a = features(2, normals(50, 2, 1));
    const far = features(
      2,
      normals(50, 2, 2).map((x) => x + 100),
    );
    const wide = features(
      2,
      normals(50, 2, 3).map((x) => 4 * x),
    );
    expect([measure(precision, a, a), measure(recall, a, a)]).toEqual([1, 1]);
    expect([measure(precision, far, a), measure(recall, far, a)]).toEqual([0, 0]);
    expect(measure(precision, wide, a)).toBe(measure(recall, a, wide));
    expect(measure(precision, wide, a)).toBeLessThan(measure(recall, wide, a));
  });

  example('of one example are about that example', () => {
    expect(coverage(Float32Array.of(1, 2), Float32Array.of(1), 1)).toBe(0.5);
  });
});

describe('the maximum mean discrepancy', () => {
  const estimate = (
    a: Float32Array,
    b: Float32Array,
    d: number,
    k: (x: Float32Array, y: Float32Array) => number,
  ): number => {
    const within = (rows: readonly Float32Array[]): number =>
      rows.reduce((sum, x, i) => sum + rows.reduce((inner, y, j) => inner + (i === j ? 0 : k(x, y)), 0), 0) /
      (rows.length * (rows.length - 1));
    const [x, y] = [rowsOf(a, d), rowsOf(b, d)];
    return (
      within(x) +
      within(y) -
      2 *
        meanOf(
          x.map((p) =>
            meanOf(
              y.map((q) => k(p, q)),
              (v) => v,
            ),
          ),
          (v) => v,
        )
    );
  };

  test.prop([two])('is its unbiased estimate for the polynomial kernel', ({ a, b, d }) => {
    const exact = estimate(a, b, d, (x, y) => (dot(x, y) / d + 1) ** 3);
    expect(measure(polynomialMmd, features(d, a), features(d, b)) / exact).toBeCloseTo(1, 8);
  });

  test.prop([two])('and for the Gaussian one, as wide as the reference', ({ a, b, d }) => {
    const rows = rowsOf(b, d);
    const squares = rows.flatMap((x, i) => rows.slice(0, i).map((y) => squared(x, y))).sort((x, y) => x - y);
    const median = elementAt(squares, Math.floor(squares.length / 2));
    const exact = estimate(a, b, d, (x, y) => Math.exp(-squared(x, y) / (2 * median)));
    expect(measure(rbfMmd, features(d, a), features(d, b))).toBeCloseTo(exact, 10);
  });

  example('of N(0, 1) and N(1, 1) is 22 with the polynomial kernel', () => {
    const values = [1, 2, 3, 4, 5, 6].map((seed) =>
      measure(
        polynomialMmd,
        features(1, normals(1000, 1, seed)),
        features(
          1,
          normals(1000, 1, seed + 10).map((x) => x + 1),
        ),
      ),
    );
    expect(Math.abs(meanOf(values, (x) => x) / 22 - 1)).toBeLessThan(0.1);
  });

  example('of a sample and itself is below 0: the estimate is unbiased, not positive', () => {
    const a = features(2, normals(40, 2, 1));
    expect(measure(rbfMmd, a, a)).toBeLessThan(0);
  });
});

describe('the sliced Wasserstein distance', () => {
  test.prop([fc.nat(1e6), fc.integer({ min: 1, max: 5 })])('of a sample moved by t is |t|/√d', (seed, d) => {
    const a = normals(60, d, seed);
    const t = normals(1, d, seed + 1);
    const moved = a.map((x, i) => x + float32At(t, i % d));
    const exact = Math.sqrt(dot(t, t) / d);
    expect(measure(slicedWasserstein(), features(d, moved), features(d, a)) / exact).toBeCloseTo(1, 4);
  });

  test.prop([fc.nat(1e6)])('in one dimension joins equal ranks', (seed) => {
    const [a, b] = [normals(20, 1, seed), normals(20, 1, seed + 1)];
    const exact = Math.sqrt(squared(a.toSorted(), b.toSorted()) / 20);
    expect(measure(slicedWasserstein(), features(1, a), features(1, b))).toBeCloseTo(exact, 6);
  });

  example('depends on its seed, and on nothing else', () => {
    const [a, b] = [features(4, normals(60, 4, 1)), features(4, normals(60, 4, 2))];
    const at = (seed: number) => measure(slicedWasserstein({ directions: 8, seed }), a, b);
    expect(at(1)).toBe(at(1));
    expect(at(1)).not.toBe(at(2));
  });
});
