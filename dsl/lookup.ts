/**
 * Looking up what must be there. An index or key that finds nothing is a fault of the program and of nobody's input, so it throws and
 * says what was looked up; it never goes on with `undefined`.
 */

/** Never returns: what should hold and does not, named as a fault of the program. */
export const internalError = (what: string): never => {
  throw new Error(`internal error: ${what}`);
};

const missing = (values: { readonly length: number }, index: number): never =>
  internalError(`element ${index} was asked of ${values.length}`);

/** The element at an index that is known to be in range. */
export const elementAt = <T>(
  values: { readonly [index: number]: T; readonly length: number },
  index: number,
): T => {
  const value = values[index];
  return value === undefined ? missing(values, index) : value;
};

/** The last element of an array that is known not to be empty. */
export const last = <T>(values: readonly T[]): T => elementAt(values, values.length - 1);

/** What a record holds under a key that is known to be there. */
export const entryOf = <T>(record: Readonly<Record<string, T>>, key: string): T => {
  const value = record[key];
  return value === undefined
    ? internalError(`"${key}" was asked of ${Object.keys(record).join(', ') || 'an empty record'}`)
    : value;
};

/** Arrays of at least so many elements. */
export type AtLeast<T> = {
  readonly 1: readonly [T, ...(readonly T[])];
  readonly 2: readonly [T, T, ...(readonly T[])];
  readonly 3: readonly [T, T, T, ...(readonly T[])];
  readonly 4: readonly [T, T, T, T, ...(readonly T[])];
  readonly 5: readonly [T, T, T, T, T, ...(readonly T[])];
};

const hasAtLeast = <T, N extends keyof AtLeast<T>>(count: N, values: readonly T[]): values is AtLeast<T>[N] =>
  values.length >= count;

/** An array that is known to hold so many elements, so that they can be named: `const [n, m] = atLeast(2, shape)`. */
export const atLeast = <T, N extends keyof AtLeast<T>>(count: N, values: readonly T[]): AtLeast<T>[N] =>
  hasAtLeast(count, values) ? values : internalError(`${count} elements were asked of ${values.length}`);

// One reader for each kind of array: a read that sees one kind is as fast as `values[index]`, one that sees all is eight times slower.

export const float64At = (values: Float64Array, index: number): number => {
  const value = values[index];
  return value === undefined ? missing(values, index) : value;
};

export const float32At = (values: Float32Array, index: number): number => {
  const value = values[index];
  return value === undefined ? missing(values, index) : value;
};

/** Numbers in either precision. */
export type Floats = Float32Array | Float64Array;

export const floatAt = (values: Floats, index: number): number => {
  const value = values[index];
  return value === undefined ? missing(values, index) : value;
};

export const int32At = (values: Int32Array, index: number): number => {
  const value = values[index];
  return value === undefined ? missing(values, index) : value;
};

export const uint32At = (values: Uint32Array, index: number): number => {
  const value = values[index];
  return value === undefined ? missing(values, index) : value;
};

export const uint8At = (values: Uint8Array, index: number): number => {
  const value = values[index];
  return value === undefined ? missing(values, index) : value;
};
