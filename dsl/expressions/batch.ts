/** Statistics over the batch, whose derivatives reach all its examples. They are for objectives: a network sees one example. */
import type { Expr } from '../grammar.js';
import type { Shape } from '../shape.js';
import { square } from './expression.js';

/** The mean over the examples of a batch, element by element; in evaluation over the batch that is evaluated. */
export const batchMean = <S extends Shape>(of: Expr<S>): Expr<S> => ({ tag: 'batchMean', of });

const centred = <S extends Shape>(of: Expr<S>): Expr<S> => {
  const mean: Expr<S> = batchMean(of);
  return { tag: 'binary', op: 'sub', left: of, right: mean };
};

/** The mean squared distance from the mean, element by element; divided by the number of examples, not by one less. */
export const batchVariance = <S extends Shape>(of: Expr<S>): Expr<S> => batchMean(square(centred(of)));

/** [n,m], the covariances of the elements of two vectors; divided by the number of examples. */
export const batchCovariance = <N extends number, M extends number>(
  a: Expr<readonly [N]>,
  b: Expr<readonly [M]>,
): Expr<readonly [N, M]> => ({
  tag: 'batchMean',
  of: { tag: 'contract', subscripts: 'i,j->ij', left: centred(a), right: centred(b) },
});

/**
 * The same expression of another example of the batch: `by` places further on, around its end. Batches are drawn in an order that the
 * seed fixes, so this is a seeded pairing in which no example meets itself while `by` is less than the batch.
 */
export const another = <S extends Shape>(of: Expr<S>, by = 1): Expr<S> => ({ tag: 'another', of, by });
