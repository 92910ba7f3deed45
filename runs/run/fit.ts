/** From an experiment and data to a fitted model, and to a run that is iterated step by step. */
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js';
import type { Compiled } from '../../compiler/index.js';
import { type Experiment, namesOf, optionProblems, type Problem } from '../../dsl/index.js';
import type { Backend } from '../../backends/backend.js';
import type { Fitted } from '../model/model.js';
import type { TrainEvent } from '../records/events.js';
import { initialLoop } from './checkpoint.js';
import { createTrainer } from './loop.js';
import { prepare, prepareNames, type PrepareOptions } from './prepare.js';
import { shelfInMemory } from './shelf.js';
import { type Trained, trainRun, type TrainOptions } from './train.js';

type Checked<A> = Either<readonly Problem[], A>;

/** A run that has passed every check and waits to be iterated; nothing of it is kept. */
export type Run = {
  readonly compiled: Compiled;
  readonly backend: Backend;
  readonly events: AsyncIterable<TrainEvent>;
  readonly fitted: Fitted;
};

const runNames = namesOf<PrepareOptions>({ ...prepareNames, state: true, settledAt: true });

/** Checks and compiles everything, and trains nothing yet. */
export const prepareRun = async (spec: Experiment, options: PrepareOptions = {}): Promise<Checked<Run>> => {
  const wrong = optionProblems('prepareRun', options, runNames);
  if (wrong.length > 0) return left(wrong);
  const prepared = await prepare(spec, options);
  if (isLeft(prepared)) return prepared;
  const { compiled, backend, model, session, start, experiment, data, validation, batches, policy, next } =
    prepared.right;
  const trainer = createTrainer(
    {
      experiment,
      session,
      train: data.train,
      validation,
      batches,
      policy,
      from: initialLoop,
      start,
      next,
    },
    shelfInMemory(),
  );
  return right({ compiled, backend, events: trainer.events, fitted: model });
};

export type FitOptions = Omit<TrainOptions, 'keep' | 'from' | 'measure' | 'onStart'> & {
  /** Leaves a run folder there, which is new or empty: what `openRun` opens and `resume` goes on with. */
  readonly out?: string | undefined;
};

const fitNames = namesOf<FitOptions>({ ...prepareNames, onEvent: true, signal: true, out: true });

/** Trains to the end. On the left every problem of the specification, the data or the training. */
export const fit = async (spec: Experiment, given: FitOptions = {}): Promise<Checked<Fitted>> => {
  const wrong = optionProblems('fit', given, fitNames);
  if (wrong.length > 0) return left(wrong);
  const { out, ...options } = given;
  const keep = out === undefined ? undefined : { name: 'fit', out, root: process.cwd() };
  const trained = await trainRun(spec, { ...options, keep });
  return map(({ model }: Trained<undefined>): Fitted => model)(trained);
};
