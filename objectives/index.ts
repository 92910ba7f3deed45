/** The named objectives, each a short composed specification. */
export * from './autoencoder.js';
export * from './upper-bounds.js';
export * from './contractive.js';
export * from './likelihood.js';
export * from './injflow.js';
export * from './jacobian-norm.js';
export * from './lagrangian.js';
export * from './models.js';
export * from './rae.js';
export * from './vae.js';
export * from './rectangular.js';
