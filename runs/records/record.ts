/** The record of a run: one JSON line for each event. JSON has no NaN and no infinities, so those are written as strings. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import type { TrainEvent } from './events.js';

/** One event as one line, without its end. */
export const recordLine = (event: TrainEvent): string =>
  JSON.stringify(event, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );

export type Recorder = {
  readonly write: (event: TrainEvent) => Either<readonly Problem[], void>;
  readonly close: () => void;
};

/** Starts an empty record. What cannot be written whole, on a full disk for one, is taken back: every line is an event. */
export const openRecord = (path: string): Either<readonly Problem[], Recorder> => {
  const failed = (error: unknown): Either<readonly Problem[], never> =>
    left([
      problem(path, error instanceof Error ? error.message : String(error), 'a file that can be written'),
    ]);
  try {
    const file = openSync(path, 'w');
    let end = 0;
    return right({
      write: (event) => {
        const bytes = Buffer.from(`${recordLine(event)}\n`);
        try {
          const written = writeSync(file, bytes);
          if (written < bytes.length) throw new Error(`${written} of ${bytes.length} bytes written`);
          end += bytes.length;
          return right(undefined);
        } catch (error) {
          ftruncateSync(file, end);
          return failed(error);
        }
      },
      close: () => closeSync(file),
    });
  } catch (error) {
    return failed(error);
  }
};
