/** The record of a run: one JSON line for each event. JSON has no NaN and no infinities, so those are written as strings. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { isRecord } from '../../dsl/codec/codec.js';
import { type Problem, problem } from '../../dsl/index.js';
import { errorText } from '../../dsl/problem.js';
import type { TrainEvent } from './events.js';

/** One event as one line, without its end. */
export const recordLine = (event: TrainEvent): string =>
  JSON.stringify(event, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );

const notNumbers: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity']);

const tags: ReadonlySet<unknown> = new Set(['step', 'validation', 'test', 'notice']);

/** Lines are trusted as far as their tag and their step: they were written here. */
const isEvent = (json: unknown): json is TrainEvent =>
  isRecord(json) && tags.has(json.tag) && typeof json.step === 'number';

/** The event of a line; undefined for what is none. */
export const readLine = (line: string): TrainEvent | undefined => {
  try {
    const json: unknown = JSON.parse(line, (_key, value: unknown) =>
      notNumbers.has(value) ? Number(value) : value,
    );
    return isEvent(json) ? json : undefined;
  } catch {
    return undefined;
  }
};

/** The events of a record, one after the other, however many; none where there is no record. */
export async function* readRecord(path: string): AsyncGenerator<TrainEvent> {
  try {
    if (!statSync(path).isFile()) return;
  } catch {
    return;
  }
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  for await (const line of lines) {
    const event = readLine(line);
    if (event !== undefined) yield event;
  }
}

export type Recorder = {
  readonly write: (event: TrainEvent) => Either<readonly Problem[], void>;
  /** Bytes so far. */
  readonly length: () => number;
  /** What was written is on the disk when this returns. */
  readonly sync: () => void;
  readonly close: () => void;
};

const MILLISECONDS_BETWEEN_LOOKS = 500;

/**
 * Opens a record and cuts it to its first `length` bytes, none of it unless given. What cannot be written whole, on a full disk for one,
 * is taken back: every line is an event. A record that was removed meanwhile is noticed within half a second of writing.
 */
export const openRecord = (path: string, length = 0): Either<readonly Problem[], Recorder> => {
  const failed = (error: unknown): Either<readonly Problem[], never> =>
    left([problem(path, errorText(error), 'a file that can be written')]);
  try {
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
    let end = Math.min(length, fstatSync(file).size);
    let looked = performance.now();
    let closed = false;
    ftruncateSync(file, end);
    const { ino } = fstatSync(file);
    const isThere = (): boolean => {
      if (performance.now() - looked < MILLISECONDS_BETWEEN_LOOKS) return true;
      looked = performance.now();
      return statSync(path, { throwIfNoEntry: false })?.ino === ino;
    };
    return right({
      write: (event) => {
        const bytes = Buffer.from(`${recordLine(event)}\n`);
        try {
          if (!isThere()) return failed('a record that was removed while the run wrote to it');
          const written = writeSync(file, bytes, 0, bytes.length, end);
          if (written < bytes.length) throw new Error(`${written} of ${bytes.length} bytes written`);
          end += bytes.length;
          return right(undefined);
        } catch (error) {
          if (!closed) ftruncateSync(file, end);
          return failed(error);
        }
      },
      length: () => end,
      sync: () => fsyncSync(file),
      close: () => {
        if (!closed) closeSync(file);
        closed = true;
      },
    });
  } catch (error) {
    return failed(error);
  }
};
