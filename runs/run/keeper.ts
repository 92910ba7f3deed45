/** A run folder as the process that trains in it has it: locked, with a record that is appended to and checkpoints that replace one another. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { encodePreprocessing, type Preprocessing } from '../../data/index.js';
import type { Expressions } from '../../compiler/index.js';
import { encodeExperiment, type Experiment, type Problem, problem } from '../../dsl/index.js';
import { shellPath } from '../../dsl/printing/shell.js';
import { errorText } from '../../dsl/problem.js';
import { BackendFailure, BackendLost } from '../../backends/failure.js';
import { safetensorsParts } from '../../backends/safetensors.js';
import type { TrainState } from '../model/state.js';
import { openRecord, type Recorder } from '../records/record.js';
import { folderWithin, tidied } from '../../backends/places.js';
import { writeWhole, writeWholeBeside } from '../records/whole-file.js';
import {
  type Checkpoint,
  CHECKPOINTS,
  checkpointFolder,
  checkpointParts,
  checkpointPath,
  checkpointSteps,
} from './checkpoint.js';
import { type Lock, lockFolder } from './lock.js';
import { entriesProblems, makeRunFolder } from './new-folder.js';
import { fileNames } from './run-folder.js';
import { encodeMetrics } from './metrics.js';
import { encodeSettings, keepsBest, type RunSettings } from './settings.js';

type Checked<A> = Either<readonly Problem[], A>;

export type Keeper = {
  readonly folder: string;
  /** The folder from the current one, for people. */
  readonly path: string;
  readonly record: Recorder;
  /**
   * Writes a checkpoint beside other work, then removes those that need not be kept: all but the last ones and that of the best
   * validation. The record is on the disk before it.
   */
  readonly save: (checkpoint: Checkpoint) => Promise<Checked<void>>;
  /** Room for the last checkpoint and the weights on a disk that fills up; taken back by `release`. */
  readonly reserve: (bytes: number) => Checked<void>;
  readonly release: () => void;
  /** Writes the weights that the run leaves: the same bytes for the same weights. */
  readonly leave: (state: TrainState) => Checked<string>;
  readonly write: (name: string, content: string | Uint8Array) => Checked<string>;
  /** Notes what has changed in the settings, such as that all is done after so many steps. */
  readonly note: (changes: Partial<RunSettings>) => Checked<string>;
  /** Closes the record and gives the lock back. */
  readonly close: () => void;
};

