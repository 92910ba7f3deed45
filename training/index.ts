/** Training: from an experiment to a fitted model. */
export * from './events.js';
export * from './fit.js';
export * from './session.js';
export * from './state.js';
export * from './train.js';
export type { Backend } from '../runtime/backend.js';
export { backendNames, startBackend } from '../runtime/backends.js';
