/** Metrics of samples. */
export * from './across-seeds.js';
export * from './frechet.js';
export * from './metric.js';
export * from './mmd.js';
export * from './precision.js';
export * from './reconstruction.js';
export * from './score.js';
export * from './sliced-wasserstein.js';
