/** Full-covariance Gaussians over codes, z = m + Lε with LLᵀ = S and ε from N(0, I): the standard prior, and the post-fit prior of an autoencoder. */
import { float32At, float64At, floatAt, type Floats } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { type Problem, problem } from '../../dsl/index.js';
import { fillDraw } from '../../backends/draws.js';
import type { Prior } from '../../runs/index.js';
import { floored, momentsOf } from './moments.js';
import { squaredLength, triangularInverse } from './triangular.js';

/** A distribution over codes of `size` numbers. */
export type CodePrior = {
  readonly size: number;
  /** Row-major [count, size]; a smaller sample with the same seed is the start of a larger one. */
  readonly sample: Prior;
  /** ln p(z) in nats for each of the codes [n, size]. */
  readonly logDensity: (codes: Floats) => Float64Array;
};

type Moments = {
  readonly mean: Float64Array;
  /** Lower triangular L with LLᵀ = covariance. */
  readonly factor: Matrix;
};

export type Gaussian = CodePrior &
  Moments & {
    /** size × size, the floor included. */
    readonly covariance: Matrix;
  };

/** No direction's variance is fitted below this part of the mean variance: enough to factor a covariance of lower rank. */
const FLOOR = 1e-6;

/** ln √(2π) */
const HALF_LOG_2_PI = 0.9189385332046728;

/** −½ d ln 2π − ln det L, the logarithm of the density at the mean. */
export const logDensityAtMean = (factor: Matrix): number =>
  factor.diagonal().reduce((sum, length) => sum - Math.log(length), -factor.rows * HALF_LOG_2_PI);

/** ε [count, d] from N(0, I). */
export const noise = (count: number, d: number, seed: number): Float32Array => {
  const values = new Float32Array(count * d);
  fillDraw('normal', { examples: count, probes: 1, size: d }, { seed, name: 'gaussian', step: 0 }, values);
  return values;
};

/** Makes m + Lε of a row of ε, from its end, since an element needs those before it. */
export const colour = ({ mean, factor }: Moments, rows: Float32Array, row: number): void => {
  const at = row * mean.length;
  for (let i = mean.length - 1; i >= 0; i--) {
    let value = float64At(mean, i);
    for (let j = 0; j <= i; j++) value += factor.get(i, j) * float32At(rows, at + j);
    rows[at + i] = value;
  }
};

const densityOf = ({ mean, factor }: Moments): CodePrior['logDensity'] => {
  const d = mean.length;
  const inverse = triangularInverse(factor);
  const peak = logDensityAtMean(factor);
  return (codes) => {
    const centred = new Float64Array(inverse.stride);
    return Float64Array.from({ length: codes.length / d }, (_, row) => {
      for (let i = 0; i < d; i++) centred[i] = floatAt(codes, row * d + i) - float64At(mean, i);
      return peak - squaredLength(inverse, centred, Infinity) / 2;
    });
  };
};

/** N(mean, LLᵀ) for a lower triangular L with a positive diagonal. */
export const gaussianOf = (mean: Float64Array, factor: Matrix): Gaussian => ({
  size: mean.length,
  mean,
  factor,
  covariance: factor.mmul(factor.transpose()),
  sample: (count, seed) => {
    const codes = noise(count, mean.length, seed);
    for (let row = 0; row < count; row++) colour({ mean, factor }, codes, row);
    return codes;
  },
  logDensity: densityOf({ mean, factor }),
});

/** N(0, I). */
export const standardGaussian = (d: number): Gaussian => gaussianOf(new Float64Array(d), Matrix.eye(d, d));

/** Codes [n, d] that anything can be fitted to. */
export const checkCodes = (codes: Float32Array, d: number): Either<readonly Problem[], Float32Array> => {
  const wanted = `finite codes of ${d} numbers each`;
  if (codes.length === 0) return left([problem('codes', 'none', wanted)]);
  if (codes.length % d !== 0) return left([problem('codes', `${codes.length} numbers`, wanted)]);
  const bad = codes.findIndex((value) => !Number.isFinite(value));
  return bad < 0
    ? right(codes)
    : left([problem(`codes[${Math.floor(bad / d)}]`, String(codes[bad]), wanted)]);
};

/** The Gaussian of greatest likelihood for codes [n, d], n ≥ 1. */
export const fitGaussian = (codes: Float32Array, d: number): Either<readonly Problem[], Gaussian> => {
  const checked = checkCodes(codes, d);
  if (isLeft(checked)) return checked;
  const { mean, covariance } = momentsOf(codes, d);
  // Float32 codes of no variance at all still have the resolution of their values.
  const resolution = 2 ** -48 * mean.reduce((most, value) => Math.max(most, value ** 2), 2 ** -48);
  const floor = FLOOR * (covariance.trace() / d) + resolution;
  const decomposition = new CholeskyDecomposition(floored(covariance, floor));
  return decomposition.isPositiveDefinite()
    ? right(gaussianOf(mean, decomposition.lowerTriangularMatrix))
    : left([problem('codes', 'a covariance that cannot be factored', 'codes of moderate size')]);
};
