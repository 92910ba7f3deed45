/** The logarithm of a sum of exponentials, and what classifiers are trained with: cross-entropy. */
import { add, dot, exp, type Expr, fill, log, max, reshaped, slice, stop, sub, sum } from './expression.js';
import type { Scalar } from '../shape.js';

/** The greatest of k numbers; ties go to the first. */
export const maximum = <K extends number>(k: K, e: Expr<readonly [NoInfer<K>]>): Expr<Scalar> =>
  Array.from({ length: k }, (_, i) => reshaped(slice(e, [i], [1]))).reduce((a, b) => max(a, b));

/**
 * ln Σ exp e over k numbers, finite wherever they are: exp sees their distances below the greatest alone. That is held constant,
 * which leaves the derivative exact, for the value does not depend on what is subtracted and added again.
 */
export const logSumExp = <K extends number>(k: K, e: Expr<readonly [NoInfer<K>]>): Expr<Scalar> => {
  const greatest = stop(maximum(k, e));
  return add(greatest, log(sum(exp(sub(e, fill(greatest, k))))));
};

/** −Σ p ln softmax(logits) in nats, for probabilities p of k classes, such as a label's one-hot vector. */
export const crossEntropy = <K extends number>(
  k: K,
  logits: Expr<readonly [NoInfer<K>]>,
  p: Expr<readonly [NoInfer<K>]>,
): Expr<Scalar> => sub(logSumExp(k, logits), dot(logits, p));
