/**
 * What each way of a volume or of a system with JᵀJ costs, and which costs least. The unit is the product of the Jacobian J with one
 * direction, for one example; Jᵀ costs as much, and what is small beside it (JᵀJ itself, its factor) is left out.
 */
import type { VolumeMethod } from '../../dsl/expressions/expression.js';

/** Conjugate gradients stop when they are done: rounds that a system is expected to need, if it has as many unknowns. */
const expectedRounds = 30;

/** A product, and its gradient with respect to the direction and to the weights. */
const withGradient = 3;

export type SolveCost = {
  readonly chosen: 'factor' | 'conjugate gradients';
  /** d products with J, all at once, then a factor of JᵀJ; absent where a bound asks for conjugate gradients. */
  readonly factor?: number;
  /** A product with J and one with Jᵀ for each round and right-hand side. */
  readonly conjugateGradients: number;
};

/** Of a system with JᵀJ of d unknowns, `count` right-hand sides, and a bound on the rounds where the user has set one. */
export const solveCost = (d: number, iterations?: number, count = 1): SolveCost => {
  const conjugateGradients = 2 * count * Math.min(iterations ?? d, expectedRounds);
  return iterations === undefined
    ? { chosen: d <= conjugateGradients ? 'factor' : 'conjugate gradients', factor: d, conjugateGradients }
    : { chosen: 'conjugate gradients', conjugateGradients };
};

/**
 * What an estimate by `count` probes has to be cheaper by, to be worth its variance: by one probe, twice. Its variance is that of a trace by
 * as many random directions, and falls as one over their number.
 */
const worthOf = (count: number): number => 1 + 1 / count;

export type VolumeCost = {
  readonly chosen: 'exact' | 'stochastic';
  /** Whose products give JᵀJ (or JJᵀ where J has more columns than rows): whatever there are fewer of. */
  readonly by: 'columns' | 'rows';
  /** min(d, D) products and their gradient. */
  readonly exact: number;
  /**
   * For each probe a product and its gradient besides all columns of J and their factor, or two besides the rounds of conjugate gradients;
   * absent where JᵀJ has no inverse.
   */
  readonly stochastic?: { readonly products: number; readonly solve: SolveCost };
};

/** Of a volume in a training step, of a network from d to D numbers, with `count` probes for the surrogate. */
export const volumeCost = (
  { d, D }: { readonly d: number; readonly D: number },
  asked: VolumeMethod,
  count: number,
  iterations?: number,
): VolumeCost => {
  const exact = withGradient * Math.min(d, D);
  if (d > D) return { chosen: 'exact', by: 'rows', exact };
  const solve = solveCost(d, iterations, count);
  const solution = solve.chosen === 'factor' ? d : solve.conjugateGradients;
  const products = solution + withGradient * (solve.chosen === 'factor' ? 1 : 2) * count;
  const cheaper = exact <= products * worthOf(count) ? 'exact' : 'stochastic';
  return {
    chosen: asked === 'auto' ? cheaper : asked,
    by: 'columns',
    exact,
    stochastic: { products, solve },
  };
};
