/** Examples of one shape: in memory row after row, or stored elsewhere and read by row. */
import { elementAt, float64At } from '../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../dsl/problem.js';
import { sizeOf } from '../dsl/shape.js';
import { freeMemory, memoryProblem, MOST_IN_ARRAY } from './memory.js';
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

/** Rows that follow each other. */
export const rowsFrom = (first: number, count: number): Int32Array => {
  const rows = new Int32Array(count);
  for (let i = 0; i < count; i++) rows[i] = first + i;
  return rows;
};

/** All that is known of some rows but the examples themselves. */
const aboutRows = (source: Source, name: string, rows: Rows): About => {
  const { fields, latents, shape, size } = source;
  const d = latents === undefined ? 0 : latents.length / size;
  return {
    name,
    shape,
    size: rows.size,
    ...(fields === undefined ? {} : { fields: selectFields(fields, listOf(rows)) }),
    ...(latents === undefined
      ? {}
      : {
          latents: Float64Array.from({ length: rows.size * d }, (_, i) =>
            float64At(latents, rows.at(Math.floor(i / d)) * d + (i % d)),
          ),
        }),
  };
};

/** As many examples as that, or all, at even distances: of a set whose files may be in order of their classes. */
export function spaced(set: Dataset, most: number): Dataset;
export function spaced(source: Source, most: number): Source;
export function spaced(source: Source, most: number): Source {
  const count = Math.max(0, Math.min(source.size, most));
  if (count === source.size) return source;
  const rows = Array.from({ length: count }, (_, i) => Math.floor((i * source.size) / count));
  return select(source, source.name, rows);
}

/** Rows of a set that are known by their number alone, such as every sixth. */
export type Rows = { readonly size: number; readonly at: (i: number) => number };

const listOf = ({ size, at }: Rows): Int32Array => Int32Array.from({ length: size }, (_, i) => at(i));

/** The examples at some rows, in their order; of a set that is read by row no list of them is made. */
export const selectRows = (source: Source, name: string, rows: Rows): Source => {
  const about = aboutRows(source, name, rows);
  if (isInMemory(source)) {
    const examples = new Float32Array(rows.size * sizeOf(source.shape));
    gather(source, listOf(rows), examples);
    return { ...about, examples };
  }
  return {
    ...about,
    read: (wanted, into) =>
      source.read(
        Int32Array.from(wanted, (row) => rows.at(row)),
        into,
      ),
  };
};

/** The examples at the given rows, in their order; every row must be below the dataset's size. */
export function select(source: Dataset, name: string, rows: ArrayLike<number>): Dataset;
export function select(source: Source, name: string, rows: ArrayLike<number>): Source;
export function select(source: Source, name: string, rows: ArrayLike<number>): Source {
  return selectRows(source, name, { size: rows.length, at: (i) => elementAt(rows, i) });
}

/** Holds out every n-th example for testing, counted so that the first n−1 are trained on: ⌊size / n⌋ test examples. With n = 0 none is. */
export function split(source: Dataset, every: number): Split;
export function split(source: Source, every: number): Split<Source>;
export function split(source: Source, every: number): Split<Source> {
  const out = every === 0 ? 0 : Math.floor(source.size / every);
  const kept: Rows =
    every === 0
      ? { size: source.size, at: (i) => i }
      : { size: source.size - out, at: (i) => i + Math.floor(i / (every - 1)) };
  return {
    train: every === 0 ? source : selectRows(source, `${source.name} (train)`, kept),
    test: selectRows(source, `${source.name} (test)`, { size: out, at: (i) => i * every + every - 1 }),
  };
}

/** Numbers that are read at once. */
const VALUES_AT_ONCE = 2 ** 20;
/** Blocks that are read beside each other: a file's bytes are copied, and pictures decoded, on as many threads. */
const READS_AT_ONCE = 3;

/** All examples of a source in memory; a problem where they are more than is free. `onBlock` sees them as they come, while the next ones are read. */
export const inMemory =
  (
    source: Source,
    limit?: number,
    onBlock: (block: Float32Array) => void = () => undefined,
  ): TaskEither<readonly Problem[], Dataset> =>
  async (): Promise<Either<readonly Problem[], Dataset>> => {
    if (isInMemory(source)) {
      onBlock(source.examples);
      return right(source);
    }
    const { name, size } = source;
    const width = sizeOf(source.shape);
    const tooMuch = memoryProblem(name, 4 * size * width, `${size} × ${width} values`, {
      limit: Math.min(limit ?? freeMemory(), MOST_IN_ARRAY),
      hint: 'read them by row: openData instead of loadData',
    });
    if (tooMuch !== undefined) return left([tooMuch]);
    const { read: readRows, ...about } = source;
    const examples = new Float32Array(size * width);
    const most = Math.max(1, Math.min(size, Math.floor(VALUES_AT_ONCE / width)));
    const begin = (first: number) => {
      const count = Math.min(most, size - first);
      const block = examples.subarray(first * width, (first + count) * width);
      return { block, reading: readRows(rowsFrom(first, count), block)() };
    };
    const begun: ReturnType<typeof begin>[] = [];
    for (let first = 0; first < size || begun.length > 0;) {
      for (; first < size && begun.length < READS_AT_ONCE; first += most) begun.push(begin(first));
      const next = begun.shift();
      const done = await next?.reading;
      if (done !== undefined && isLeft(done)) return done;
      if (next !== undefined) onBlock(next.block);
    }
    return right({ ...about, examples });
  };
