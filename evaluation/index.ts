/** Evaluation: priors fitted after training, and the report page of a run. */
export * from './curve.js';
export * from './expressions.js';
export * from './gaussian.js';
export * from './picture.js';
export * from './report.js';
