/**
 * One way to run: from a checked specification, data, a backend and options to events, a model and findings. Training from the command
 * line, a trial of a sweep, going on with a run and `fit` are this function with other options.
 */
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Source, Split } from '../../data/index.js';
import { type Experiment, namesOf, optionProblems, type Problem, problem } from '../../dsl/index.js';
import { attempt, BackendFailure, BackendLost } from '../../backends/failure.js';
import type { Fitted } from '../model/model.js';
import { isFiniteState } from '../model/state.js';
import { nameIn, ranOn } from '../records/backends.js';
import type { Evaluated, StepEvent, TrainEvent, ValidationEvent } from '../records/events.js';
import { brokenText, type Checkpoint, initialLoop, type LoopState } from './checkpoint.js';
import { goesOn } from './keeper.js';
import { keepExamples } from './kept-examples.js';
import { createTrainer, type Trainer } from './loop.js';
import { explainNotFinite } from './not-finite.js';
import { type Place, placeOf, type PlaceOptions, ranBefore } from './place.js';
import { prepare, type Prepared, prepareNames, type PrepareOptions } from './prepare.js';
import { factorOf, setFactor } from './rate-factor.js';
import { fileNames } from './run-folder.js';
import { type Kept, shelfIn, shelfInMemory } from './shelf.js';
import { brokenWeights, notFiniteProblem, type Summary } from './summary.js';

type Checked<A> = Either<readonly Problem[], A>;

export type TrainOptions<Found = undefined> = Omit<PrepareOptions, 'state' | 'settledAt'> &
  PlaceOptions & {
    /** Sees every event, and training waits for it; an error that it throws ends the run, and is thrown again. */
    readonly onEvent?: ((event: TrainEvent) => void | Promise<void>) | undefined;
    /** Ends the run between two steps. */
    readonly signal?: AbortSignal | undefined;
    /** Called when every check has passed and before the first step. */
    readonly onStart?: ((run: Started) => void | Promise<void>) | undefined;
    /** What is measured of the model at the end, unless the run was interrupted. */
    readonly measure?: ((run: Measurable) => Promise<Checked<Found>>) | undefined;
  };

const names = namesOf<TrainOptions<unknown>>({
  ...prepareNames,
  onEvent: true,
  signal: true,
  onStart: true,
  measure: true,
  keep: true,
  from: true,
});

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

/** Work on the session that is done again where its backend fails and another one is there; after all steps, `over` is how many. */
const surviving = async <A>(
  trainer: Trainer,
  heard: (event: TrainEvent) => Promise<void>,
  work: () => Promise<A>,
  over?: number,
): Promise<A> => {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BackendLost)) throw error;
      await heard(await trainer.move(error, over));
    }
  }
};

const failureOf = (problems: readonly Problem[]): BackendFailure =>
  new BackendFailure(problems[0] ?? problem('run', 'nothing', 'a run'));

