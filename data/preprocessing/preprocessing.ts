/**
 * What makes examples of rows as they were read, x ↦ (x − offset) / unit with categories as one-hot vectors: fitted on the training
 * part, kept with a model, applied to the rows of a later day. A value: nothing in it but names and numbers in double precision.
 */
import { float64At, floatAt, int32At, type Floats } from '../../dsl/lookup.js';

/** A column of a table: one element of an example, or as many as there are categories, of which one is 1 and the others 0. */
export type Column =
  | { readonly tag: 'number'; readonly name: string }
  | { readonly tag: 'category'; readonly name: string; readonly categories: readonly string[] };

/** What becomes of a missing value: a problem, an example less, or a 0 with a 0 in the field `mask`. */
export type Missing = 'refuse' | 'drop' | 'mask';

/** What becomes 0 and what becomes 1, such as bytes from 0 to 255. */
export type Range = { readonly least: number; readonly most: number };

/** x ↦ (x − mean) / deviation for each element of an example, after the range. */
export type Scaling = { readonly mean: readonly number[]; readonly deviation: readonly number[] };

/** How a picture becomes pixels; 0 for no crop and no resizing. */
export type PictureForm = {
  /** Side of the square that is cut from the centre. */
  readonly crop: number;
  /** Side of the square that it is resized to. */
  readonly size: number;
  /** 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Red, green and blue in 0 … 255, which shows through where a picture is transparent and alpha is not kept. */
  readonly background: readonly [number, number, number];
};

/** The classes of a field by their number. */
export type Label = { readonly field: string; readonly classes: readonly string[] };

export type Preprocessing = {
  /** Of one example. */
  readonly shape: readonly number[];
  /** Of a table, in the order of the elements; those of a table without a header are called 1, 2, 3. */
  readonly columns: readonly Column[] | undefined;
  readonly pictures: PictureForm | undefined;
  readonly missing: Missing;
  readonly range: Range | undefined;
  readonly scaling: Scaling | undefined;
  readonly labels: readonly Label[];
};

/** Examples as they were read. */
export const plainPreprocessing = (shape: readonly number[]): Preprocessing => ({
  shape,
  columns: undefined,
  pictures: undefined,
  missing: 'refuse',
  range: undefined,
  scaling: undefined,
  labels: [],
});

/** How many elements of an example a column becomes. */
export const columnWidth = (column: Column): number =>
  column.tag === 'number' ? 1 : column.categories.length;

/** Where each element of an example comes from. */
export type Elements = {
  /** Numbers in a row as it is read: a category is its number among the categories, a missing value NaN. */
  readonly rawWidth: number;
  /** The place in the row of each element, [size]. */
  readonly from: Int32Array;
  /** The category that an element stands for, −1 for one that is a number, [size]. */
  readonly category: Int32Array;
  /** What becomes 0, in the data's own units, [size]. */
  readonly offset: Float64Array;
  /** What one unit of an element is in the data's own units, [size]: the diagonal of S in ½ log det (SJ)ᵀ(SJ). */
  readonly unit: Float64Array;
};

const places = (columns: readonly Column[]) =>
  columns.flatMap((column, place) =>
    column.tag === 'number'
      ? [{ place, category: -1 }]
      : column.categories.map((_, category) => ({ place, category })),
  );

export const elementsOf = ({ shape, columns, range, scaling }: Preprocessing): Elements => {
  const size = shape.reduce((product, one) => product * one, 1);
  const of = columns === undefined ? undefined : places(columns);
  const category = Int32Array.from({ length: size }, (_, i) => of?.[i]?.category ?? -1);
  const { least, most } = range ?? { least: 0, most: 1 };
  const isNumber = (i: number): boolean => int32At(category, i) < 0;
  return {
    rawWidth: columns?.length ?? size,
    from: Int32Array.from({ length: size }, (_, i) => of?.[i]?.place ?? i),
    category,
    offset: Float64Array.from({ length: size }, (_, i) =>
      isNumber(i) ? least + (scaling?.mean[i] ?? 0) * (most - least) : 0,
    ),
    unit: Float64Array.from({ length: size }, (_, i) =>
      isNumber(i) ? (scaling?.deviation[i] ?? 1) * (most - least) : 1,
    ),
  };
};

/** Numbers as they are read become the elements of examples: `raw` [n, raw width] → `into` [n, size]. A missing value becomes 0. */
export const applyTo = (elements: Elements, raw: Floats, into: Floats): void => {
  const { rawWidth, from, category, offset, unit } = elements;
  const size = from.length;
  const rows = into.length / size;
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < size; i++) {
      const value = floatAt(raw, row * rawWidth + int32At(from, i));
      into[row * size + i] = Number.isNaN(value)
        ? 0
        : int32At(category, i) < 0
          ? (value - float64At(offset, i)) / float64At(unit, i)
          : value === category[i]
            ? 1
            : 0;
    }
};

/** Elements of examples [n, size] in the data's own units, [n, raw width]; the greatest element of a category's is the one that it is. */
export const invertFrom = (elements: Elements, examples: Floats): Float64Array => {
  const { rawWidth, from, category, offset, unit } = elements;
  const size = from.length;
  const rows = examples.length / size;
  const raw = new Float64Array(rows * rawWidth);
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let i = 0; i < size; i++) {
      const value = floatAt(examples, row * size + i);
      const at = row * rawWidth + int32At(from, i);
      if (int32At(category, i) < 0) raw[at] = value * float64At(unit, i) + float64At(offset, i);
      else if (category[i] === 0 || value > best) {
        best = value;
        raw[at] = int32At(category, i);
      }
    }
  }
  return raw;
};

/** Numbers in the data's own units, [n, raw width], as examples [n, size]. */
export const applyValues = (preprocessing: Preprocessing, raw: ArrayLike<number>): Float32Array => {
  const elements = elementsOf(preprocessing);
  const examples = new Float32Array((raw.length / elements.rawWidth) * elements.from.length);
  applyTo(elements, Float64Array.from(raw), examples);
  return examples;
};

/** Examples [n, size] as numbers in the data's own units, [n, raw width]. */
export const invertValues = (preprocessing: Preprocessing, examples: ArrayLike<number>): Float64Array =>
  invertFrom(elementsOf(preprocessing), Float64Array.from(examples));
