/** How a parameter starts: a distribution over its values, a function of (seed, path) only. */
import { atLeast } from '../lookup.js';
import { type Shape, sizeOf } from '../shape.js';

/** How many inputs feed an output and how many outputs an input feeds. */
export type Fans = { readonly fanIn: number; readonly fanOut: number };

/**
 * The fans of a dense kernel [in, out] or a convolution's [height, width, in, out]; of a vector or a scalar its size both ways. The kernel of a
 * transposed convolution, [height, width, out, in], has them swapped.
 */
export const kernelFans = (shape: Shape): Fans => {
  if (shape.length < 2) return { fanIn: sizeOf(shape), fanOut: sizeOf(shape) };
  const field = sizeOf(shape.slice(0, -2));
  const [inputs, outputs] = atLeast(2, shape.slice(-2));
  return { fanIn: field * inputs, fanOut: field * outputs };
};

export type Initializer =
  | { readonly tag: 'zeros' }
  | { readonly tag: 'ones' }
  | { readonly tag: 'constant'; readonly value: number }
  /** N(0, stddev²). */
  | { readonly tag: 'normal'; readonly stddev: number }
  /** U(−limit, limit). */
  | { readonly tag: 'uniform'; readonly limit: number }
  /** U(±√(6 / (fan in + fan out))), Glorot and Bengio 2010. */
  | { readonly tag: 'glorotUniform' }
  /** N(0, 2 / fan in), He et al. 2015. */
  | { readonly tag: 'heNormal' }
  /** Rows or columns orthonormal, whichever are fewer; Saxe et al. 2014. */
  | { readonly tag: 'orthogonal' };

/** 0 everywhere. */
export const zeros: Initializer = { tag: 'zeros' };
/** 1 everywhere. */
export const ones: Initializer = { tag: 'ones' };
/** Uniform on ±√(6 / (fan in + fan out)) (Glorot and Bengio 2010). */
export const glorotUniform: Initializer = { tag: 'glorotUniform' };
/** Normal with deviation √(2 / fan in) (He et al. 2015). */
export const heNormal: Initializer = { tag: 'heNormal' };
/** Orthonormal rows or columns, whichever are fewer, of the array as a matrix [all but the last axis, last axis] (Saxe et al. 2014). */
export const orthogonal: Initializer = { tag: 'orthogonal' };
/** One value everywhere. */
export const constantInitializer = (value: number): Initializer => ({ tag: 'constant', value });
/** Normal with mean 0 and that deviation. */
export const normalInitializer = (stddev: number): Initializer => ({ tag: 'normal', stddev });
/** Uniform on ±limit. */
export const uniformInitializer = (limit: number): Initializer => ({ tag: 'uniform', limit });
