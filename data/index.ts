/** Data: readers for real formats, generators with known manifolds, and batches. */
export * from './batches.js';
export * from './cifar.js';
export * from './csv.js';
export * from './dataset.js';
export * from './digest.js';
export * from './field.js';
export * from './fingerprint.js';
export * from './generate.js';
export * from './idx.js';
export * from './manifold.js';
export * from './manifolds/index.js';
export * from './npy.js';
export * from './picture.js';
export * from './preprocessing/index.js';
export * from './source.js';
export * from './validation.js';
