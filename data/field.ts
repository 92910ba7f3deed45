/** Fields: what is known of each example beside the example itself, by name: its class, which of its values are there, its weight. */
import { elementAt } from '../dsl/lookup.js';

export type Field = {
  /** Of one example's value; [] for a number. */
  readonly shape: readonly number[];
  /** What the numbers are, however few bytes they are kept in. */
  readonly type: 'integer' | 'float';
  /** Row-major [size, …shape]. */
  readonly values: Uint8Array | Int32Array | Float32Array;
  /** What the integers 0 … n − 1 stand for, where they are classes with names. */
  readonly classes?: readonly string[];
};

export type Fields = Readonly<Record<string, Field>>;

/** The class of an example, where a set has classes: the first column that was named as one, or the subfolder. */
export const LABEL = 'label';
/** 1 where a value is there and 0 where it is missing, of an example's shape. */
export const MASK = 'mask';

const widthOf = ({ shape }: Field): number => shape.reduce((product, size) => product * size, 1);

/** The values of the given rows, in their order. */
const selected = (field: Field, rows: ArrayLike<number>): Field => {
  const width = widthOf(field);
  const values = field.values.slice(0, 0);
  const chosen =
    values instanceof Uint8Array
      ? new Uint8Array(rows.length * width)
      : values instanceof Int32Array
        ? new Int32Array(rows.length * width)
        : new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const from = elementAt(rows, i) * width;
    chosen.set(field.values.subarray(from, from + width), i * width);
  }
  return { ...field, values: chosen };
};

export const selectFields = (fields: Fields, rows: ArrayLike<number>): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, selected(field, rows)]));

/** One integer for each example: bytes where they suffice. */
export const integerField = (values: ArrayLike<number>, classes?: readonly string[]): Field => {
  let greatest = 0;
  let least = 0;
  for (let i = 0; i < values.length; i++) {
    greatest = Math.max(greatest, elementAt(values, i));
    least = Math.min(least, elementAt(values, i));
  }
  return {
    shape: [],
    type: 'integer',
    values: least >= 0 && greatest < 256 ? Uint8Array.from(values) : Int32Array.from(values),
    ...(classes === undefined ? {} : { classes }),
  };
};
