/** Feature maps: principal components against what they must be. */
import { atLeast, elementAt, entryOf, float32At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { expect, test as example } from 'vitest';
import { type Dataset, gather, type Stored } from '../../../data/index.js';
import { showProblem } from '../../../dsl/index.js';
import {
  featureProblems,
  frechet,
  openFeatures,
  pixels,
  score,
  standardGaussian,
} from '../../../evaluation/index.js';
import { isLeft, right as succeeded } from 'fp-ts/lib/Either.js';
import { backends } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';
import { dot, rowsOf } from '../../shared/moments.js';

/** Examples whose k-th coordinate has standard deviation k + 1, turned by Householder's reflection so that no axis is a component. */
const turned = (size: number, width: number, seed: number): Dataset => {
  const raw = standardGaussian(width)
    .sample(size, seed)
    .map((x, i) => x * (1 + (i % width)));
  const u = elementAt(rowsOf(standardGaussian(width).sample(1, seed + 1), width), 0);
  const examples = new Float32Array(raw.length);
  rowsOf(raw, width).forEach((x, row) => {
    const along = (2 * dot(x, u)) / dot(u, u);
    examples.set(
      x.map((value, i) => 5 + value - along * float32At(u, i)),
      row * width,
    );
  });
  return { name: 'turned', shape: [width], size, examples };
};

const variancesOf = (values: Float32Array, size: number): readonly number[] =>
  Array.from({ length: size }, (_, k) => {
    const column = rowsOf(values, size).map((row) => float32At(row, k));
    const mean = column.reduce((sum, x) => sum + x, 0) / column.length;
    return column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length;
  });

test.prop([fc.nat(1000), fc.integer({ min: 5, max: 12 })], { numRuns: 20 })(
  'principal components of the training examples have their greatest variances, and no correlation',
  async (seed, width) => {
    const train = turned(800, width, seed);
    const map = right(await pixels(train, { samples: 50 }));
    expect(map.size).toBe(4);
    const found = await map.apply(train.examples);
    const rows = rowsOf(found, 4);
    const variances = variancesOf(found, 4);
    variances.forEach((variance, k) => expect(Math.abs(variance / (width - k) ** 2 - 1)).toBeLessThan(0.25));
    const mixed = rows.reduce((sum, row) => sum + float32At(row, 0) * float32At(row, 1), 0) / rows.length;
    expect(Math.abs(mixed)).toBeLessThan(1e-3 * elementAt(variances, 0));
  },
);

example('more pixels than examples: components of the examples, the same up to sign', async () => {
  const wide = turned(40, 60, 3);
  const map = right(await pixels(wide, { samples: 80 }));
  const found = await map.apply(wide.examples);
  const total = variancesOf(wide.examples, 60).reduce((a, b) => a + b);
  const kept = variancesOf(found, map.size).reduce((a, b) => a + b);
  expect(map.size).toBe(8);
  expect(kept / total).toBeGreaterThan(0.5);
  // All of 39 components keep everything.
  const all = right(await pixels({ ...wide, shape: [60] }, { samples: 9 * 59, most: 32 }));
  const most = variancesOf(await all.apply(wide.examples), 32).reduce((a, b) => a + b);
  expect(most / total).toBeGreaterThan(0.98);
  expect(most / total).toBeLessThanOrEqual(1 + 1e-6);
});

example('few pixels are their own features', async () => {
  const train = turned(50, 5, 1);
  const map = right(await pixels(train, { samples: 80 }));
  expect(await map.apply(train.examples)).toEqual(train.examples);
});

example('no examples have no components', async () => {
  const none = { name: 'none', shape: [4], size: 0, examples: new Float32Array() };
  expect(left(await pixels(none, { samples: 90 }))[0]).toMatchObject({ path: 'train' });
});

test.prop([fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 150 })])(
  'examples are features as they are where nine samples come on each of their numbers, and nowhere else',
  async (width, samples) => {
    const train = turned(20, width, 1);
    const opened = await openFeatures(['raw'], { train, samples, backend: backends.cpu });
    expect(featureProblems(['raw'], train, samples)).toEqual(isLeft(opened) ? opened.left : []);
    if (isLeft(opened)) {
      expect(9 * width).toBeGreaterThan(samples);
      expect(opened.left.map(showProblem)).toEqual([
        `features: found "raw", the ${width} numbers of an example of turned, expected at most ${Math.floor(samples / 9)} for ${samples} examples to score against, 9 for each (use "pixels", their principal components)`,
      ]);
      return;
    }
    expect(9 * width).toBeLessThanOrEqual(samples);
    const [map] = atLeast(1, opened.right);
    expect(map.size).toBe(width);
    expect(await map.apply(train.examples)).toEqual(train.examples);
    const reference = train.examples.slice(0, 9 * width * width);
    if (train.size < 9 * width) return;
    const scores = right(await score(reference, { ...train, examples: reference }, [map], [frechet]));
    expect(Object.keys(scores)).toEqual(['frechet/raw']);
    expect(Math.abs(entryOf(scores, 'frechet/raw'))).toBeLessThan(1e-3);
  },
);

/** The same examples, read by row. */
const stored = ({ examples, ...about }: Dataset): Stored => ({
  ...about,
  read: (rows, into) => async () => {
    gather({ ...about, examples }, rows, into);
    return succeeded(undefined);
  },
});

example.each([
  [40, 60],
  [25_000, 9],
])('%i examples of %i pixels that are read by row have the same components', async (size, width) => {
  const train = turned(size, width, 4);
  const some = train.examples.subarray(0, 20 * width);
  const of = async (source: Dataset | Stored) => right(await pixels(source, { samples: 40 })).apply(some);
  expect(await of(stored(train))).toEqual(await of(train));
});
