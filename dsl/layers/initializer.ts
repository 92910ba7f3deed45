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

export const zeros: Initializer = { tag: 'zeros' };
export const ones: Initializer = { tag: 'ones' };
export const glorotUniform: Initializer = { tag: 'glorotUniform' };
export const heNormal: Initializer = { tag: 'heNormal' };
export const orthogonal: Initializer = { tag: 'orthogonal' };
export const constantInitializer = (value: number): Initializer => ({ tag: 'constant', value });
export const normalInitializer = (stddev: number): Initializer => ({ tag: 'normal', stddev });
export const uniformInitializer = (limit: number): Initializer => ({ tag: 'uniform', limit });
