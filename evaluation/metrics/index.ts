/** Metrics of samples. */
export * from './frechet.js';
export * from './metric.js';
