/** Between a model's units and those of the data: examples of rows and numbers, and the way back. */
import { isLeft } from 'fp-ts/lib/Either.js';
import {
  applyRows,
  applyValues,
  elementsOf,
  invertValues,
  plainPreprocessing,
  type Preprocessing,
  preprocessed,
  type Row,
  type Source,
} from '../../data/index.js';
import { problem, sameShape, type Shape, showShape, sizeOf } from '../../dsl/index.js';
import { BackendFailure } from '../../backends/failure.js';
import type { ModelInput, Units } from './model.js';

export const isRows = (input: ModelInput): input is readonly Row[] => Array.isArray(input);

/** Rows are in the data's units unless it is said otherwise, numbers and sets in the model's. */
export const unitsOf = (input: ModelInput, units: Units | undefined): Units =>
  units ?? (isRows(input) ? 'data' : 'model');

/** The preprocessing of examples of this shape; none for the model's own units. */
const preprocessingFor = (
  preprocessing: Preprocessing | undefined,
  shape: Shape,
  units: Units,
): Preprocessing => {
  if (units === 'model' || preprocessing === undefined) return plainPreprocessing(shape);
  if (sameShape(preprocessing.shape, shape)) return preprocessing;
  const found = `the data's, whose examples are of shape ${showShape(preprocessing.shape)}`;
  throw new BackendFailure(
    problem('units', found, `those of examples of shape ${showShape(shape)}`, 'use units: "model"'),
  );
};

/** Any input as examples in the model's units. */
export const examplesOf = (
  input: ModelInput,
  {
    units,
    preprocessing,
    shape,
  }: {
    readonly units: Units;
    readonly preprocessing: Preprocessing | undefined;
    readonly shape: Shape;
  },
): Float32Array | Source => {
  if (!isRows(input) && units === 'model') return input;
  const by = preprocessingFor(preprocessing, shape, units);
  if (isRows(input)) {
    const applied = applyRows(by, input);
    if (isLeft(applied)) throw new BackendFailure(applied.left[0] ?? problem('rows', 'nothing', 'rows'));
    return applied.right.examples;
  }
  if (!(input instanceof Float32Array)) return preprocessed(by, input);
  const { rawWidth } = elementsOf(by);
  if (input.length % rawWidth === 0) return applyValues(by, input);
  const expected = `a multiple of ${rawWidth}, the numbers of a row`;
  throw new BackendFailure(problem('examples', `${input.length} numbers`, expected));
};

/** Examples [n, …shape] in the data's units, [n, numbers of a row]. */
export const inDataUnits = (
  examples: Float32Array,
  preprocessing: Preprocessing | undefined,
  shape: Shape,
): Float64Array => invertValues(preprocessingFor(preprocessing, shape, 'data'), examples);

/** What one unit of each element is in the data's units, [size]: the diagonal of S. */
export const unitLengths = (preprocessing: Preprocessing | undefined, shape: Shape): Float64Array =>
  preprocessing === undefined
    ? new Float64Array(sizeOf(shape)).fill(1)
    : elementsOf(preprocessingFor(preprocessing, shape, 'data')).unit;
