/** How examples of a model are shown: pictures as pixels from 0 to 1, tables in the data's own units under the names of their columns. */
import {
  type Column,
  elementsOf,
  invertValues,
  plainPreprocessing,
  type Preprocessing,
} from '../../data/index.js';
import { sameShape, type Shape, sizeOf } from '../../dsl/index.js';
import { isPicture } from '../picture.js';

export type View = {
  readonly shape: Shape;
  readonly kind: 'pictures' | 'table' | 'other';
  /** Of a table: its columns, numbered where they have no names. */
  readonly columns: readonly Column[];
  /** Pixels [n, …shape]. */
  readonly pixels: (examples: Float32Array) => Float32Array;
  /** Cells [n, columns]; a category is its number. */
  readonly cells: (examples: Float32Array) => Float64Array;
};

/** Columns that a page has room for. */
const MOST_COLUMNS = 64;

export const viewOf = (preprocessing: Preprocessing | undefined, shape: Shape): View => {
  const known =
    preprocessing !== undefined && sameShape(preprocessing.shape, shape)
      ? preprocessing
      : plainPreprocessing(shape);
  const { rawWidth } = elementsOf(known);
  const columns: readonly Column[] =
    known.columns ?? Array.from({ length: rawWidth }, (_, i) => ({ tag: 'number', name: `x${i + 1}` }));
  const isTable = shape.length === 1 && sizeOf(shape) > 0 && columns.length <= MOST_COLUMNS;
  return {
    shape,
    kind: isPicture(shape) ? 'pictures' : isTable ? 'table' : 'other',
    columns,
    // Pixels are from 0 to 1 whatever the range that they were read in.
    pixels: (examples) => Float32Array.from(invertValues({ ...known, range: undefined }, examples)),
    cells: (examples) => invertValues(known, examples),
  };
};

/** The rows of an array of so many numbers each. */
export const rowsOf = (values: Float32Array, width: number): readonly Float32Array[] =>
  Array.from({ length: Math.floor(values.length / width) }, (_, row) =>
    values.subarray(row * width, (row + 1) * width),
  );

/** Rows one after the other. */
export const joined = (rows: readonly Float32Array[], width: number): Float32Array => {
  const all = new Float32Array(rows.length * width);
  rows.forEach((row, i) => all.set(row, i * width));
  return all;
};
