/** Evaluation: any expression of a trained model over data, priors fitted after training, metrics of samples, the decoder's geometry, and the report page of a run. */
export * from './bounds.js';
export * from './collisions.js';
export * from './curve.js';
export * from './density.js';
export * from './expressions.js';
export * from './features/index.js';
export * from './geometry.js';
export * from './jacobian.js';
export * from './metrics/index.js';
export * from './measure.js';
export * from './picture.js';
export * from './priors/index.js';
export * from './report.js';
export * from './singular-values.js';
export * from './summary.js';
export * from './table/index.js';
export * from './geometry-figures.js';
