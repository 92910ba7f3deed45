/** How a parameter starts: a distribution over its values, a function of (seed, path) only. */

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
