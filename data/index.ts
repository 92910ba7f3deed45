/** Data: readers for real formats, and batches. */
export * from './batches.js';
export * from './dataset.js';
export * from './idx.js';
export * from './source.js';
