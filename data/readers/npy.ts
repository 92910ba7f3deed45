/** NumPy's npy format, versions 1 to 3: a magic string, a version, the length of a header, the header as a Python dictionary, then the values (NumPy enhancement proposal 1). */
import { atLeast, elementAt, entryOf, int32At, uint8At } from '../../dsl/lookup.js';
import { type Either, left, map, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import type { Stored } from '../dataset.js';
import type { Found } from '../parts.js';
import { plainPreprocessing, type Preprocessing } from '../preprocessing/preprocessing.js';
import type { OpenOptions } from '../options.js';
import { again, fileSize, readAt, readBytes } from './file.js';
import { decoderOf, kinds, sameIn } from './npy-values.js';
import { type Records, recordsInFile, recordsInMemory, storedRecords } from './records.js';

type Problems = readonly Problem[];

/** What a header says. */
export type NpyHeader = {
  readonly dtype: string;
  readonly little: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Where the values start. */
  readonly offset: number;
};

const MAGIC = '\x93NUMPY';
/** As much of a file as its header may take. */
export const MOST_HEADER = 65_536;

const text = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', from, to);

/** The header at the start of a file; `path` only names it in problems. */
export const npyHeader = (path: string, bytes: Uint8Array): Either<Problems, NpyHeader> => {
  const fail = (found: string, expected: string, hint?: string): Either<Problems, never> =>
    left([problem(path, found, expected, hint)]);
  const magic = text(bytes, 0, 6);
  if (magic !== MAGIC.slice(0, magic.length))
    return fail(`${JSON.stringify(magic)} as its first bytes`, 'an npy file');
  if (bytes.length < 10) return fail(`${bytes.length} bytes`, 'an npy file', again);
  const version = uint8At(bytes, 6);
  if (version < 1 || version > 3) return fail(`version ${version} of the npy format`, 'version 1, 2 or 3');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) return fail(`${bytes.length} bytes`, 'an npy file', again);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MOST_HEADER - start)
    return fail(`a header of ${length} bytes`, `at most ${MOST_HEADER - start}`);
  const offset = start + length;
  if (bytes.length < offset)
    return fail(`${bytes.length} bytes`, `at least ${offset} bytes (the header)`, again);
  const header = text(bytes, start, offset);
  const descr = /'descr':\s*(?:'([^']*)'|(\[))/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header);
  const shape = /'shape':\s*\(([\d\s,L]*)\)/.exec(header);
  if (descr === null || order === null || shape === null)
    return fail(`the header ${JSON.stringify(header.trim().slice(0, 80))}`, 'descr, fortran_order and shape');
  const [, endian = '', dtype = ''] = /^([<>|=]?)(.*)$/.exec(descr[1] ?? '') ?? [];
  if (!Object.hasOwn(kinds, dtype))
    return fail(
      descr[2] === '[' ? 'a structured array' : `values of type ${JSON.stringify(descr[1])}`,
      `one of ${Object.keys(kinds).join(', ')}`,
      'save it with .astype("float32")',
    );
  const sizes = elementAt(shape, 1)
    .split(',')
    .flatMap((size) => (size.trim() === '' ? [] : [Number.parseInt(size, 10)]));
  if (sizes.some((size) => !Number.isSafeInteger(size)) || !Number.isSafeInteger(countOf(sizes) * 8))
    return fail(`the shape (${elementAt(shape, 1).slice(0, 80)})`, 'a shape that an array can have');
  // With one size of 0 there are no bytes, whatever the others say.
  if (sizes.includes(0) && sizes.some((size) => size > MOST_EMPTY))
    return fail(`the shape (${elementAt(shape, 1).slice(0, 80)})`, 'an array with values');
  return right({ dtype, little: endian !== '>', fortran: order[1] === 'True', shape: sizes, offset });
};

/** An array by rows of its first axis. */
export type NpyArray = {
  readonly path: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly little: boolean;
  readonly records: Records;
};

/** Of an array without values, the largest size. */
const MOST_EMPTY = 2 ** 24;

const countOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

/** Bytes of one row, whose axes are all but the first. */
const rowBytes = ({ shape, dtype }: NpyHeader): number =>
  countOf(shape.slice(1)) * entryOf(kinds, dtype).bytes;

/** The header fits the number of bytes that follow it. */
const checkLength = (path: string, header: NpyHeader, length: number): Either<Problems, NpyHeader> => {
  const expected = header.offset + countOf(header.shape) * entryOf(kinds, header.dtype).bytes;
  return length === expected
    ? right(header)
    : left([
        problem(
          path,
          `${length} bytes`,
          `${expected} bytes (${header.shape.join(' × ')} of ${header.dtype} and the header)`,
          ...(length < expected ? [again] : []),
        ),
      ]);
};

