/** What classifiers are trained with: cross-entropy. */
import type { Scalar } from '../shape.js';
import { logSumExp } from './arrays.js';
import { dot, type Expr, sub } from './expression.js';

/** −Σ p ln softmax(logits) in nats, for probabilities p of classes, such as a label's one-hot vector. */
export const crossEntropy = <K extends number>(
  logits: Expr<readonly [K]>,
  p: Expr<readonly [NoInfer<K>]>,
): Expr<Scalar> => sub(logSumExp(logits, [0]), dot<readonly [K]>(logits, p));
