/** Every check before a run: the specification, the data, the metrics, the policy, the backend. Nothing is trained or written yet. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Compiled, compile, type Expressions } from '../../compiler/index.js';
import { type Batches, trainingBatches } from '../../data/batches.js';
import { openData, type OpenOptions, type Source, type Split } from '../../data/index.js';
import {
  checkExperiment,
  dataShapeOf,
  didYouMean,
  fieldsReadBy,
  type Experiment,
  type NetworkValue,
  type Problem,
  problem,
  sameShape,
  type Shape,
  showShape,
} from '../../dsl/index.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import type { Backend } from '../../backends/backend.js';
import { BackendLost } from '../../backends/failure.js';
import { memoryProblems } from '../../backends/memory.js';
import { fieldProblems } from '../model/fields.js';
import { createSession, type Session } from '../model/session.js';
import { initialState, type Tensor, type TrainState } from '../model/state.js';
import { fittedOf } from '../model/fitted.js';
import type { StepProfile } from '../model/step-profile.js';
import type { Fitted } from '../model/model.js';
import { withHeldOut } from './hold-out.js';
import { figureNames } from './figure.js';
import { policyProblems } from './judge.js';
import { metricsProgram, settledProgram } from './measured.js';
import { withRateFactor } from './rate-factor.js';
import { checkPolicy, defaultPolicy, type Policy, type PolicyOptions } from './settings.js';
import { type BackendChoice, isOpenEnded, type Succession, successionOf } from './succession.js';

type Checked<A> = Either<readonly Problem[], A>;

export type PrepareOptions = BackendChoice & {
  /** The data that the experiment names unless given. */
  readonly data?: Split<Source> | undefined;
  readonly seed?: number | undefined;
  /**
   * Where the data has no validation part: the part of the training examples below 1, or how many, that is held out; 0 to validate on the test
   * part. A tenth unless given.
   */
  readonly heldOut?: number | undefined;
  /** Expressions of the data, each a scalar, that validations report without their being in the loss. */
  readonly metrics?: Expressions | undefined;
  readonly policy?: PolicyOptions | undefined;
  /** Hears where the time of each training step goes. */
  readonly profile?: StepProfile | undefined;
  /** Sees a line now and then while data that is opened here takes long, or a backend that makes ready what it runs. */
  readonly onProgress?: ((line: string) => void) | undefined;
  /** Parameters that begin as these do, by path, such as `(await other.state()).arrays`; the others begin by their initializers. */
  readonly initial?: ReadonlyMap<string, Tensor> | undefined;
  /** The state to go on from; what it lacks begins as in a new run. */
  readonly state?: TrainState | undefined;
  /** The step whose schedules validations are compared by; the last one unless a run goes on that was to be of another length. */
  readonly settledAt?: number | undefined;
};

/** The options that all functions which train have. */
export const prepareNames = {
  data: true,
  backend: true,
  device: true,
  seed: true,
  heldOut: true,
  metrics: true,
  initial: true,
  policy: true,
  profile: true,
  onProgress: true,
} as const;

/** A run that has passed every check and waits to be trained. */
export type Prepared = {
  readonly experiment: Experiment;
  readonly compiled: Compiled;
  /** The one that it begins on; `session.backend` is the one that it is on. */
  readonly backend: Backend;
  /** What was asked for: a name, or `auto` where others may follow. */
  readonly asked: string;
  /** The one to go on with after one that failed; undefined where there is none. */
  readonly next: Succession['next'];
  readonly session: Session;
  /** The state that it begins from, as the backend holds it. */
  readonly start: TrainState;
  readonly model: Fitted;
  readonly data: Split<Source>;
  /** What validations are of; undefined where there are none. */
  readonly validation: Source | undefined;
  readonly heldOut: number | undefined;
  readonly batches: Batches;
  readonly policy: Policy;
  readonly metrics: Expressions;
  readonly seed: number;
  readonly settledAt: number;
};

