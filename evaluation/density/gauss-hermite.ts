/**
 * Gauss–Hermite quadrature of ∫ f(ξ) N(ξ; 0, I) dξ: n nodes a dimension, exact for polynomials of degree 2n − 1 in each. Nodes and
 * weights are eigenvalues and eigenvectors of the recurrence of Hermite's polynomials (Golub and Welsch, 1969).
 */
import { Matrix } from 'ml-matrix';
import { eigen } from '../priors/moments.js';

/** A node of some dimensions and the logarithm of its weight. Weights sum to 1. */
export type Node = { readonly at: readonly number[]; readonly logWeight: number };

const inOneDimension = (order: number): readonly { readonly at: number; readonly logWeight: number }[] => {
  const recurrence = Matrix.zeros(order, order);
  for (let i = 1; i < order; i++) {
    recurrence.set(i, i - 1, Math.sqrt(i));
    recurrence.set(i - 1, i, Math.sqrt(i));
  }
  const { values, vectors } = eigen(recurrence);
  return values
    .map((at, k) => ({ at, logWeight: 2 * Math.log(Math.abs(vectors.get(0, k))) }))
    .sort((a, b) => a.at - b.at);
};

/** All orderⁿ nodes of n dimensions. */
export const gaussHermite = (order: number, dimensions: number): readonly Node[] => {
  const line = inOneDimension(order);
  return Array.from({ length: dimensions }).reduce<readonly Node[]>(
    (nodes) =>
      nodes.flatMap(({ at, logWeight }) =>
        line.map((next) => ({ at: [...at, next.at], logWeight: logWeight + next.logWeight })),
      ),
    [{ at: [], logWeight: 0 }],
  );
};
