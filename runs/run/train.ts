/**
 * One way to run: from a checked specification, data, a backend and options to events, a model and findings. Training from the command
 * line, a trial of a sweep, going on with a run and `fit` are this function with other options.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Source, Split } from '../../data/index.js';
import { type Experiment, type Problem, sizeOf } from '../../dsl/index.js';
import { attempt } from '../../backends/failure.js';
import type { Fitted } from '../model/model.js';
import type { Evaluated, StepEvent, TrainEvent } from '../records/events.js';
import { versions } from '../records/provenance.js';
import { type Checkpoint, initialLoop } from './checkpoint.js';
import { createRunFolder, type Keeper, reopenRunFolder } from './keeper.js';
import { keepExamples } from './kept-examples.js';
import { createTrainer, type Trainer } from './loop.js';
import { explainNotFinite } from './not-finite.js';
import { prepare, type Prepared, type PrepareOptions } from './prepare.js';
import { fingerprintFor } from './fingerprint.js';
import type { RunSettings } from './settings.js';
import { type Kept, shelfIn, shelfInMemory } from './shelf.js';
import { notFiniteProblem, type Summary } from './summary.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Where a run is kept. */
export type Keep = {
  /** Names the folder, and heads reports. */
  readonly name: string;
  /** The folder, new or empty; absent for a new one under `outputs/`. */
  readonly out?: string | undefined;
  /** What may be in the folder already. */
  readonly mayHold?: (entry: string) => boolean;
  /** The folder that the data's reference is relative to; absent for data that was given in memory. */
  readonly root?: string | undefined;
  readonly device?: string | undefined;
};

export type TrainOptions<Found = undefined> = Omit<PrepareOptions, 'state'> & {
  /** Leaves a run folder; without it nothing is written. */
  readonly keep?: Keep | undefined;
  /** Goes on from a checkpoint; in the folder that it is of, where there is one. */
  readonly from?: { readonly checkpoint: Checkpoint; readonly folder?: string; readonly settings?: RunSettings };
  /** Sees every event, and training waits for it; an error that it throws ends the run, and is thrown again. */
  readonly onEvent?: ((event: TrainEvent) => void | Promise<void>) | undefined;
  /** Ends the run between two steps. */
  readonly signal?: AbortSignal | undefined;
  /** Called when every check has passed and before the first step. */
  readonly onStart?: ((run: Started) => void | Promise<void>) | undefined;
  /** What is measured of the model at the end, unless the run was interrupted. */
  readonly measure?: ((run: Measurable) => Promise<Checked<Found>>) | undefined;
};

export type Started = {
  readonly prepared: Prepared;
  /** Of the run, from the current folder. */
  readonly folder: string | undefined;
};

export type Measurable = Started & {
  readonly model: Fitted;
  readonly data: Split<Source>;
  readonly summary: Summary;
};

export type Trained<Found> = {
  /** Its weights stay with the backend until it is disposed. */
  readonly model: Fitted;
  readonly summary: Summary;
  readonly folder: string | undefined;
  readonly data: Split<Source>;
  /** Undefined for a run that was interrupted, or where nothing was to be measured. */
  readonly found: Found | undefined;
};

/** Bytes beside the arrays of a checkpoint, and what is left for the last lines of a record. */
const SLACK = 2 ** 18;

const settingsOf = async (prepared: Prepared, keep: Keep): Promise<Checked<RunSettings>> => {
  const { data, experiment, backend, policy, heldOut, seed } = prepared;
  const fingerprint = await fingerprintFor(data);
  if (isLeft(fingerprint)) return fingerprint;
  return right({
    name: keep.name,
    seed,
    heldOut,
    backend: backend.name,
    device: keep.device ?? 'auto',
    data: {
      reference: experiment.data,
      root: keep.root,
      fingerprint: fingerprint.right,
      sizes: {
        train: data.train.size,
        validation: data.validation?.size ?? 0,
        test: data.test.size,
      },
    },
    policy,
    started: new Date().toISOString(),
    versions: versions(),
  });
};

type Place = { readonly folder: string; readonly keeper: Keeper };

const placeOf = async <Found>(
  prepared: Prepared,
  { keep, from }: TrainOptions<Found>,
): Promise<Checked<Place | undefined>> => {
  const { experiment, data, policy, metrics } = prepared;
  const { preprocessing } = data;
  if (from?.folder !== undefined && from.settings !== undefined) {
    const beginning = { experiment, settings: { ...from.settings, policy }, preprocessing, metrics };
    const keeper = reopenRunFolder(from.folder, beginning, from.checkpoint);
    return isLeft(keeper) ? keeper : right({ folder: from.folder, keeper: keeper.right });
  }
  if (keep === undefined) return right(undefined);
  const settings = await settingsOf(prepared, keep);
  if (isLeft(settings)) return settings;
  const beginning = { experiment, settings: settings.right, preprocessing, metrics };
  const keeper = createRunFolder(beginning, keep.out, keep.mayHold);
  return isLeft(keeper) ? keeper : right({ folder: keeper.right.folder, keeper: keeper.right });
};

type Followed = {
  readonly last: StepEvent | undefined;
  readonly validation: Evaluated | undefined;
  readonly why: string | undefined;
};

/** Iterates the training; every event goes to the record, then to whoever listens. */
const follow = async (
  trainer: Trainer,
  heard: (event: TrainEvent) => Promise<void>,
): Promise<Followed> => {
  let last: StepEvent | undefined;
  let validation: Evaluated | undefined;
  let why: string | undefined;
  for await (const event of trainer.events) {
    if (event.tag === 'step') last = event;
    if (event.tag === 'validation') validation = event;
    if (event.tag === 'notice' && event.notice === 'skipped') why = event.text;
    await heard(event);
  }
  return { last, validation, why };
};
