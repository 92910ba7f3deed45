/** The rules that no score may break, the names that scores have, and their uncertainty over seeds. */
import { elementAt, float32At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { problem as problemOf } from '../../../dsl/index.js';
import {
  acrossSeeds,
  type FeatureMap,
  type Features,
  frechet,
  precision,
  reconstructionError,
  score,
  standardGaussian,
} from '../../../evaluation/index.js';
import { carriedSize } from '../../../evaluation/features/feature-map.js';
import { comparable, matched } from '../../../evaluation/metrics/metric.js';
import { studentQuantile } from '../../../evaluation/metrics/across-seeds.js';
import { BackendFailure } from '../../../backends/failure.js';
import { left, right } from '../../shared/either.js';
import { rowsOf } from '../../shared/moments.js';

const features = (size: number, values: ArrayLike<number>): Features => ({
  size,
  values: Float32Array.from(values),
});

const normals = (count: number, d: number, seed: number): Float32Array =>
  standardGaussian(d).sample(count, seed);

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

describe('across seeds', () => {
  example("Student's quantiles are those of the tables", () => {
    for (const [level, freedom, t] of [
      [0.95, 1, 12.7062],
      [0.95, 2, 4.30265],
      [0.95, 3, 3.18245],
      [0.95, 4, 2.77645],
      [0.95, 9, 2.26216],
      [0.95, 30, 2.04227],
      [0.99, 4, 4.60409],
      [0.99, 5, 4.03214],
      [0.5, 1, 1],
      [0.9, 6, 1.94318],
    ] as const)
      // prettier-ignore
      expect(studentQuantile(level, freedom)).toBeCloseTo(t, 4);
  });

  example('the interval is mean ± t·s/√n', () => {
    const { count, mean, standardError = NaN, interval = [NaN, NaN] } = right(acrossSeeds([1, 2, 3, 4, 5]));
    expect([count, mean]).toEqual([5, 3]);
    expect(standardError).toBeCloseTo(Math.sqrt(2.5 / 5), 12);
    expect(interval[0]).toBeCloseTo(3 - 2.7764451 * Math.sqrt(0.5), 6);
    expect(interval[1]).toBeCloseTo(3 + 2.7764451 * Math.sqrt(0.5), 6);
  });

  example('95 of 100 intervals hold the mean', () => {
    const held = rowsOf(normals(2000, 4, 5), 4).filter((row) => {
      const { interval = [NaN, NaN] } = right(acrossSeeds([...row]));
      return interval[0] <= 0 && interval[1] >= 0;
    });
    expect(Math.abs(held.length / 2000 - 0.95)).toBeLessThan(0.02);
  });

  example('and commutes with units, to the ends of the range of numbers', () => {
    const of = (unit: number) => right(acrossSeeds([1, 2, 3, 6].map((x) => x * unit)));
    const { mean, standardError = NaN, interval = [NaN, NaN] } = of(1);
    for (const unit of [2 ** -1000, 2 ** 1020])
      expect(of(unit)).toEqual({
        count: 4,
        mean: mean * unit,
        standardError: standardError * unit,
        interval: interval.map((x) => x * unit),
      });
  });

  example('one seed has no error, none and NaN are problems', () => {
    expect(right(acrossSeeds([7]))).toEqual({ count: 1, mean: 7 });
    expect(left(acrossSeeds([]))[0]).toMatchObject({ path: 'values', found: 'none' });
    expect(left(acrossSeeds([1, NaN]))[0]).toMatchObject({ path: 'values[1]', found: 'NaN' });
    expect(left(acrossSeeds([1, 2], 95))[0]).toMatchObject({ path: 'level' });
  });
});

describe('a score', () => {
  const map = (name: string, size: number, changes: Partial<FeatureMap> = {}): FeatureMap => ({
    name,
    size,
    apply: (examples) =>
      Promise.resolve(Float32Array.from(rowsOf(examples, 8).flatMap((row) => [...row.subarray(0, size)]))),
    dispose: () => undefined,
    ...changes,
  });
  const reference = { shape: [2, 4], examples: normals(36, 8, 1) };
  const samples = normals(36, 8, 2);

  example('is named after its metric and its features, or as is the custom', async () => {
    const maps = [map('first', 1), map('inception', 2, { customary: { frechet: 'fid' } })];
    const scores = right(await score(samples, reference, maps, [frechet, precision, reconstructionError]));
    expect(Object.keys(scores).sort()).toEqual([
      'fid',
      'frechet/first',
      'precision/first',
      'precision/inception',
      'reconstruction',
    ]);
    const error = samples.reduce((sum, x, i) => sum + (x - float32At(reference.examples, i)) ** 2, 0);
    expect(scores['reconstruction']).toBeCloseTo(error / 36, 4);
    const first = (values: Float32Array) =>
      features(
        1,
        values.filter((_, i) => i % 8 === 0),
      );
    expect(scores['frechet/first']).toBe(
      frechet.of(right(comparable(first(samples), first(reference.examples)))),
    );
  });

  example('of too few, or of another number of examples, is every problem that there is', async () => {
    const problems = left(
      await score(samples, reference, [map('five', 5), map('two', 2), map('six', 6)], [frechet]),
    );
    expect(problems.map(({ path }) => path)).toEqual(['five.samples', 'six.samples']);
    expect(elementAt(problems, 0).hint).toBe('36 can carry 4 features');
    const fewer = samples.subarray(0, 80);
    expect(elementAt(left(await score(fewer, reference, [map('one', 1)], [frechet])), 0).path).toBe(
      'one.samples',
    );
    expect(elementAt(left(await score(fewer, reference, [], [reconstructionError])), 0).path).toBe('samples');
    expect(left(await score(samples.subarray(1), reference, [], [frechet]))[0]).toMatchObject({
      found: '287 numbers',
    });
    const picky = map('picky', 1, { fewest: 37 });
    expect(elementAt(left(await score(samples, reference, [picky], [frechet])), 0).expected).toBe(
      'at least 37 examples',
    );
  });

  example('of features that cannot be had is their problem', async () => {
    const broken = map('broken', 1, {
      apply: () => Promise.reject(new BackendFailure(problemOf('graph', 'a fault', 'none'))),
    });
    expect(left(await score(samples, reference, [broken], [frechet]))).toEqual([
      problemOf('graph', 'a fault', 'none'),
    ]);
  });

  example('of reconstructions pairs the examples', () => {
    const a = features(2, [1, 2, 3, 4]);
    const b = features(2, [1, 1, 1, 1]);
    expect(reconstructionError.of(right(matched(a, b)))).toBe((0 + 1 + 4 + 9) / 2);
  });
});
