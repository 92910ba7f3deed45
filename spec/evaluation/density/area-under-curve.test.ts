/** The area under the ROC curve and its interval: DeLong's variance as it is written, and how often the interval holds the truth. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { areaUnderCurve, areaWithInterval, standardGaussian } from '../../../evaluation/index.js';

const scores = fc.array(
  fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -3, max: 3, noNaN: true })),
  {
    minLength: 2,
    maxLength: 30,
  },
);

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const variance = (values: readonly number[]): number =>
  values.reduce((sum, x) => sum + (x - mean(values)) ** 2, 0) / (values.length - 1);
const wins = (x: number, y: number): number => (x < y ? 1 : x === y ? 0.5 : 0);

describe('the area under the curve', () => {
  test.prop([scores, scores])(
    'has the interval of DeLong’s variance, between 0 and 1, around it',
    (inside, outside) => {
      const { auc, interval } = areaWithInterval(inside, outside);
      expect(auc).toBeCloseTo(mean(outside.flatMap((y) => inside.map((x) => wins(x, y)))), 12);
      expect(auc).toBe(areaUnderCurve(inside, outside));
      expect(interval[0]).toBeGreaterThanOrEqual(0);
      expect(interval[0]).toBeLessThanOrEqual(auc);
      expect(interval[1]).toBeGreaterThanOrEqual(auc);
      expect(interval[1]).toBeLessThanOrEqual(1);
      const [tens, ones] = [
        inside.map((x) => mean(outside.map((y) => wins(x, y)))),
        outside.map((y) => mean(inside.map((x) => wins(x, y)))),
      ];
      const square = variance(tens) / inside.length + variance(ones) / outside.length;
      fc.pre(square > 1e-9 && auc > 0 && auc < 1);
      const logit = (p: number): number => Math.log(p / (1 - p));
      const width = (2 * 1.959964 * Math.sqrt(square)) / (auc * (1 - auc));
      fc.pre(width < 20);
      expect(logit(interval[1]) - logit(interval[0])).toBeCloseTo(width, 4);
    },
  );

  test.prop([scores, scores])('is turned round with the classes', (inside, outside) => {
    const [one, other] = [areaWithInterval(inside, outside), areaWithInterval(outside, inside)];
    expect(other.auc).toBeCloseTo(1 - one.auc, 12);
    expect(other.interval[0]).toBeCloseTo(1 - one.interval[1], 9);
  });

  /** Φ(δ/√2) of two normals of deviation 1 that are δ apart. */
  example.each([
    [0, 0.5, 40, 35],
    [1, 0.76025, 60, 35],
    [2.2, 0.940073, 60, 35],
    [3.3, 0.990186, 25, 20],
  ])('of normals %d apart, %d, is in its interval 95 times in 100', (shift, truth, m, n) => {
    const runs = 400;
    const held = Array.from({ length: runs }, (_, seed) => {
      const inside = standardGaussian(1).sample(m, 2 * seed);
      const outside = standardGaussian(1)
        .sample(n, 2 * seed + 1)
        .map((x) => x + shift);
      const { interval } = areaWithInterval(inside, outside);
      return interval[0] <= truth && truth <= interval[1];
    }).filter(Boolean).length;
    // Four standard errors of 400 runs; wider where the areas are near 1.
    expect(held / runs).toBeGreaterThan(0.95 - 4 * Math.sqrt((0.95 * 0.05) / runs));
  });

  example('of scores that nothing confuses is 1, down to an interval that more examples narrow', () => {
    const between = (m: number, n: number): readonly number[] =>
      areaWithInterval(new Float64Array(m), new Float64Array(n).fill(1)).interval;
    expect(between(5, 5)[1]).toBe(1);
    const [few, some, many] = [between(5, 5), between(50, 50), between(500, 500)].map(([low]) => low);
    expect(few).toBeGreaterThan(0.4);
    expect(few).toBeLessThan(0.8);
    expect(some).toBeGreaterThan(0.92);
    expect(many).toBeGreaterThan(0.99);
    expect(areaWithInterval([1, 1], [1, 1])).toEqual({ auc: 0.5, interval: [0, 1] });
  });
});
