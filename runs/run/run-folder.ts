/**
 * A run folder is all that a model is: its specification, what it was made with, its checkpoints, its record. Here it is read; what is read
 * suffices to use the model where its data and the program that made it are gone.
 */
import { basename, join } from 'node:path';
import { type Either, isLeft, left, map, right, tryCatch } from 'fp-ts/lib/Either.js';
import type { Expressions } from '../../compiler/index.js';
import { decodePreprocessing, type Preprocessing } from '../../data/index.js';
import { decodeExperiment, type Experiment, type Problem, problem } from '../../dsl/index.js';
import { thrownAt } from '../../dsl/problem.js';
import {
  type Checkpoint,
  checkpointPath,
  checkpointSteps,
  type Found,
  lastWhole,
  readCheckpoint,
} from './checkpoint.js';
import { type Holder, holderOf } from './lock.js';
import { hasEntry, isFile, readRegular } from '../records/read-file.js';
import { decodeMetrics } from './metrics.js';
import { decodeSettings, type RunSettings } from './settings.js';

type Checked<A> = Either<readonly Problem[], A>;

/** The files of a run folder. */
export const fileNames = {
  spec: 'spec.json',
  settings: 'run.json',
  metrics: 'metrics.json',
  preprocessing: 'preprocessing.json',
  record: 'record.jsonl',
  weights: 'weights.safetensors',
  examples: 'examples.safetensors',
  report: 'report.html',
} as const;

/** What a folder says of its run without any of its arrays. */
export type RunNote = {
  readonly folder: string;
  readonly experiment: Experiment;
  /** Absent for a specification and weights alone. */
  readonly settings: RunSettings | undefined;
  readonly preprocessing: Preprocessing | undefined;
  /** What validations report beside the terms. */
  readonly metrics: Expressions;
  /** The steps that there are checkpoints of, ascending. */
  readonly checkpoints: readonly number[];
  /** The process that trains it now. */
  readonly holder: Holder | undefined;
};

const readJson = (path: string, expected: string): Checked<unknown> => {
  const bytes = readRegular(path, expected);
  return isLeft(bytes)
    ? bytes
    : tryCatch((): unknown => JSON.parse(bytes.right.toString('utf8')), thrownAt(path, expected));
};

const inFile =
  (path: string) =>
  (problems: readonly Problem[]): readonly Problem[] =>
    problems.map((one) => ({ ...one, path: `${path}: ${one.path}` }));

const read = <A>(path: string, expected: string, decode: (json: unknown) => Checked<A>): Checked<A> => {
  const json = readJson(path, expected);
  if (isLeft(json)) return json;
  const value = decode(json.right);
  return isLeft(value) ? left(inFile(path)(value.left)) : value;
};

const readOptional = <A>(
  path: string,
  expected: string,
  decode: (json: unknown) => Checked<A>,
): Checked<A | undefined> => (hasEntry(path) ? read(path, expected, decode) : right(undefined));

/** Reads what a run folder says of its run; on the left why it is none, or what is broken in it. */
export const readRun = (folder: string): Checked<RunNote> => {
  const spec = join(folder, fileNames.spec);
  if (!hasEntry(spec))
    return left([
      problem(
        folder,
        isFile(folder) ? 'a file' : `no ${fileNames.spec} in it`,
        'the folder of a run',
        basename(folder) === fileNames.spec ? 'give the folder that it is in' : undefined,
      ),
    ]);
  const experiment = read(spec, 'a specification as JSON', decodeExperiment);
  const settings = readOptional(join(folder, fileNames.settings), 'the settings of a run', decodeSettings);
  const preprocessing = readOptional(
    join(folder, fileNames.preprocessing),
    'the preprocessing of a run',
    decodePreprocessing,
  );
  const metrics = readOptional(join(folder, fileNames.metrics), 'the metrics of a run', decodeMetrics);
  if (isLeft(experiment) || isLeft(settings) || isLeft(preprocessing) || isLeft(metrics))
    return left(
      [experiment, settings, preprocessing, metrics].flatMap((one) => (isLeft(one) ? one.left : [])),
    );
  return right({
    folder,
    experiment: experiment.right,
    settings: settings.right,
    preprocessing: preprocessing.right,
    metrics: metrics.right ?? {},
    checkpoints: checkpointSteps(folder),
    holder: holderOf(folder),
  });
};

/** Whether there is anything to open; a run that has just begun has nothing. */
export const hasWeights = ({ folder, checkpoints }: RunNote): boolean =>
  checkpoints.length > 0 || isFile(join(folder, fileNames.weights));

/** Which weights of a run: those that it leaves, the last ones, those of the best validation, or those after so many steps. */
export type At = 'model' | 'last' | 'best' | number;

/** The one that was asked for stands in for no other. */
const asked = (path: string): Checked<Found> =>
  map((found: Checkpoint): Found => ({ ...found, broken: [] }))(readCheckpoint(path));

const lastCheckpoint = ({ folder, checkpoints }: RunNote): Checked<Found> => {
  if (checkpoints.length > 0) return lastWhole(folder, checkpoints);
  const weights = join(folder, fileNames.weights);
  return isFile(weights)
    ? asked(weights)
    : left([
        problem(
          folder,
          'no checkpoint and no weights',
          'a run that has been trained',
          'it was ended before its first checkpoint: train it again',
        ),
      ]);
};

const noCheckpoint = ({ folder, checkpoints }: RunNote, what: string): Checked<never> =>
  left([problem(folder, `no checkpoint ${what}`, `one of step ${checkpoints.join(', ')}`)]);

/** The checkpoint of a run that was asked for; the path of a run counts from the current folder. */
export const checkpointAt = (note: RunNote, at: At = 'model'): Checked<Found> => {
  if (typeof at === 'number')
    return note.checkpoints.includes(at)
      ? asked(checkpointPath(note.folder, at))
      : noCheckpoint(note, `after ${at} steps`);
  const last = lastCheckpoint(note);
  if (isLeft(last) || at === 'last') return last;
  const { best, ended } = last.right.loop;
  const wantsBest = at === 'best' || (ended && note.settings?.policy.restoreBest === true);
  if (!wantsBest) return last;
  if (best === undefined) return at === 'best' ? noCheckpoint(note, 'of a validation') : last;
  return note.checkpoints.includes(best.step)
    ? asked(checkpointPath(note.folder, best.step))
    : noCheckpoint(note, `of the best validation, after ${best.step} steps`);
};
