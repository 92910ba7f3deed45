/** Evaluation: any expression of a trained model over data, priors fitted after training, metrics of samples, the decoder's geometry, and the report page of a run. */
export * from './geometry/bound-chain.js';
export * from './geometry/collisions.js';
export * from './page/curve.js';
export * from './density/decision-tree.js';
export * from './density/density-fit.js';
export * from './features/index.js';
export * from './geometry/geometry.js';
export * from './geometry/decoder-jacobian.js';
export * from './metrics/index.js';
export * from './measure.js';
export * from './density/out-of-distribution.js';
export * from './picture.js';
export * from './priors/index.js';
export * from './report.js';
export * from './geometry/singular-values.js';
export * from './summary.js';
export * from './geometry/geometry-figures.js';
