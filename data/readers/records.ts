/** Records of one length, one after the other, in memory or in a file, and sources that decode examples from them. */
import { elementAt } from '../../dsl/lookup.js';
import { isLeft, right } from 'fp-ts/lib/Either.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../../dsl/problem.js';
import type { Floats, Stored } from '../dataset.js';
import { readAt } from './file.js';

type Problems = readonly Problem[];

export type Records = {
  /** Bytes of one. */
  readonly length: number;
  /** Copies the records at the given rows into `into`, [rows, length]. */
  readonly read: (rows: ArrayLike<number>, into: Uint8Array) => TaskEither.TaskEither<Problems, void>;
};

type Run = { readonly row: number; readonly at: number; readonly count: number };

/** Rows that follow each other are read at once. */
const runsOf = (rows: ArrayLike<number>): readonly Run[] => {
  const runs: Run[] = [];
  for (let at = 0; at < rows.length;) {
    const row = elementAt(rows, at);
    let count = 1;
    while (rows[at + count] === row + count) count++;
    runs.push({ row, at, count });
    at += count;
  }
  return runs;
};

/** Records of `length` bytes from the start of `bytes`. */
export const recordsInMemory = (bytes: Uint8Array, length: number): Records => ({
  length,
  read: (rows, into) => {
    for (const { row, at, count } of runsOf(rows))
      into.set(bytes.subarray(row * length, (row + count) * length), at * length);
    return TaskEither.right(undefined);
  },
});

/** Records of `length` bytes from byte `offset` of a file, which is opened anew for each batch. */
export const recordsInFile = (path: string, offset: number, length: number): Records => ({
  length,
  read: (rows, into) =>
    readAt(
      path,
      runsOf(rows).map(({ row, at, count }) => ({
        offset: offset + row * length,
        into: into.subarray(at * length, (at + count) * length),
      })),
    ),
});

/**
 * A source that decodes the bytes of records, [rows, length], into examples, [rows, …shape]. Where `isSame` says that a record's bytes
 * are what its examples are in memory, they are read to where they will be.
 */
export const storedRecords = (
  about: Omit<Stored, 'read'>,
  records: Records,
  decode: (bytes: Uint8Array, into: Floats) => void,
  isSame: (into: Floats) => boolean = () => false,
): Stored => ({
  ...about,
  read: (rows, into) => async () => {
    if (isSame(into))
      return records.read(rows, new Uint8Array(into.buffer, into.byteOffset, into.byteLength))();
    // Not filled with zeros first: all of it is written.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(rows.length * records.length).buffer);
    const done = await records.read(rows, bytes)();
    if (isLeft(done)) return done;
    decode(bytes, into);
    return right(undefined);
  },
});
