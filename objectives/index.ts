/** The named objectives, each a short composed specification. */
export * from './autoencoder.js';
export * from './injflow.js';
