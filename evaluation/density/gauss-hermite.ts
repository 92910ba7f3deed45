/**
 * Gauss–Hermite quadrature of ∫ f(ξ) N(ξ; 0, I) dξ: n nodes a dimension, exact for polynomials of degree 2n − 1 in each. Nodes and
 * weights are eigenvalues and eigenvectors of the recurrence of Hermite's polynomials (Golub and Welsch, 1969).
 */
import { CholeskyDecomposition, inverse, Matrix } from 'ml-matrix';
import { eigen } from '../priors/moments.js';
import type { Mode } from './latent-mode.js';

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

/** Codes around a mode at which the integrand is taken, row after row, and ln of what each counts with. */
export const framed = (mode: Mode, nodes: readonly Node[]) => {
  const d = mode.at.length;
  const factor = new CholeskyDecomposition(mode.hessian).lowerTriangularMatrix;
  const spread = inverse(factor).transpose();
  const logDet = factor.diagonal().reduce((sum, x) => sum + Math.log(x), 0);
  const codes = nodes.flatMap(({ at }) =>
    Array.from(mode.at, (z, i) => Math.fround(z + at.reduce((sum, xi, j) => sum + spread.get(i, j) * xi, 0))),
  );
  const logs = nodes.map(
    ({ at, logWeight }) =>
      logWeight + at.reduce((sum, xi) => sum + (xi * xi) / 2, 0) + (d / 2) * Math.log(2 * Math.PI) - logDet,
  );
  return { codes, logs, spread };
};

const logSumExp = (logs: readonly number[]): number => {
  const most = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  return most === -Infinity
    ? most
    : most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
};

/** What a share of the integral comes to: its logarithm, and the mean squared residual over it. */
export type Share = { readonly log: number; readonly square: number };

export const together = (shares: readonly Share[]): Share => {
  const log = logSumExp(shares.map((share) => share.log));
  const square = shares.reduce(
    (sum, share) => sum + (share.log === -Infinity ? 0 : Math.exp(share.log - log) * share.square),
    0,
  );
  return { log, square };
};
