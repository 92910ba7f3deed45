/** Examples of one shape, held in memory row after row. */
import { sizeOf } from '../dsl/shape.js';

export type Dataset = {
  readonly name: string;
  /** Of one example. */
  readonly shape: readonly number[];
  readonly size: number;
  /** Row-major [size, …shape]. */
  readonly examples: Float32Array;
  /** One class for each example. */
  readonly labels?: Uint8Array;
};

export type Split = { readonly train: Dataset; readonly test: Dataset };

/** The examples at the given rows, in their order; every row must be below the dataset's size. */
export const select = (dataset: Dataset, name: string, rows: readonly number[]): Dataset => {
  const width = sizeOf(dataset.shape);
  const examples = new Float32Array(rows.length * width);
  rows.forEach((row, i) =>
    examples.set(dataset.examples.subarray(row * width, (row + 1) * width), i * width),
  );
  const { labels } = dataset;
  return {
    name,
    shape: dataset.shape,
    size: rows.length,
    examples,
    ...(labels === undefined ? {} : { labels: Uint8Array.from(rows, (row) => labels[row]) }),
  };
};

/** Holds out every n-th example for testing, counted so that the first n−1 are trained on: ⌊size / n⌋ test examples. */
export const split = (dataset: Dataset, every: number): Split => {
  const rows = Array.from({ length: dataset.size }, (_, row) => row);
  const held = (row: number): boolean => row % every === every - 1;
  return {
    train: select(
      dataset,
      `${dataset.name} (train)`,
      rows.filter((row) => !held(row)),
    ),
    test: select(dataset, `${dataset.name} (test)`, rows.filter(held)),
  };
};