/** Everything from the first step on; the caller disposes and closes. */
const perform = async <Found>(
  prepared: Prepared,
  place: Place | undefined,
  options: TrainOptions<Found>,
): Promise<Checked<Trained<Found>>> => {
  const { session, start: state, model, data, policy, experiment, compiled } = prepared;
  const { onEvent, signal, measure, onStart, from } = options;
  const keeper = place?.keeper;
  const shelf: Kept = place === undefined ? shelfInMemory() : shelfIn(place.folder, place.keeper);
  const started: Started = { prepared, folder: keeper?.path };

  const bytes = [...state.arrays.values()].reduce((sum, { data: own }) => sum + 2 * own.byteLength, SLACK);
  const room = keeper?.reserve(bytes);
  if (room !== undefined && isLeft(room)) return room;
  await onStart?.(started);

  let ran = ranOn(from === undefined ? [] : ranBefore(from), state.step, nameIn(prepared.backend));
  const heard = async (event: TrainEvent): Promise<void> => {
    if (event.tag === 'notice' && event.notice === 'moved') {
      const backend = session.backend();
      ran = ranOn(ran, event.step, nameIn(backend));
      const noted = keeper?.note({ backend: backend.name, ran });
      if (noted !== undefined && isLeft(noted)) throw failureOf(noted.left);
    }
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
  const begins: LoopState = {
    ...(from?.checkpoint?.loop ?? initialLoop),
    settledAt: prepared.settledAt,
  };
  const trainer = createTrainer(
    {
      experiment,
      session,
      train: data.train,
      validation: prepared.validation,
      batches: prepared.batches,
      policy,
      from: { ...begins, ended: from?.isOver === true },
      start: state,
      next: prepared.next,
      signal,
      explain: async (event, examples) => explainNotFinite(compiled, await session.state(), event, examples),
    },
    shelf,
  );
  /** The last checkpoint has the room that was kept for it, also where the disk is full now. Weights that are not finite are not kept. */
  const keepLast = async (): Promise<Checkpoint> => {
    keeper?.release();
    const last = await trainer.checkpoint();
    const good = isFiniteState(last.state) ? last : await shelf.back(undefined);
    if (good === undefined) return last;
    await shelf.save(good);
    await shelf.settled();
    const left = keeper?.leave(good.state);
    if (left !== undefined && isLeft(left)) throw failureOf(left.left);
    return last;
  };

  let followed: Followed;
  try {
    if (factorOf(state) !== begins.factor)
      await surviving(trainer, heard, () => session.restore(setFactor(state, begins.factor)));
    // A run that is killed at any time has something to go on from.
    if (from?.checkpoint === undefined && keeper !== undefined)
      await shelf.save(await surviving(trainer, heard, trainer.checkpoint));
    const { broken = [], state: taken } = from?.checkpoint ?? {};
    if (broken.length > 0 && taken !== undefined)
      await heard({
        tag: 'notice',
        step: taken.step,
        notice: 'passed',
        text: brokenText(broken, taken.step),
      });
    followed = await follow(trainer, heard);
  } catch (error) {
    // What ended it is what is told, whatever else fails now.
    await shelf.settled().catch(() => undefined);
    await keepLast().catch(() => undefined);
    throw goesOn(error, keeper);
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

  if (!isFiniteState(last.state)) return left([brokenWeights(last.state, followed.last)]);

  const { best } = loop;
  const restored = loop.ended && policy.restoreBest && best !== undefined && best.step !== taken;
  if (restored)
    await heard({
      tag: 'notice',
      step: best.step,
      notice: 'restored',
      text: `the weights of step ${best.step} are restored, where ${policy.criterion.by} was best`,
    });
  /** What is seen of the weights that the run leaves, on the backend that it ends on. */
  const leave = async (): Promise<Checked<Evaluated | undefined>> => {
    const found = restored ? await shelf.at(best.step) : undefined;
    if (found !== undefined) await session.restore(found.state);
    const tested = loop.ended && data.test.size > 0 ? await session.evaluate(data.test) : undefined;
    if (keeper === undefined) return right(tested);
    const leaves = restored ? keeper.leave(await session.state()) : right('');
    const kept = isLeft(leaves) ? leaves : await keepExamples(model, data, keeper);
    return isLeft(kept) ? kept : right(tested);
  };
  const seen = await surviving(trainer, heard, leave, taken).catch((error: unknown) => {
    throw goesOn(error, keeper);
  });
  if (isLeft(seen)) return seen;
  const test = seen.right;
  if (test !== undefined) await heard({ tag: 'test', ...test });
  const step = restored ? best.step : taken;
  const summary: Summary = {
    end: !loop.ended ? 'interrupted' : taken < experiment.steps ? 'stopped' : 'steps',
    steps: taken,
    skipped: loop.skipped,
    guarded: loop.guarded,
    seconds: loop.seconds,
    loss: followed.last?.loss ?? NaN,
    validation: followed.validation,
    test,
    best,
    step,
    ran,
  };
  const found = loop.ended ? await measure?.({ ...started, model, data, summary }) : undefined;
  if (found !== undefined && isLeft(found)) return found;
  const finished = loop.ended ? keeper?.note({ finished: taken }) : undefined;
  if (finished !== undefined && isLeft(finished)) return finished;
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
  const unknown = optionProblems('trainRun', options, names);
  if (unknown.length > 0) return left(unknown);
  const from = options.from?.checkpoint;
  const made = await attempt(() =>
    prepare(spec, { ...options, state: from?.state, settledAt: from?.loop.settledAt }),
  );
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
