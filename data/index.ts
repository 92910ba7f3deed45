/**
 * Data: readers for real formats, generators with known manifolds, preprocessing as a value, and batches. A leaf: nothing here knows of
 * programs, backends or runs.
 */
export {
  type Batches,
  type EvaluationBatch,
  evaluationBatches,
  trainingBatches,
  type Uniforms,
} from './batches.js';
export {
  type Dataset,
  type Floats,
  inMemory,
  labelsOf,
  partsOf,
  read,
  select,
  type Source,
  split,
  type Split,
  type Stored,
} from './dataset.js';
export { describeData, type Description, type FieldDescription } from './describe.js';
export { digestOf } from './digest.js';
export { type Field, type Fields, integerField, selectFields } from './field.js';
export { fingerprintOf } from './fingerprint.js';
export { loadData } from './load.js';
export { circle } from './manifolds/circle.js';
export { generate, generateSplit } from './manifolds/generate.js';
export { generators } from './manifolds/index.js';
export { linear } from './manifolds/linear.js';
export {
  distance,
  expectation,
  logDensity,
  logVolume,
  logVolumeOf,
  type Manifold,
  optimalNll,
} from './manifolds/manifold.js';
export { sine } from './manifolds/sine.js';
export { sphere } from './manifolds/sphere.js';
export { sprites } from './manifolds/sprites.js';
export { swissRoll } from './manifolds/swiss-roll.js';
export { torus } from './manifolds/torus.js';
export type { OpenOptions } from './options.js';
export { decodePreprocessing, encodePreprocessing } from './preprocessing/codec.js';
export { fitPreprocessing } from './preprocessing/fit.js';
export {
  applyValues,
  type Column,
  elementsOf,
  invertValues,
  type Label,
  type Missing,
  type PictureForm,
  plainPreprocessing,
  type Preprocessing,
  type Scaling,
} from './preprocessing/preprocessing.js';
export { type AppliedRows, applyRows, type Cell, invertRows, type Row } from './preprocessing/rows.js';
export { applySplit, preprocessed, preprocessSplit } from './preprocessing/source.js';
export { readCifar } from './readers/cifar.js';
export { type Images, readImages, readLabels } from './readers/idx.js';
export { decodeNpy, type NpyArray, type NpyExamples, openNpy } from './readers/npy.js';
export { type Picture, readPicture } from './readers/picture.js';
export { nameOf, openData, pathOf, type RawData, readRaw } from './source.js';
export { type ValidationOptions, withValidation } from './validation.js';
export { encodeCsv } from './writers/csv.js';
export { encodeNpy } from './writers/npy.js';
