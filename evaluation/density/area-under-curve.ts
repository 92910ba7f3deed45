/**
 * The area under the ROC curve with its interval: how often an example from outside has the greater score, ties counting half (Mann
 * and Whitney, 1947), by the variance of DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated
 * receiver operating characteristic curves: a nonparametric approach, Biometrics, 1988.
 */

export type AreaUnderCurve = {
  readonly auc: number;
  /** Holds the area of all examples with a probability of 95 %. */
  readonly interval: readonly [low: number, high: number];
};

/** Φ⁻¹(0.975). */
const Z = 1.959963984540054;

/** For each value the share of the others that are below it, ties counting half. */
const placements = (values: ArrayLike<number>, others: ArrayLike<number>): Float64Array => {
  const sorted = Float64Array.from(others).sort();
  /** How many of the sorted values hold, from the first on. */
  const count = (holds: (value: number) => boolean): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(float64At(sorted, middle))) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return Float64Array.from(values, (x) => (count((v) => v < x) + count((v) => v <= x)) / (2 * sorted.length));
};

const meanOf = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Unbiased; of one value 0. */
const varianceOf = (values: Float64Array): number => {
  const mean = meanOf(values);
  return values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, values.length - 1);
};

/** Of scores, the greater ones taken for outside; examples of both. */
export const areaUnderCurve = (inside: ArrayLike<number>, outside: ArrayLike<number>): number =>
  meanOf(placements(outside, inside));

/**
 * Where no pair is out of order, or none in order, the estimated variance is 0. The nearest area then that would be this far away at
 * most, by the variance that Hanley and McNeil (1982) have for scores of exponential distributions: method 5 of Newcombe, Confidence
 * intervals for an effect size measure based on the Mann–Whitney statistic, 2006.
 */
const nearestOfSeparated = (m: number, n: number): number => {
  const pairs = (m + n) / 2 - 1;
  const isTooFar = (area: number): boolean => {
    const more = (pairs * (1 - area)) / (2 - area) + (pairs * area) / (1 + area);
    return 1 - area > Z * Math.sqrt((area * (1 - area) * (1 + more)) / (m * n));
  };
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (isTooFar(middle)) low = middle;
    else high = middle;
  }
  return high;
};

/**
 * `areaUnderCurve` with its 95 % interval: DeLong's variance on the scale of ln(A/(1 − A)), where the interval stays between 0 and 1
 * (Pepe, The Statistical Evaluation of Medical Tests, 2003, section 5.2).
 */
export const areaWithInterval = (inside: ArrayLike<number>, outside: ArrayLike<number>): AreaUnderCurve => {
  const [m, n] = [inside.length, outside.length];
  const above = placements(outside, inside);
  const auc = meanOf(above);
  const variance = varianceOf(above) / n + varianceOf(placements(inside, outside)) / m;
  if (!(variance > 0) || auc === 0 || auc === 1) {
    const nearest = nearestOfSeparated(m, n);
    return { auc, interval: auc === 1 ? [nearest, 1] : auc === 0 ? [0, 1 - nearest] : [0, 1] };
  }
  const [middle, reach] = [Math.log(auc / (1 - auc)), (Z * Math.sqrt(variance)) / (auc * (1 - auc))];
  const back = (x: number): number => 1 / (1 + Math.exp(-x));
  return { auc, interval: [back(middle - reach), back(middle + reach)] };
};
import { float64At } from '../../dsl/lookup.js';