const RESERVE = 'reserve';

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Zeros that really take their room, since a file with holes would not. */
const fill = (path: string, bytes: number): Checked<void> => {
  const zeros = new Uint8Array(Math.min(bytes, 2 ** 20));
  try {
    rmSync(path, { force: true });
    const file = openSync(path, 'wx');
    try {
      for (let at = 0; at < bytes;) at += writeSync(file, zeros, 0, Math.min(zeros.length, bytes - at));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return right(undefined);
  } catch (error) {
    tidied(path);
    return left([
      problem(path, errorText(error), `room for a checkpoint of ${Math.ceil(bytes / 2 ** 20)} MiB`),
    ]);
  }
};

const keeperOf = (folder: string, begun: RunSettings, record: Recorder, lock: Lock): Keeper => {
  const { policy } = begun;
  let settings = begun;
  const reserved = join(checkpointFolder(folder), RESERVE);
  const tidy = ({ loop: { best } }: Checkpoint): void => {
    const steps = checkpointSteps(folder);
    const kept = new Set(steps.slice(-policy.checkpoints.keep));
    if (keepsBest(policy) && best !== undefined) kept.add(best.step);
    steps.filter((step) => !kept.has(step)).forEach((step) => tidied(checkpointPath(folder, step)));
  };
  return {
    folder,
    path: relative('.', folder) || '.',
    record,
    save: async (checkpoint) => {
      try {
        await record.sync();
      } catch (error) {
        return left([problem(folder, errorText(error), 'a record that can be written')]);
      }
      const path = checkpointPath(folder, checkpoint.state.step);
      const written = await writeWholeBeside(path, checkpointParts(checkpoint));
      if (isLeft(written)) return written;
      tidy(checkpoint);
      return right(undefined);
    },
    reserve: (bytes) => fill(reserved, bytes),
    release: () => tidied(reserved),
    leave: ({ arrays, seed, step }) =>
      writeWhole(
        join(folder, fileNames.weights),
        safetensorsParts(arrays, { format: 'immersion', seed: String(seed), step: String(step) }),
      ),
    write: (name, content) => writeWhole(join(folder, name), content),
    note: (changes) => {
      settings = { ...settings, ...changes };
      return writeWhole(join(folder, fileNames.settings), json(encodeSettings(settings)));
    },
    close: () => {
      tidied(reserved);
      record.close();
      lock.release();
    },
  };
};

/** What ended a run: where that is a failure of the backend that was named, with what leads on from there. */
export const goesOn = (error: unknown, keeper: Keeper | undefined): unknown => {
  if (!(error instanceof BackendLost) || keeper === undefined) return error;
  const { problem: why } = error;
  const { folder, path } = keeper;
  const step = checkpointSteps(folder).at(-1) ?? 0;
  const command = `immersion resume ${shellPath(path)} --backend auto`;
  const way =
    step === 0 ? `no step is kept: ${command} begins again` : `the run is kept to step ${step}: ${command}`;
  return new BackendFailure({ ...why, hint: why.hint === undefined ? way : `${why.hint}; ${way}` });
};

/** All that is known before the first step. */
export type Beginning = {
  readonly experiment: Experiment;
  readonly settings: RunSettings;
  readonly preprocessing: Preprocessing | undefined;
  /** What validations report beside the terms. */
  readonly metrics: Expressions;
};

const writeBeginning = (
  folder: string,
  { experiment, settings, preprocessing, metrics }: Beginning,
): Checked<void> => {
  const spec = encodeExperiment(experiment);
  if (isLeft(spec)) return spec;
  const logged = Object.keys(metrics).length === 0 ? right(undefined) : encodeMetrics(experiment, metrics);
  if (isLeft(logged)) return logged;
  const files: readonly (readonly [string, unknown])[] = [
    [fileNames.spec, spec.right],
    ...(logged.right === undefined ? [] : [[fileNames.metrics, logged.right] as const]),
    ...(preprocessing === undefined
      ? []
      : [[fileNames.preprocessing, encodePreprocessing(preprocessing)] as const]),
    // The last one: a folder with it has begun.
    [fileNames.settings, encodeSettings(settings)],
  ];
  for (const [name, value] of files) {
    const written = writeWhole(join(folder, name), json(value));
    if (isLeft(written)) return written;
  }
  return right(undefined);
};

const opened = (
  folder: string,
  settings: RunSettings,
  lock: Lock,
  record: number,
  prepare: () => Checked<void>,
): Checked<Keeper> => {
  const prepared = prepare();
  const made = isLeft(prepared) ? prepared : folderWithin(folder, CHECKPOINTS);
  const recorder = isLeft(made) ? made : openRecord(join(folder, fileNames.record), record);
  if (isLeft(recorder)) {
    lock.release();
    return recorder;
  }
  return right(keeperOf(folder, settings, recorder.right, lock));
};

/**
 * Makes the folder of a new run: `out`, or a new one under `outputs/`. Call it when every check has passed. `mayHold` says what may be in it
 * already, such as the trial that it is the run of.
 */
export const createRunFolder = (
  beginning: Beginning,
  out: string | undefined,
  mayHold: (entry: string) => boolean = () => false,
): Checked<Keeper> => {
  const made = makeRunFolder(beginning.settings.name, out, mayHold);
  if (isLeft(made)) return made;
  const folder = made.right;
  const lock = lockFolder(folder);
  if (isLeft(lock)) return lock;
  return opened(folder, beginning.settings, lock.right, 0, () => {
    // Another process may have had the lock, and the folder, between the look and the lock.
    const problems = entriesProblems(folder, mayHold);
    return problems.length > 0 ? left(problems) : writeBeginning(folder, beginning);
  });
};

/** Takes a run folder up again, with the record cut back to a checkpoint's, or to nothing where there is none yet. */
export const reopenRunFolder = (
  folder: string,
  beginning: Beginning,
  checkpoint: Checkpoint | undefined,
): Checked<Keeper> => {
  const lock = lockFolder(folder);
  if (isLeft(lock)) return lock;
  return opened(folder, beginning.settings, lock.right, checkpoint?.loop.record ?? 0, () => {
    // What comes after it is broken.
    checkpointSteps(folder)
      .filter((step) => checkpoint !== undefined && step > checkpoint.state.step)
      .forEach((step) => tidied(checkpointPath(folder, step)));
    return writeBeginning(folder, beginning);
  });
};