/** How a specification is made to fit data; an inverted flow is changed at its other end. */
const fitting = ({ name, inverts }: NetworkValue, shape: Shape): string =>
  inverts === undefined
    ? `let ${name} begin with input(${shape.join(', ')})`
    : `let ${name} end in ${showShape(shape)}`;

/** Data whose examples, or whose fields, are not what the objective reads. */
const dataProblems = (experiment: Experiment, split: Split<Source>): readonly Problem[] => [
  ...exampleProblems(experiment, split),
  ...fieldProblems(fieldsReadBy(experiment), split.train),
];

const exampleProblems = (experiment: Experiment, split: Split<Source>): readonly Problem[] => {
  const { encoder, data } = experiment;
  const shape = dataShapeOf(experiment);
  const reader = sameShape(shape, encoder.input)
    ? `the input of network ${JSON.stringify(encoder.name)}`
    : 'the data of the objective';
  return [split.train, split.test]
    .filter((set) => set.size > 0 && !sameShape(set.shape, shape))
    .slice(0, 1)
    .map((set) =>
      problem(
        'data',
        `examples of shape ${showShape(set.shape)} in ${JSON.stringify(data)}`,
        `${showShape(shape)}, ${reader}`,
        ...(sameShape(shape, encoder.input) ? [fitting(encoder, set.shape)] : []),
      ),
    );
};

const batchesOf = (experiment: Experiment, size: number, seed: number): Checked<Batches> => {
  const key = deriveKey(seed, 'batches');
  return trainingBatches(size, experiment.batch, (epoch, count) => uniforms(key, [0, 0, epoch], count));
};

/** The state of a run that goes on: arrays that are of another shape now are a problem, those that are new begin as ever. */
export const continued = (initial: TrainState, from: TrainState | undefined): Checked<TrainState> => {
  if (from === undefined) return right(initial);
  const problems = [...initial.arrays].flatMap(([name, { shape }]) => {
    const found = from.arrays.get(name)?.shape;
    return found === undefined || sameShape(found, shape)
      ? []
      : [problem(`weights of ${name}`, showShape(found), showShape(shape))];
  });
  const arrays = new Map([...initial.arrays].map(([name, array]) => [name, from.arrays.get(name) ?? array]));
  return problems.length > 0 ? left(problems) : right({ seed: from.seed, step: from.step, arrays });
};

/** The state of a run that goes on, or that begins; a name that the model has no array of is a problem. */
const begun = (
  compiled: Compiled,
  seed: number,
  { state: from, initial }: Pick<PrepareOptions, 'state' | 'initial'>,
): Checked<TrainState> => {
  const fresh = initialState(compiled, seed);
  if (from !== undefined || initial === undefined) return continued(fresh, from);
  const names = [...fresh.arrays.keys()];
  const unknown = [...initial.keys()].filter((name) => !fresh.arrays.has(name));
  return unknown.length > 0
    ? left(
        unknown.map((name) =>
          problem('initial', JSON.stringify(name), 'a parameter of the model', didYouMean(name, names)),
        ),
      )
    : continued(fresh, { seed, step: 0, arrays: initial });
};

/** Validation intervals are what a run goes back by, where nothing else is said. */
const policyOf = (experiment: Experiment, options: PolicyOptions): Policy => {
  const policy = { ...defaultPolicy, ...options };
  return policy.notFinite !== 'halve' || options.checkpoints !== undefined
    ? policy
    : {
        ...policy,
        checkpoints: {
          ...policy.checkpoints,
          every: { tag: 'steps', steps: Math.max(1, experiment.validation.every) },
        },
      };
};

type Opened = { readonly backend: Backend; readonly session: Session; readonly start: TrainState };

