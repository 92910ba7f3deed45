/** The language: everything a model specification is written with. */
export * from './draw.js';
export * from './experiment.js';
export * from './expr.js';
export * from './initializer.js';
export * from './layer.js';
export * from './network.js';
export * from './optimizer.js';
export * from './problem.js';
export * from './schedule.js';
export * from './shape.js';
