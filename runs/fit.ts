/** From an experiment and data to a fitted model. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Compiled, compile } from '../compiler/index.js';
import { type Batches, trainingBatches } from '../data/batches.js';
import type { Source, Split } from '../data/dataset.js';
import {
  checkExperiment,
  dataShapeOf,
  type Experiment,
  type NetworkValue,
  type Problem,
  problem,
  sameShape,
  type Shape,
  showShape,
} from '../dsl/index.js';
import { deriveKey, uniforms } from '../dsl/random.js';
import type { Backend } from '../backends/backend.js';
import { fillDraw } from '../backends/draws.js';
import type { TrainEvent } from './records/events.js';
import { createSession, type Session } from './session.js';
import { initialState, type TrainState } from './state.js';
import { train } from './train.js';

/** Codes to decode: row-major [count, d]. */
export type Prior = (count: number, seed: number) => Float32Array;

/** What an expression of a trained model is evaluated with. */
export type Model = {
  readonly experiment: Experiment;
  readonly backend: Backend;
  readonly state: () => Promise<TrainState>;
};

export type Fitted = Model & {
  readonly compiled: Compiled;
  readonly encode: Session['encode'];
  readonly decode: Session['decode'];
  /** decode ∘ encode. */
  readonly reconstruct: (examples: Float32Array | Source) => Promise<Float32Array>;
  /** Decodes codes of a prior, N(0, I) unless another is given. */
  readonly sample: (
    count: number,
    options?: { readonly seed?: number; readonly prior?: Prior },
  ) => Promise<Float32Array>;
  readonly evaluate: Session['evaluate'];
  /** Exact, with the distance from the manifold beside it; undefined for an experiment without a density. */
  readonly logProb: Session['logProb'];
  readonly dispose: () => void;
};

/** A run that has passed every check and waits to be iterated. */
export type Run = {
  readonly compiled: Compiled;
  readonly backend: Backend;
  readonly events: AsyncIterable<TrainEvent>;
  readonly fitted: Fitted;
};

export type StartBackend = (compiled: Compiled) => Promise<Either<readonly Problem[], Backend>>;

export type FitOptions = {
  readonly data: Split<Source>;
  /** One that runs, or how to start one for what was compiled. */
  readonly backend: Backend | StartBackend;
  readonly seed?: number;
  /** Sees every event as it comes. */
  readonly onEvent?: (event: TrainEvent) => void;
};

const standardNormal =
  (d: number): Prior =>
  (count, seed) => {
    const codes = new Float32Array(count * d);
    fillDraw('normal', { examples: count, probes: 1, size: d }, { seed, name: 'sample', step: 0 }, codes);
    return codes;
  };

const fittedOf = (compiled: Compiled, backend: Backend, session: Session): Fitted => {
  const { experiment } = compiled;
  const d = experiment.decoder.input.reduce((a, b) => a * b, 1);
  return {
    experiment,
    compiled,
    backend,
    encode: session.encode,
    decode: session.decode,
    reconstruct: async (examples) => session.decode(await session.encode(examples)),
    sample: (count, { seed = 0, prior = standardNormal(d) } = {}) => session.decode(prior(count, seed)),
    evaluate: session.evaluate,
    logProb: session.logProb,
    state: session.state,
    dispose: session.dispose,
  };
};

/** How a specification is made to fit data; an inverted flow is changed at its other end. */
const fitting = ({ name, inverts }: NetworkValue, shape: Shape): string =>
  inverts === undefined
    ? `let ${name} begin with input(${shape.join(', ')})`
    : `let ${name} end in ${showShape(shape)}`;

/** Data whose examples are not what the objective reads. */
const dataProblems = (experiment: Experiment, split: Split<Source>): readonly Problem[] => {
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

const batchesOf = (
  experiment: Experiment,
  size: number,
  seed: number,
): Either<readonly Problem[], Batches> => {
  const key = deriveKey(seed, 'batches');
  return trainingBatches(size, experiment.batch, (epoch, count) => uniforms(key, [0, 0, epoch], count));
};

/** Checks and compiles everything, and trains nothing yet. */
export const prepareRun = async (
  spec: Experiment,
  { data, backend: given, seed = 0 }: FitOptions,
): Promise<Either<readonly Problem[], Run>> => {
  const checked = checkExperiment(spec);
  if (isLeft(checked)) return checked;
  const experiment = checked.right;
  const problems = dataProblems(experiment, data);
  if (problems.length > 0) return left(problems);
  const batches = batchesOf(experiment, data.train.size, seed);
  if (isLeft(batches)) return batches;
  const compiled = compile(experiment);
  if (isLeft(compiled)) return compiled;
  const started = typeof given === 'function' ? await given(compiled.right) : right(given);
  if (isLeft(started)) return started;
  const backend = started.right;
  const session = await createSession(compiled.right, backend, initialState(compiled.right, seed));
  return right({
    compiled: compiled.right,
    backend,
    events: train(experiment, session, data, batches.right),
    fitted: fittedOf(compiled.right, backend, session),
  });
};

/** Trains to the end. On the left every problem of the specification or the data; nothing is trained then. */
export const fit = async (
  spec: Experiment,
  options: FitOptions,
): Promise<Either<readonly Problem[], Fitted>> => {
  const run = await prepareRun(spec, options);
  if (isLeft(run)) return run;
  for await (const event of run.right.events) options.onEvent?.(event);
  return right(run.right.fitted);
};