/** A session that has its state: where a device has no memory for it, reading it back is what says so. */
const holding = async (session: Session): Promise<Omit<Opened, 'backend'>> => {
  try {
    return { session, start: await session.state() };
  } catch (error) {
    try {
      session.dispose();
    } catch {
      // It failed before; what it held is gone with it.
    }
    throw error;
  }
};

/** A session on the first backend that takes the programs and holds the state. */
const opened = async (
  { first, next }: Succession,
  open: (backend: Backend) => Promise<Session>,
): Promise<Checked<Opened>> => {
  const started = await first();
  if (isLeft(started)) return started;
  for (let backend = started.right; ;) {
    try {
      return right({ backend, ...(await holding(await open(backend))) });
    } catch (error) {
      const other = error instanceof BackendLost ? await next(backend.name) : undefined;
      if (other === undefined) throw error;
      backend = { ...other, description: `${other.description}, since ${backend.name} failed` };
    }
  }
};

export const progressOf = ({ onProgress }: Pick<PrepareOptions, 'onProgress'>): OpenOptions =>
  onProgress === undefined ? {} : { onProgress };

/** All checks; on the left every problem of the first that fails. */
export const prepare = async (spec: Experiment, options: PrepareOptions): Promise<Checked<Prepared>> => {
  const { heldOut, metrics = {}, state: from } = options;
  const checked = checkExperiment(spec);
  if (isLeft(checked)) return checked;
  const experiment = checked.right;
  const data =
    options.data === undefined
      ? await openData(experiment.data, process.cwd(), progressOf(options))()
      : right(options.data);
  if (isLeft(data)) return data;
  const problems = dataProblems(experiment, data.right);
  if (problems.length > 0) return left(problems);
  const { batch, validation } = experiment;
  const held = withHeldOut(data.right, heldOut, { validates: validation.every > 0, batch });
  if (isLeft(held)) return held;
  const { split } = held.right;
  const seed = from?.seed ?? options.seed ?? 0;
  const batches = batchesOf(experiment, split.train.size, seed);
  if (isLeft(batches)) return batches;
  const checkedPolicy = checkPolicy(policyOf(experiment, options.policy ?? {}));
  if (isLeft(checkedPolicy)) return checkedPolicy;
  const policy = checkedPolicy.right;
  const lowers = policy.plateau !== undefined || policy.notFinite === 'halve';
  const made = compile(lowers ? withRateFactor(experiment) : experiment);
  if (isLeft(made)) return made;
  const compiled: Compiled = { ...made.right, experiment };
  const measured = metricsProgram(compiled, metrics);
  if (isLeft(measured)) return measured;
  const { settledAt = experiment.steps } = options;
  const settled = settledProgram(compiled, settledAt);
  if (isLeft(settled)) return settled;
  const validates = validation.every > 0 && (split.validation?.size ?? 0) > 0;
  const names = figureNames(Object.keys(experiment.objective), Object.keys(metrics));
  const wrong = policyProblems(policy, names, validates);
  if (wrong.length > 0) return left(wrong);
  const large = memoryProblems(compiled, { isOnHost: false });
  if (large.length > 0) return left(large);
  const state = begun(compiled, seed, options);
  if (isLeft(state)) return state;
  const succession = successionOf(compiled, options, options.onProgress);
  const begins = await opened(succession, (backend) =>
    createSession(compiled, backend, state.right, {
      metrics: measured.right,
      settled: settled.right,
      profile: options.profile,
      onProgress: options.onProgress,
    }),
  );
  if (isLeft(begins)) return begins;
  const { backend, session, start } = begins.right;
  return right({
    experiment,
    compiled,
    backend,
    asked: isOpenEnded(options) ? 'auto' : backend.name,
    next: succession.next,
    session,
    start,
    model: fittedOf(compiled, session, split.preprocessing),
    data: split,
    validation: validates ? split.validation : undefined,
    heldOut: held.right.heldOut,
    batches: batches.right,
    policy,
    metrics,
    seed,
    settledAt,
  });
};
