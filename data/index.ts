/** Data: readers for real formats, generators with known manifolds, and batches. */
export * from './batches.js';
export * from './readers/cifar.js';
export * from './readers/csv.js';
export * from './dataset.js';
export * from './digest.js';
export * from './field.js';
export * from './fingerprint.js';
export * from './manifolds/generate.js';
export * from './readers/idx.js';
export * from './manifolds/manifold.js';
export * from './manifolds/index.js';
export * from './readers/npy.js';
export * from './readers/picture.js';
export * from './preprocessing/index.js';
export * from './source.js';
export * from './validation.js';
