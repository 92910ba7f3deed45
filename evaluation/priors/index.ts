/** Priors over codes. */
export * from './gaussian.js';
export * from './mixture.js';
export * from './mixture-fit.js';