/** Values in Fortran order, first index fastest, put into C order, last index fastest. */
const rowMajor = (bytes: Uint8Array, shape: readonly number[], width: number): Uint8Array => {
  const result = new Uint8Array(bytes.length);
  const counter = new Int32Array(shape.length);
  const strides = shape.map((_, axis) => countOf(shape.slice(axis + 1)));
  let to = 0;
  for (let from = 0; from < bytes.length; from += width) {
    result.set(bytes.subarray(from, from + width), to * width);
    for (let axis = 0; axis < shape.length; axis++) {
      counter[axis] = elementAt(counter, axis) + 1;
      to += elementAt(strides, axis);
      if (int32At(counter, axis) < elementAt(shape, axis)) break;
      to -= elementAt(strides, axis) * elementAt(shape, axis);
      counter[axis] = 0;
    }
  }
  return result;
};

/** Decodes a whole file's bytes, which it keeps. */
export const decodeNpy = (path: string, bytes: Uint8Array): Either<Problems, NpyArray> => {
  const header = npyHeader(path, bytes);
  if (header._tag === 'Left') return header;
  return pipe(
    checkLength(path, header.right, bytes.length),
    map(({ dtype, little, fortran, shape, offset }): NpyArray => {
      const values = bytes.subarray(offset);
      const ordered =
        fortran && shape.length > 1 ? rowMajor(values, shape, entryOf(kinds, dtype).bytes) : values;
      return { path, dtype, little, shape, records: recordsInMemory(ordered, rowBytes(header.right)) };
    }),
  );
};

/** Opens a file, of which only the header is read; one in Fortran order, where a row is scattered, is read whole. */
export const openNpy = (
  path: string,
  { memory }: OpenOptions = {},
): TaskEither.TaskEither<Problems, NpyArray> =>
  pipe(
    TaskEither.Do,
    TaskEither.bind('length', () => fileSize(path, 'an npy file')),
    TaskEither.bind('header', ({ length }) => {
      const head = new Uint8Array(Math.min(length, MOST_HEADER));
      return pipe(
        readAt(path, [{ offset: 0, into: head }]),
        TaskEither.chainEitherK(() => npyHeader(path, head)),
      );
    }),
    TaskEither.chainFirstEitherK(({ header, length }) => checkLength(path, header, length)),
    TaskEither.chain(({ header }) => {
      if (header.fortran)
        return pipe(
          readBytes(path, 'an npy file', memory),
          TaskEither.chainEitherK((bytes) => decodeNpy(path, bytes)),
        );
      const { dtype, little, shape, offset } = header;
      return TaskEither.right({
        path,
        dtype,
        little,
        shape,
        records: recordsInFile(path, offset, rowBytes(header)),
      });
    }),
  );

/** All values of an array of one axis, or of more of size 1. */
export const npyValues = (array: NpyArray): TaskEither.TaskEither<Problems, Float64Array> => {
  const size = array.shape[0] ?? 0;
  const bytes = new Uint8Array(size * array.records.length);
  const values = new Float64Array(bytes.length / entryOf(kinds, array.dtype).bytes);
  return pipe(
    array.records.read(
      Int32Array.from({ length: size }, (_, row) => row),
      bytes,
    ),
    TaskEither.map(() => {
      decoderOf(array)(bytes, values);
      return values;
    }),
  );
};

/** Examples along the first axis in their own units, and how they become examples; pictures get a third axis of size 1. */
export type NpyExamples = {
  readonly source: Stored;
  readonly plan: Preprocessing;
  readonly values: Found['values'];
};

/** Bytes 0 … 255 become 0 … 1 unless `raw`. */
export const npyExamples = (name: string, array: NpyArray, raw: boolean): Either<Problems, NpyExamples> => {
  const { path, dtype, shape, records } = array;
  if (shape.length < 2 || shape.includes(0))
    return left([
      problem(
        path,
        `an array of shape (${shape.join(', ')})`,
        'at least one example and two axes, of which the first goes over the examples',
        ...(shape.length === 1 ? ['reshape(-1, 1) makes numbers examples'] : []),
      ),
    ]);
  const [size, ...rest] = atLeast(1, shape);
  const about = { name, size, shape: rest.length === 2 ? [...rest, 1] : rest };
  const plan = plainPreprocessing(about.shape);
  return right({
    source: storedRecords(about, records, decoderOf(array), sameIn(array)),
    plan: dtype === 'u1' && !raw ? { ...plan, range: { least: 0, most: 255 } } : plan,
    values: dtype === 'f4' || dtype === 'f2' ? 'single' : entryOf(kinds, dtype).isFloat ? 'floats' : 'finite',
  });
};
