/** Specifications as data: JSON to values and back, and the same checks for values built in TypeScript. */
export { checkExperiment, decodeExperiment, encodeExperiment, SCHEMA_VERSION } from './experiment.js';
export { initializerCodec } from './initializer.js';
export { languageOf } from './language.js';
export { createNetworkCodec } from './network.js';
export { optimizerCodec } from './optimizer.js';
export { exampleShapeCodec, offsetsCodec, shapeCodec } from './shape.js';
