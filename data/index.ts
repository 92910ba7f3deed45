/**
 * Data: readers for real formats, generators with known manifolds, preprocessing as a value, and batches. A leaf: nothing here knows of
 * programs, backends or runs.
 */
export * from './batches.js';
export * from './dataset.js';
export * from './describe.js';
export * from './digest.js';
export * from './field.js';
export * from './fingerprint.js';
export * from './manifolds/generate.js';
export * from './manifolds/index.js';
export * from './manifolds/manifold.js';
export type { OpenOptions } from './options.js';
export * from './preprocessing/index.js';
export * from './readers/cifar.js';
export * from './readers/idx.js';
export * from './readers/npy.js';
export * from './readers/picture.js';
export * from './source.js';
export * from './validation.js';
export * from './writers/csv.js';
export * from './writers/npy.js';
