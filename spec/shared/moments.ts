/** Sums and means over arrays of numbers, for tests of distributions. */
import { elementAt } from '../../dsl/lookup.js';

export const meanOf = (values: ArrayLike<number>, f: (value: number) => number): number =>
  Array.from(values).reduce((sum, value) => sum + f(value), 0) / values.length;

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * elementAt(b, i), 0);

export const rowsOf = (values: Float32Array, size: number): readonly Float32Array[] =>
  Array.from({ length: values.length / size }, (_, i) => values.subarray(i * size, (i + 1) * size));
