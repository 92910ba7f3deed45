/** The loss of a step as one and the same measure at every step. */
import { type Objective, scheduledWeights } from '../../dsl/index.js';
import type { Terms } from './events.js';

/**
 * The loss with every scheduled term weighted as at step `last`: as it is trained on, a loss grows where weights do while the model improves.
 * Undefined where no weight is a schedule; the function's answer is undefined at a step where a weight is 0, which tells nothing of its term.
 */
export const settledLossOf = (
  objective: Objective,
  last: number,
): ((terms: Terms, step: number) => number | undefined) | undefined => {
  const weights = scheduledWeights(objective);
  if (weights.size === 0) return undefined;
  return (terms, step) => {
    const loss = Object.entries(terms).reduce((sum, [name, value]) => {
      const weight = weights.get(name);
      return sum + (weight === undefined ? value : (value / weight(step)) * weight(last));
    }, 0);
    return Number.isNaN(loss) ? undefined : loss;
  };
};
