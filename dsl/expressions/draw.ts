/** Random inputs of a program: filled on the host from a counter-based key, the same on every backend. */
import type { Known, Shape } from '../shape.js';

export type DistributionName = 'normal' | 'sphere' | 'rademacher' | 'uniform' | 'orthonormal';

/** A distribution over arrays of one shape (one probe of one example). */
export type Distribution<S extends Shape = Shape> = {
  readonly tag: DistributionName;
  readonly shape: Shape;
  readonly _shape?: Known<S> | undefined;
};

const distribution =
  (tag: DistributionName) =>
  <const S extends Shape>(...shape: S): Distribution<S> => ({ tag, shape });

/** N(0, I). As a probe: E vvᵀ = I, |v|² = d only on average. */
export const normal = distribution('normal');

/** Uniform on the sphere |v|² = d, so E vvᵀ = I and every bound of the chain holds in expectation. */
export const sphere = distribution('sphere');

/** ±1 with equal probability: E vvᵀ = I and |v|² = d. */
export const rademacher = distribution('rademacher');

/** U[0, 1). */
export const uniform = distribution('uniform');

/** k ≤ d orthogonal probes with |v|² = d each, a scaled Haar frame; needs `probes`. */
export const orthonormal = distribution('orthonormal');
