/**
 * Specifications as data: JSON to values and back, and the same checks for values built in TypeScript. A codec a kind of value; what a value
 * means is for the compiler.
 */
export { checkExperiment, decodeExperiment, encodeExperiment, SCHEMA_VERSION } from './experiment.js';
