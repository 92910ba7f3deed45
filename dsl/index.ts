/** The language: everything a model specification is written with, its JSON form and its formulas. */
export * from './codec/index.js';
export * from './draw.js';
export * from './experiment.js';
export * from './expr.js';
export * from './format.js';
export * from './initializer.js';
export * from './layer.js';
export * from './names.js';
export * from './network.js';
export * from './optimizer.js';
export * from './path.js';
export * from './problem.js';
export * from './rewrite.js';
export * from './schedule.js';
export * from './settings.js';
export * from './shape.js';
export * from './spectral.js';
export { flow, pipe } from 'fp-ts/lib/function.js';
