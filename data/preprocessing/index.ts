/** From rows as they were read to examples and back: a value that is fitted once and kept. Nothing here opens a file. */
export * from './codec.js';
export * from './fit.js';
export * from './preprocessing.js';
export * from './rows.js';
export * from './source.js';
