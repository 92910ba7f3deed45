/**
 * One way to run: from a checked specification, data, a backend and options to events, a model and findings. Training from the command
 * line, a trial of a sweep, going on with a run and `fit` are this function with other options.
 */
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Source, Split } from '../../data/index.js';
import { type Experiment, type Problem, problem } from '../../dsl/index.js';
import { attempt, BackendFailure } from '../../backends/failure.js';
import type { Fitted } from '../model/model.js';
import type { Evaluated, StepEvent, TrainEvent, ValidationEvent } from '../records/events.js';
import { versions } from '../records/provenance.js';
import { type Checkpoint, initialLoop } from './checkpoint.js';
import { createRunFolder, type Keeper, reopenRunFolder } from './keeper.js';
import { keepExamples } from './kept-examples.js';
import { createTrainer, type Trainer } from './loop.js';
import { explainNotFinite } from './not-finite.js';
import { prepare, type Prepared, type PrepareOptions } from './prepare.js';
import { factorOf, setFactor } from './rate-factor.js';
import { fingerprintFor } from './fingerprint.js';
import { fileNames } from './run-folder.js';
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
  /** What was held out of the data before it was given. */
  readonly heldOut?: number | undefined;
};

export type TrainOptions<Found = undefined> = Omit<PrepareOptions, 'state'> & {
  /** Leaves a run folder; without it nothing is written. */
  readonly keep?: Keep | undefined;
  /** Goes on from a checkpoint; in the folder that it is of, where there is one. */
  readonly from?: {
    readonly checkpoint: Checkpoint;
    readonly folder?: string;
    readonly settings?: RunSettings;
  };
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
    heldOut: keep.heldOut ?? heldOut,
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
};

const evaluatedOf = ({ tag: _, ...rest }: ValidationEvent): Evaluated => rest;

/** Iterates the training; every event goes to the record, then to whoever listens. */
const follow = async (trainer: Trainer, heard: (event: TrainEvent) => Promise<void>): Promise<Followed> => {
  let last: StepEvent | undefined;
  let validation: Evaluated | undefined;
  for await (const event of trainer.events) {
    if (event.tag === 'step') last = event;
    if (event.tag === 'validation') validation = evaluatedOf(event);
    await heard(event);
  }
  return { last, validation };
};

const failureOf = (problems: readonly Problem[]): BackendFailure =>
  new BackendFailure(problems[0] ?? problem('run', 'nothing', 'a run'));

/** Everything from the first step on; the caller disposes and closes. */
const perform = async <Found>(
  prepared: Prepared,
  place: Place | undefined,
  options: TrainOptions<Found>,
): Promise<Checked<Trained<Found>>> => {
  const { session, model, data, policy, experiment, compiled } = prepared;
  const { onEvent, signal, measure, onStart, from } = options;
  const keeper = place?.keeper;
  const shelf: Kept = place === undefined ? shelfInMemory() : shelfIn(place.folder, place.keeper);
  const started: Started = { prepared, folder: keeper?.path };

  const state = await session.state();
  const bytes = [...state.arrays.values()].reduce((sum, { data: own }) => sum + 2 * own.byteLength, SLACK);
  const room = keeper?.reserve(bytes);
  if (room !== undefined && isLeft(room)) return room;
  await onStart?.(started);

  const heard = async (event: TrainEvent): Promise<void> => {
    if (keeper !== undefined) {
      const written = keeper.record.write(event);
      if (isLeft(written)) {
        // The last line has the room that was kept for it, and the last checkpoint then.
        keeper.release();
        keeper.record.write(event);
        throw failureOf(written.left);
      }
    }
    await onEvent?.(event);
  };
  const begins = from?.checkpoint.loop ?? initialLoop;
  if (factorOf(state) !== begins.factor) await session.restore(setFactor(state, begins.factor));
  const trainer = createTrainer(
    {
      experiment,
      session,
      train: data.train,
      validation: prepared.validation,
      batches: prepared.batches,
      policy,
      from: { ...begins, ended: false },
      signal,
      explain: async (event, examples) => explainNotFinite(compiled, await session.state(), event, examples),
    },
    shelf,
  );
  /** The last checkpoint has the room that was kept for it, also where the disk is full now. */
  const keepLast = async (): Promise<Checkpoint> => {
    keeper?.release();
    const last = await trainer.checkpoint();
    await shelf.save(last);
    await shelf.settled();
    const left = keeper?.leave(last.state);
    if (left !== undefined && isLeft(left)) throw failureOf(left.left);
    return last;
  };

  let followed: Followed;
  try {
    followed = await follow(trainer, heard);
  } catch (error) {
    await attempt(async () => shelf.settled());
    await attempt(keepLast);
    throw error;
  }
  const last = await keepLast();
  const { loop } = last;
  const taken = last.state.step;
  if (loop.skipped * 2 > taken && !policy.tolerateSkipped)
    return left([
      notFiniteProblem(experiment, followed.last, {
        skipped: loop.skipped,
        steps: taken,
        ...(keeper === undefined ? {} : { record: join(keeper.path, fileNames.record) }),
      }),
    ]);

  const { best } = loop;
  const restored = loop.ended && policy.restoreBest && best !== undefined && best.step !== taken;
  if (restored) {
    const found = await shelf.at(best.step);
    if (found !== undefined) await session.restore(found.state);
    await heard({
      tag: 'notice',
      step: best.step,
      notice: 'restored',
      text: `the weights of step ${best.step} are restored, where ${policy.criterion.by} was best`,
    });
  }
  const test = loop.ended && data.test.size > 0 ? await session.evaluate(data.test) : undefined;
  if (test !== undefined) await heard({ tag: 'test', ...test });
  const step = restored ? best.step : taken;
  if (keeper !== undefined) {
    const leaves = restored ? keeper.leave(await session.state()) : right('');
    const kept = isLeft(leaves) ? leaves : await keepExamples(model, data, keeper);
    if (isLeft(kept)) return kept;
  }
  const summary: Summary = {
    end: !loop.ended ? 'interrupted' : taken < experiment.steps ? 'stopped' : 'steps',
    steps: taken,
    skipped: loop.skipped,
    seconds: loop.seconds,
    loss: followed.last?.loss ?? NaN,
    validation: followed.validation,
    test,
    best,
    step,
  };
  const found = loop.ended ? await measure?.({ ...started, model, data, summary }) : undefined;
  if (found !== undefined && isLeft(found)) return found;
  return right({ model, summary, folder: keeper?.path, data, found: found?.right });
};

/**
 * Checks everything, then trains, keeps and measures. On the left what was wrong, be it the specification, the data, the training or
 * the disk; nothing stays with the backend then, and what was trained is in the run folder.
 */
export const trainRun = async <Found = undefined>(
  spec: Experiment,
  options: TrainOptions<Found>,
): Promise<Checked<Trained<Found>>> => {
  const made = await attempt(() => prepare(spec, { ...options, state: options.from?.checkpoint.state }));
  if (isLeft(made)) return made;
  if (isLeft(made.right)) return made.right;
  const prepared = made.right.right;
  let place: Place | undefined;
  let trained: Checked<Trained<Found>> | undefined;
  try {
    const placed = await placeOf(prepared, options);
    if (isLeft(placed)) return placed;
    place = placed.right;
    const performed = await attempt(() => perform(prepared, place, options));
    trained = isLeft(performed) ? performed : performed.right;
    return trained;
  } finally {
    if (trained === undefined || isLeft(trained)) prepared.session.dispose();
    place?.keeper.close();
  }
};
