/** Records of one length, one after the other, in memory or in a file, and sources that decode an example from each. */
import { elementAt } from '../../dsl/lookup.js';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../../dsl/problem.js';
import { sizeOf } from '../../dsl/shape.js';
import type { Floats, Stored } from '../dataset.js';
import { readAt } from './file.js';

type Problems = readonly Problem[];

/** The bytes of the records at the given rows. */
export type Records = (rows: ArrayLike<number>) => TaskEither.TaskEither<Problems, readonly Uint8Array[]>;

/** Records of `length` bytes from the start of `bytes`. */
export const recordsInMemory =
  (bytes: Uint8Array, length: number): Records =>
  (rows) =>
    TaskEither.right(Array.from(rows, (row) => bytes.subarray(row * length, (row + 1) * length)));

/** Records of `length` bytes from byte `offset` of a file, which is opened anew for each batch. */
export const recordsInFile =
  (path: string, offset: number, length: number): Records =>
  (rows) => {
    const all = new Uint8Array(rows.length * length);
    const parts = Array.from(rows, (_, i) => all.subarray(i * length, (i + 1) * length));
    return pipe(
      readAt(
        path,
        parts.map((into, i) => ({ offset: offset + elementAt(rows, i) * length, into })),
      ),
      TaskEither.map(() => parts),
    );
  };

/** A source that decodes one record into one example; what `decode` answers is wrong with the row. */
export const storedRecords = (
  about: Omit<Stored, 'read'>,
  records: Records,
  decode: (record: Uint8Array, into: Floats, row: number) => Problem | undefined,
): Stored => {
  const width = sizeOf(about.shape);
  return {
    ...about,
    read: (rows, into) => async () => {
      const found = await records(rows)();
      if (isLeft(found)) return found;
      for (let i = 0; i < rows.length; i++) {
        const wrong = decode(
          elementAt(found.right, i),
          into.subarray(i * width, (i + 1) * width),
          elementAt(rows, i),
        );
        if (wrong !== undefined) return left([wrong]);
      }
      return right(undefined);
    },
  };
};
