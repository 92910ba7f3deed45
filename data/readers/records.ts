/** Records of one length, one after the other, in memory or in a file, and sources that decode examples from them. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
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

/** A stretch of the file that is read at once, and the runs in it that are asked for. */
type Span = { readonly row: number; readonly count: number; readonly runs: readonly Run[] };

/** To begin another read takes as long as to read so many bytes more. */
const MOST_BETWEEN = 2 ** 14;
/** Bytes of a stretch with gaps. */
const MOST_IN_SPAN = 2 ** 22;

/** Runs with short gaps between them, such as five of every six rows, are read together. */
const spansOf = (runs: readonly Run[], length: number): readonly Span[] => {
  const spans: Span[] = [];
  let within: Run[] = [];
  const close = (): void => {
    const [first, last] = [within[0], within.at(-1)];
    if (first !== undefined && last !== undefined)
      spans.push({ row: first.row, count: last.row + last.count - first.row, runs: within });
    within = [];
  };
  for (const run of runs) {
    const [first, last] = [within[0], within.at(-1)];
    const between = last === undefined ? 0 : run.row - last.row - last.count;
    const whole = first === undefined ? 0 : run.row + run.count - first.row;
    if (between < 0 || between * length > MOST_BETWEEN || whole * length > MOST_IN_SPAN) close();
    within.push(run);
  }
  close();
  return spans;
};

/** Records of `length` bytes from byte `offset` of a file, which is opened anew for each batch. */
export const recordsInFile = (path: string, offset: number, length: number): Records => ({
  length,
  read: (rows, into) => {
    const spans = spansOf(runsOf(rows), length);
    const place = ({ at, count }: Run): Uint8Array => into.subarray(at * length, (at + count) * length);
    function* parts() {
      let beside: Uint8Array | undefined;
      for (const { row, count, runs } of spans) {
        const [only, ...others] = atLeast(1, runs);
        if (others.length === 0) yield { offset: offset + row * length, into: place(only) };
        else {
          beside ??= new Uint8Array(MOST_IN_SPAN);
          const bytes = beside.subarray(0, count * length);
          yield { offset: offset + row * length, into: bytes };
          for (const run of runs) {
            const from = (run.row - row) * length;
            place(run).set(bytes.subarray(from, from + run.count * length));
          }
        }
      }
    }
    return readAt(path, parts());
  },
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
