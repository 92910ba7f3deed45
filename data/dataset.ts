/** Examples of one shape: in memory row after row, or stored elsewhere and read by row. */
import { elementAt, float64At } from '../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../dsl/problem.js';
import { sizeOf } from '../dsl/shape.js';
import { type Fields, LABEL, selectFields } from './field.js';
import type { Manifold } from './manifolds/manifold.js';
import type { Preprocessing } from './preprocessing/preprocessing.js';

/** Numbers of either precision. */
export type Floats = Float32Array | Float64Array;

type About = {
  readonly name: string;
  /** Of one example. */
  readonly shape: readonly number[];
  readonly size: number;
  /** What is known of each example beside itself, by name. */
  readonly fields?: Fields;
  /** What the examples were made from, row-major [size, d]; only generators know. */
  readonly latents?: Float64Array;
};

/** Examples in memory. */
export type Dataset = About & {
  /** Row-major [size, …shape]. */
  readonly examples: Float32Array;
};

/** Examples that stay where they are until they are asked for: bytes, a file, a folder of pictures. */
export type Stored = About & {
  /** Writes the examples at the given rows into `into`, row-major [rows, …shape]; every row must be below the size. */
  readonly read: (rows: ArrayLike<number>, into: Floats) => TaskEither<readonly Problem[], void>;
};

/** Examples by row, wherever they are. */
export type Source = Dataset | Stored;

export type Split<S extends Source = Dataset> = {
  readonly train: S;
  readonly test: S;
  /** Held out of training to choose among models. */
  readonly validation?: S;
  /** What generated examples lie on. */
  readonly manifold?: Manifold;
  /** How the examples were made of what was read; absent where they are what was read. */
  readonly preprocessing?: Preprocessing;
};

/** Every part of a split under its name. */
export const partsOf = <S extends Source>({ train, validation, test }: Split<S>): readonly S[] =>
  validation === undefined ? [train, test] : [train, validation, test];

/** The class of each example, [size], where the set has classes. */
export const labelsOf = ({ fields }: Source): ArrayLike<number> | undefined => fields?.[LABEL]?.values;

const isInMemory = (source: Source): source is Dataset => 'examples' in source;

/** Copies the examples at the given rows into `into`, row-major [rows, …shape]; every row must be below the dataset's size. */
export const gather = (dataset: Dataset, rows: ArrayLike<number>, into: Floats): void => {
  const width = sizeOf(dataset.shape);
  for (let i = 0; i < rows.length; i++)
    into.set(
      dataset.examples.subarray(elementAt(rows, i) * width, (elementAt(rows, i) + 1) * width),
      i * width,
    );
};

/** `gather` from wherever the examples are. */
export const read =
  (source: Source, rows: ArrayLike<number>, into: Floats): TaskEither<readonly Problem[], void> =>
  async () => {
    if (!isInMemory(source)) return source.read(rows, into)();
    gather(source, rows, into);
    return right(undefined);
  };

/** All that is known of the given rows but the examples themselves. */
const aboutRows = (source: Source, name: string, rows: readonly number[]): About => {
  const { fields, latents, shape, size } = source;
  const d = latents === undefined ? 0 : latents.length / size;
  return {
    name,
    shape,
    size: rows.length,
    ...(fields === undefined ? {} : { fields: selectFields(fields, rows) }),
    ...(latents === undefined
      ? {}
      : {
          latents: Float64Array.from({ length: rows.length * d }, (_, i) =>
            float64At(latents, elementAt(rows, Math.floor(i / d)) * d + (i % d)),
          ),
        }),
  };
};

/** The examples at the given rows, in their order; every row must be below the dataset's size. */
export function select(source: Dataset, name: string, rows: readonly number[]): Dataset;
export function select(source: Source, name: string, rows: readonly number[]): Source;
export function select(source: Source, name: string, rows: readonly number[]): Source {
  const about = aboutRows(source, name, rows);
  if (isInMemory(source)) {
    const examples = new Float32Array(rows.length * sizeOf(source.shape));
    gather(source, rows, examples);
    return { ...about, examples };
  }
  return {
    ...about,
    read: (wanted, into) =>
      source.read(
        Array.from(wanted, (row) => elementAt(rows, row)),
        into,
      ),
  };
}

const partition = (source: Source, held: (row: number) => boolean) => {
  const rows = Array.from({ length: source.size }, (_, row) => row);
  return { kept: rows.filter((row) => !held(row)), out: rows.filter(held) };
};

/** Holds out every n-th example for testing, counted so that the first n−1 are trained on: ⌊size / n⌋ test examples. */
export function split(source: Dataset, every: number): Split;
export function split(source: Source, every: number): Split<Source>;
export function split(source: Source, every: number): Split<Source> {
  const { kept, out } = partition(source, (row) => row % every === every - 1);
  return {
    train: select(source, `${source.name} (train)`, kept),
    test: select(source, `${source.name} (test)`, out),
  };
}

/** Floats that `inMemory` may bring together: 2 GiB. */
const MOST_VALUES = 2 ** 29;
const ROWS_AT_ONCE = 256;

/** All examples of a source in memory; a problem where they are more than 2 GiB. */
export const inMemory =
  (source: Source): TaskEither<readonly Problem[], Dataset> =>
  async (): Promise<Either<readonly Problem[], Dataset>> => {
    if (isInMemory(source)) return right(source);
    const width = sizeOf(source.shape);
    if (source.size * width > MOST_VALUES)
      return left([
        problem(
          source.name,
          `${source.size} × ${width} values`,
          `at most ${MOST_VALUES} in memory`,
          'read them by row: openData instead of loadData',
        ),
      ]);
    const { read: readRows, ...about } = source;
    const examples = new Float32Array(source.size * width);
    for (let first = 0; first < source.size; first += ROWS_AT_ONCE) {
      const count = Math.min(ROWS_AT_ONCE, source.size - first);
      const rows = Array.from({ length: count }, (_, i) => first + i);
      const done = await readRows(rows, examples.subarray(first * width, (first + count) * width))();
      if (isLeft(done)) return done;
    }
    return right({ ...about, examples });
  };
