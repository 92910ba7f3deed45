/** Data: readers for real formats, generators with known manifolds, and batches. */
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
export { digestOf } from './digest.js';
export { type Field, type Fields, integerField, LABEL, MASK, selectFields } from './field.js';
export { fingerprintOf } from './fingerprint.js';
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
  type Vector,
} from './manifolds/manifold.js';
export { sine } from './manifolds/sine.js';
export { sphere } from './manifolds/sphere.js';
export { sprites } from './manifolds/sprites.js';
export { swissRoll } from './manifolds/swiss-roll.js';
export { torus } from './manifolds/torus.js';
export { decodePreprocessing, encodePreprocessing, preprocessingCodec } from './preprocessing/codec.js';
export { fitPreprocessing } from './preprocessing/fit.js';
export {
  applyValues,
  type Column,
  type Elements,
  elementsOf,
  invertValues,
  type Label,
  type Missing,
  type PictureForm,
  plainPreprocessing,
  type Preprocessing,
  type Range,
  type Scaling,
} from './preprocessing/preprocessing.js';
export { type AppliedRows, applyRows, type Cell, invertRows, type Row } from './preprocessing/rows.js';
export { preprocessed, preprocessSplit } from './preprocessing/source.js';
export { decodeCifar, openCifar } from './readers/cifar.js';
export { decodeCsv, openCsv } from './readers/csv.js';
export { decodeImages, decodeLabels, type Images, readImages, readLabels } from './readers/idx.js';
export { decodeNpy, type NpyArray, openNpy } from './readers/npy.js';
export { type Picture, type PictureOptions, readPicture } from './readers/picture.js';
export { loadData, openData, pathOf } from './source.js';
export { type ValidationOptions, withValidation } from './validation.js';
