/** One pass over a set in double precision: what values there are in each place of an example, and which are no numbers. */
import { atLeast, type Floats, float32At, float64At } from '../dsl/lookup.js';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../dsl/problem.js';
import { sizeOf } from '../dsl/shape.js';
import { read, rowsFrom, type Source } from './dataset.js';

/** Of each element of an example, [size], over the rows where it is a finite number. */
export type Survey = {
  readonly rows: number;
  /** In how many rows it is a finite number. */
  readonly present: Float64Array;
  /** In how many rows it is NaN, which is how a missing value is read. */
  readonly missing: Float64Array;
  readonly least: Float64Array;
  readonly greatest: Float64Array;
  readonly mean: Float64Array;
  /** Σ (x − mean)². */
  readonly squares: Float64Array;
  /** 1 where some value is none in single precision. */
  readonly inexact: Uint8Array;
  /** The first value that is infinite. */
  readonly infinite: { readonly row: number; readonly element: number; readonly value: number } | undefined;
  /** The first row with a NaN. */
  readonly firstMissing: { readonly row: number; readonly element: number } | undefined;
  /** Whether every value of a row is there, by row; asked for, since it takes a byte a row. */
  readonly complete: Uint8Array | undefined;
};

/** Numbers that are read at once. */
const VALUES_AT_ONCE = 2 ** 19;

export type SurveyOptions = {
  /** Keeps which rows have all their values. */
  readonly complete?: boolean;
  /** Sees each block of rows, [count, …shape], as it is read. */
  readonly onBlock?: (first: number, count: number, block: Float64Array) => void;
};

const blockRows = (source: Source): number =>
  Math.max(1, Math.min(source.size, Math.floor(VALUES_AT_ONCE / sizeOf(source.shape))));

/** Reads all examples in order, a block while the one before it is looked at, as long as `each` says so; answers whether it came to the end. */
const eachBlock = async <Block extends Floats>(
  source: Source,
  create: (length: number) => Block,
  each: (first: number, count: number, block: Block) => boolean,
): Promise<Either<readonly Problem[], boolean>> => {
  const width = sizeOf(source.shape);
  const most = blockRows(source);
  const reading = async (first: number, into: Block) => {
    const count = Math.min(most, source.size - first);
    const done = await read(source, rowsFrom(first, count), into.subarray(0, count * width))();
    return isLeft(done) ? done : right(count);
  };
  let [now, other] = [create(most * width), create(most * width)];
  let next = source.size === 0 ? undefined : reading(0, now);
  for (let first = 0; next !== undefined; first += most) {
    const done = await next;
    if (isLeft(done)) return done;
    next = first + most < source.size ? reading(first + most, other) : undefined;
    if (!each(first, done.right, now)) {
      await next;
      return right(false);
    }
    [now, other] = [other, now];
  }
  return right(true);
};

/** Mean and squares in one pass, blocks merged as Chan, Golub and LeVeque (1983) do. */
export const survey =
  (
    source: Source,
    { complete: keep = false, onBlock }: SurveyOptions = {},
  ): TaskEither<readonly Problem[], Survey> =>
  async (): Promise<Either<readonly Problem[], Survey>> => {
    const width = sizeOf(source.shape);
    const of = (): Float64Array => new Float64Array(width);
    const [present, missing, mean, squares] = atLeast(4, [of(), of(), of(), of()]);
    const [least, greatest] = atLeast(2, [of().fill(Infinity), of().fill(-Infinity)]);
    const [counts, sums, spreads] = atLeast(3, [of(), of(), of()]);
    const inexact = new Uint8Array(width);
    const complete = keep ? new Uint8Array(source.size).fill(1) : undefined;
    let infinite: Survey['infinite'];
    let firstMissing: Survey['firstMissing'];
    const create = (length: number): Float64Array => new Float64Array(length);
    const done = await eachBlock(source, create, (first, count, block) => {
      const values = block.subarray(0, count * width);
      counts.fill(0);
      sums.fill(0);
      spreads.fill(0);
      for (let row = 0, at = 0; row < count; row++)
        for (let i = 0; i < width; i++, at++) {
          const value = float64At(values, at);
          if (value - value !== 0) {
            if (Number.isNaN(value)) {
              missing[i] = float64At(missing, i) + 1;
              firstMissing ??= { row: first + row, element: i };
              if (complete !== undefined) complete[first + row] = 0;
            } else infinite ??= { row: first + row, element: i, value };
            continue;
          }
          counts[i] = float64At(counts, i) + 1;
          sums[i] = float64At(sums, i) + value;
          if (value < float64At(least, i)) least[i] = value;
          if (value > float64At(greatest, i)) greatest[i] = value;
          if (Math.fround(value) !== value) inexact[i] = 1;
        }
      for (let i = 0; i < width; i++)
        if (float64At(counts, i) > 0) sums[i] = float64At(sums, i) / float64At(counts, i);
      for (let row = 0, at = 0; row < count; row++)
        for (let i = 0; i < width; i++, at++) {
          const value = float64At(values, at);
          if (value - value === 0) spreads[i] = float64At(spreads, i) + (value - float64At(sums, i)) ** 2;
        }
      for (let i = 0; i < width; i++) {
        if (counts[i] === 0) continue;
        const total = float64At(present, i) + float64At(counts, i);
        const shift = float64At(sums, i) - float64At(mean, i);
        squares[i] =
          float64At(squares, i) +
          float64At(spreads, i) +
          (shift * shift * float64At(present, i) * float64At(counts, i)) / total;
        mean[i] = float64At(mean, i) + (shift * float64At(counts, i)) / total;
        present[i] = total;
      }
      onBlock?.(first, count, values);
      return true;
    });
    if (isLeft(done)) return done;
    return right({
      rows: source.size,
      ...{ present, missing, least, greatest, mean, squares, inexact, infinite, firstMissing, complete },
    });
  };

/** The standard deviation of each element, of the sample as a population (1/n); exactly 0 for one that never varies. */
export const deviationsOf = ({ squares, present, least, greatest }: Survey): Float64Array =>
  squares.map((sum, i) =>
    float64At(least, i) < float64At(greatest, i) ? Math.sqrt(sum / float64At(present, i)) : 0,
  );

/** Whether all values are finite: then and only then is their sum, in double precision and of fewer than 2⁸⁰⁰. Four sums do not wait for each other. */
export const areFinite = (values: Float32Array): boolean => {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < values.length; i += 4) {
    a += float32At(values, i);
    b += float32At(values, i + 1);
    c += float32At(values, i + 2);
    d += float32At(values, i + 3);
  }
  for (; i < values.length; i++) a += float32At(values, i);
  return Number.isFinite(a + b + c + d);
};

/** Whether every value is a finite number in single precision; the first block with one that is not ends it. */
export const allFinite = (source: Source): TaskEither<readonly Problem[], boolean> => {
  const create = (length: number): Float32Array => new Float32Array(length);
  const width = sizeOf(source.shape);
  return () => eachBlock(source, create, (_, count, block) => areFinite(block.subarray(0, count * width)));
};
