/** Trees of one and two splits: what they can tell apart, what they cannot, and what changes nothing. */
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import {
  accuracyOf,
  areaUnderCurve,
  fitTree,
  type Columns,
  standardGaussian,
} from '../../../evaluation/index.js';
import { answersOf } from '../../../evaluation/density/decision-tree.js';

const value = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.double({ min: -4, max: 4, noNaN: true }),
  fc.constant(-Infinity),
);
const class_ = (scores: number) =>
  fc
    .array(fc.tuple(...Array.from({ length: scores }, () => value)), { minLength: 1, maxLength: 30 })
    .map((rows): Columns => Array.from({ length: scores }, (_, k) => rows.map((row) => elementAt(row, k))));
const [one, two] = [class_(1), class_(2)];
const splits = fc.constantFrom(1 as const, 2 as const);

const fittedAccuracy = (inside: Columns, outside: Columns, count: 1 | 2): number =>
  accuracyOf(fitTree(inside, outside, count), inside, outside);

/** Every threshold at and between values, either side. */
const exhaustive = (insides: Columns, outsides: Columns): number => {
  const [inside] = atLeast(1, insides);
  const [outside] = atLeast(1, outsides);
  const thresholds = [...Array.from(inside), ...Array.from(outside)];
  const share = (values: ArrayLike<number>, t: number): number =>
    Array.from(values).filter((x) => x <= t).length / values.length;
  return Math.max(0.5, ...thresholds.map((t) => 0.5 + Math.abs(share(inside, t) - share(outside, t)) / 2));
};

const reversed = (scores: Columns): Columns => scores.map((values) => Array.from(values).reverse());
const each = (scores: Columns, f: (x: number) => number): Columns =>
  scores.map((values) => Array.from(values, f));

describe('on the examples that it is fitted to', () => {
  test.prop([one, one])('one split is the best there is', (inside, outside) => {
    expect(fittedAccuracy(inside, outside, 1)).toBeCloseTo(exhaustive(inside, outside), 12);
  });

  test.prop([two, two])(
    'two splits tell at least what either score tells, and neither less than chance',
    (inside, outside) => {
      const both = fittedAccuracy(inside, outside, 2);
      const single = [0, 1].map((k) => fittedAccuracy([elementAt(inside, k)], [elementAt(outside, k)], 1));
      single.forEach((accuracy) => {
        expect(accuracy).toBeGreaterThanOrEqual(0.5);
        expect(both).toBeGreaterThanOrEqual(accuracy - 1e-12);
      });
      expect(both).toBeLessThanOrEqual(1);
    },
  );

  test.prop([two, two, splits])(
    'an increasing map of the scores changes nothing',
    (inside, outside, count) => {
      // Exact in doubles, and one to one.
      const map = (x: number): number => (x < 0 ? 2 * x : 8 * x);
      expect(fittedAccuracy(each(inside, map), each(outside, map), count)).toBe(
        fittedAccuracy(inside, outside, count),
      );
      expect(areaUnderCurve(elementAt(each(inside, map), 0), elementAt(each(outside, map), 0))).toBe(
        areaUnderCurve(elementAt(inside, 0), elementAt(outside, 0)),
      );
    },
  );
});

test.prop([two, two, two, two, splits])(
  'the order of the examples changes nothing',
  (inside, outside, a, b, count) => {
    const tree = fitTree(inside, outside, count);
    expect(fitTree(reversed(inside), reversed(outside), count)).toEqual(tree);
    expect(accuracyOf(tree, reversed(a), reversed(b))).toBe(accuracyOf(tree, a, b));
  },
);

test.prop([two, two, splits])(
  'which class is called outside changes no accuracy',
  (inside, outside, count) => {
    expect(fittedAccuracy(outside, inside, count)).toBeCloseTo(fittedAccuracy(inside, outside, count), 12);
    expect(areaUnderCurve(elementAt(outside, 0), elementAt(inside, 0))).toBeCloseTo(
      1 - areaUnderCurve(elementAt(inside, 0), elementAt(outside, 0)),
      12,
    );
  },
);

test.prop([fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 40 }), splits])(
  'classes that are further apart than they are wide are told apart, new examples too',
  (values, count) => {
    const [fitted, others] = [values.filter((_, i) => i % 2 === 0), values.filter((_, i) => i % 2 === 1)];
    const far = (xs: readonly number[]): readonly number[] => xs.map((x) => x + 3);
    const tree = fitTree([fitted], [far(fitted)], count);
    expect(accuracyOf(tree, [others], [far(others)])).toBe(1);
    expect(areaUnderCurve(others, far(others))).toBe(1);
    expect(areaUnderCurve(far(others), others)).toBe(0);
  },
);

test.prop([fc.nat(1e4), splits], { numRuns: 10 })('equal distributions are not told apart', (seed, count) => {
  const sample = (k: number): Columns =>
    [0, 1].map((i) => standardGaussian(1).sample(4000, 10 * seed + 2 * k + i));
  const tree = fitTree(sample(0), sample(1), count);
  // Five standard deviations of a mean of 8,000.
  expect(Math.abs(accuracyOf(tree, sample(2), sample(3)) - 0.5)).toBeLessThan((5 * 0.5) / Math.sqrt(8000));
  expect(Math.abs(areaUnderCurve(elementAt(sample(2), 0), elementAt(sample(3), 0)) - 0.5)).toBeLessThan(
    5 * Math.sqrt(1 / 12 / 2000),
  );
});

example('two scores tell what neither tells alone, and two splits a band', () => {
  const inside = [
    [0, 0, 1, 1],
    [0, 1, 0, 0],
  ];
  const outside = [
    [1, 1, 1, 1],
    [1, 1, 1, 1],
  ];
  expect([0, 1].map((k) => fittedAccuracy([elementAt(inside, k)], [elementAt(outside, k)], 1))).toEqual([
    0.75, 0.875,
  ]);
  expect(fittedAccuracy(inside, outside, 2)).toBe(1);
  const band = [[0, 1, 2]];
  expect(fittedAccuracy(band, [[-1, 3]], 1)).toBe(0.75);
  expect(fittedAccuracy(band, [[-1, 3]], 2)).toBe(1);
});

describe('an example without a score', () => {
  const none = Infinity;

  example('is one from outside, wherever it is from, also where outside has the lesser scores', () => {
    // Every inside score of 5 and 6 is above every outside one of 1 and 2.
    const [inside, outside] = [[[5, 6, none, none]], [[1, 2, 1, none]]];
    const tree = fitTree(inside, outside, 1);
    expect(answersOf(tree, inside)).toEqual([false, false, true, true]);
    expect(answersOf(tree, outside)).toEqual([true, true, true, true]);
    expect(accuracyOf(tree, inside, outside)).toBe(0.75);
  });

  example(
    'tells nothing of the other set: chance, where no example of either has one, or none of one',
    () => {
      for (const count of [1, 2] as const)
        for (const [inside, outside] of [
          [[[none, none]], [[none, none]]],
          [[[none, none]], [[1, 2]]],
        ] as const)
          expect(fittedAccuracy(inside, outside, count)).toBe(0.5);
    },
  );
});
