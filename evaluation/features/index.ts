/** Feature maps: what scores look at. */
export * from './classifier.js';
export * from './feature-map.js';
export * from './graph.js';
export * from './open.js';
export * from './pixels.js';
export * from './raw.js';
export * from './resize.js';
