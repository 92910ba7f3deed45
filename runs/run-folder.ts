/** The folder of a run: its specification, its record line by line, its weights whole or not at all, its report. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Either, isLeft, left, right, tryCatch } from 'fp-ts/lib/Either.js';
import { encodeExperiment, type Experiment, type Problem, problem } from '../dsl/index.js';
import { encodeSafetensors } from '../backends/safetensors.js';
import { openRecord, type Recorder } from './records/record.js';
import { writeWhole } from './records/whole-file.js';
import type { TrainState } from './state.js';
import { thrownAt } from '../dsl/problem.js';

type Written<A> = Either<readonly Problem[], A>;

export type RunFolder = {
  readonly path: string;
  readonly record: Recorder;
  readonly writeWeights: (state: TrainState) => Written<string>;
  readonly writeReport: (html: string) => Written<string>;
};

export const fileNames = {
  spec: 'spec.json',
  record: 'record.jsonl',
  weights: 'weights.safetensors',
  report: 'report.html',
} as const;

const expectedFolder = 'a new or empty folder that can be written';

const makeFolder = (path: string): Written<string> => {
  const made = tryCatch(
    () => {
      mkdirSync(path, { recursive: true });
      return readdirSync(path);
    },
    thrownAt(path, expectedFolder),
  );
  if (isLeft(made)) return made;
  return made.right.length === 0
    ? right(path)
    : left([problem(path, `a folder with ${made.right.length} entries`, expectedFolder)]);
};

const timestamp = (now: Date): string =>
  now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

/** `outputs/digits-20260131-120000`, with a number after it where that is taken. */
const makeNumberedFolder = (name: string, attemptNumber = 1): Written<string> => {
  const suffix = attemptNumber === 1 ? '' : `-${attemptNumber}`;
  const path = join('outputs', `${name}-${timestamp(new Date())}${suffix}`);
  const made = tryCatch(() => mkdirSync('outputs', { recursive: true }), thrownAt(path, expectedFolder));
  if (isLeft(made)) return made;
  try {
    mkdirSync(path);
    return right(path);
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    return taken ? makeNumberedFolder(name, attemptNumber + 1) : left(thrownAt(path, expectedFolder)(error));
  }
};

/** Makes the folder with its specification and an empty record. Call it last, when every check has passed. */
export const createRunFolder = (
  experiment: Experiment,
  place: { readonly name: string; readonly out?: string | undefined },
): Written<RunFolder> => {
  const spec = encodeExperiment(experiment);
  if (isLeft(spec)) return spec;
  const folder = place.out === undefined ? makeNumberedFolder(place.name) : makeFolder(place.out);
  if (isLeft(folder)) return folder;
  const path = folder.right;
  const written = writeWhole(join(path, fileNames.spec), `${JSON.stringify(spec.right, null, 2)}\n`);
  const record = isLeft(written) ? written : openRecord(join(path, fileNames.record));
  if (isLeft(record)) {
    // The folder was new or empty.
    rmSync(path, { recursive: true, force: true });
    return record;
  }
  return right({
    path: relative('.', path) || '.',
    record: record.right,
    writeWeights: ({ arrays, seed, step }) =>
      writeWhole(
        join(path, fileNames.weights),
        encodeSafetensors(arrays, { format: 'immersion', seed: String(seed), step: String(step) }),
      ),
    writeReport: (html) => writeWhole(join(path, fileNames.report), html),
  });
};
