/** A full-covariance Gaussian fitted to codes, the post-fit prior of an autoencoder: z = m + Lε with LLᵀ = S and ε from N(0, I). */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { type Problem, problem } from '../dsl/index.js';
import { fillDraw } from '../runtime/draws.js';
import type { Prior } from '../training/index.js';

export type Gaussian = {
  readonly mean: Float64Array;
  /** d × d, the floor included. */
  readonly covariance: Matrix;
  /** Lower triangular L with LLᵀ = covariance. */
  readonly factor: Matrix;
  readonly sample: Prior;
};

/** What is added to each variance, as a part of their mean: enough to factor a covariance of lower rank. */
const FLOOR = 1e-6;

const meanOf = (codes: Float32Array, d: number): Float64Array => {
  const count = codes.length / d;
  const mean = new Float64Array(d);
  codes.forEach((value, i) => (mean[i % d] += value / count));
  return mean;
};

/** The maximum-likelihood covariance (divided by n), symmetric by construction. */
const covarianceOf = (codes: Float32Array, mean: Float64Array): Matrix => {
  const d = mean.length;
  const count = codes.length / d;
  const covariance = Matrix.zeros(d, d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let row = 0; row < count; row++) {
        sum += (codes[row * d + i] - mean[i]) * (codes[row * d + j] - mean[j]);
      }
      covariance.set(i, j, sum / count);
      covariance.set(j, i, sum / count);
    }
  }
  return covariance;
};

const floored = (covariance: Matrix): Matrix => {
  const d = covariance.rows;
  const floor = FLOOR * (covariance.trace() / d) + Number.MIN_VALUE ** 0.5;
  return Matrix.add(covariance, Matrix.eye(d, d, floor));
};

const sampler =
  (mean: Float64Array, factor: Matrix): Prior =>
  (count, seed) => {
    const d = mean.length;
    const noise = new Float32Array(count * d);
    fillDraw('normal', { examples: count, probes: 1, size: d }, { seed, name: 'gaussian', step: 0 }, noise);
    return Float32Array.from(noise, (_, at) => {
      const i = at % d;
      let value = mean[i];
      for (let j = 0; j <= i; j++) value += factor.get(i, j) * noise[at - i + j];
      return value;
    });
  };

/** Fits to codes, row-major [n, d] with n ≥ 1. */
export const fitGaussian = (codes: Float32Array, d: number): Either<readonly Problem[], Gaussian> => {
  if (codes.length < d || !codes.every(Number.isFinite)) {
    return left([problem('codes', codes.length < d ? 'none' : 'values that are not finite', 'finite codes')]);
  }
  const mean = meanOf(codes, d);
  const covariance = floored(covarianceOf(codes, mean));
  const decomposition = new CholeskyDecomposition(covariance);
  if (!decomposition.isPositiveDefinite()) {
    return left([problem('codes', 'a covariance that cannot be factored', 'a positive definite one')]);
  }
  const factor = decomposition.lowerTriangularMatrix;
  return right({ mean, covariance, factor, sample: sampler(mean, factor) });
};
