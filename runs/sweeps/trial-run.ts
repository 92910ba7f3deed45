/** A trial from its data to its figures. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { openData } from '../../data/index.js';
import type { Problem } from '../../dsl/index.js';
import { startBackend } from '../../backends/choose.js';
import { attempt } from '../../backends/failure.js';
import type { StepEvent, TrainEvent, ValidationEvent } from '../records/events.js';
import { type Fitted, prepareRun, type Run } from '../fit.js';
import { holdOut, type Parts, scoredInMemory } from '../hold-out.js';
import { type Figures, noFiniteStep, type TrialResult } from './outcome.js';
import { pinProblems } from './fingerprint.js';
import { provenance } from './provenance.js';
import type { Array1 } from '../state.js';
import { experimentOf, type Trial } from './trial.js';

type Checked<A> = Either<readonly Problem[], A>;

/** What was measured of a fitted model: figures, why some are missing, and arrays such as samples that are kept beside them. */
export type Measured = {
  readonly figures: Figures;
  readonly missing: readonly Problem[];
  readonly arrays: ReadonlyMap<string, Array1>;
};

export type Measure<Evaluation> = (
  evaluation: Evaluation,
  model: { readonly fitted: Fitted; readonly data: Parts; readonly seed: number },
) => Promise<Checked<Measured>>;

export type Tried = { readonly result: TrialResult; readonly arrays: ReadonlyMap<string, Array1> };

const isStep = (event: TrainEvent): event is StepEvent => event.tag === 'step';
const isValidation = (event: TrainEvent): event is ValidationEvent => event.tag === 'validation';

/** Sees every event; training waits for it. */
type OnEvent = (event: TrainEvent) => Promise<void> | void;

type Trained = Pick<TrialResult, 'steps' | 'skipped' | 'seconds' | 'loss' | 'validation'>;

const trained = async (run: Run, onEvent: OnEvent): Promise<Checked<Trained>> => {
  const steps: StepEvent[] = [];
  let last: ValidationEvent | undefined;
  for await (const event of run.events) {
    await onEvent(event);
    if (isStep(event)) steps.push(event);
    if (isValidation(event)) last = event;
  }
  const skipped = steps.filter((event) => !event.committed).length;
  if (steps.length > 0 && skipped === steps.length) {
    return left([noFiniteStep(run.compiled.experiment, steps)]);
  }
  const { seconds = 0, loss = NaN } = steps.at(-1) ?? {};
  return right({ steps: steps.length, skipped, seconds, loss, validation: last?.terms ?? {} });
};

/** Checks, trains and measures. On the left what was wrong, be it the specification, the data, the training or the measuring. */
export const runTrial = <Evaluation>(
  trial: Trial<Evaluation>,
  measure: Measure<Evaluation>,
  onEvent: OnEvent = () => undefined,
): Promise<Checked<Tried>> =>
  attempt(async (): Promise<Checked<Tried>> => {
    const experiment = experimentOf(trial);
    if (isLeft(experiment)) return experiment;
    const moved = trial.pins === undefined ? [] : await pinProblems(trial.pins);
    if (moved.length > 0) return left(moved);
    const split = await openData(experiment.right.data)();
    if (isLeft(split)) return split;
    const held = holdOut(split.right, trial.heldOut);
    if (isLeft(held)) return held;
    const parts = await scoredInMemory(held.right);
    if (isLeft(parts)) return parts;
    const data = parts.right;
    const backend = await startBackend(trial.backend, { device: trial.device });
    if (isLeft(backend)) return backend;
    const { seed } = trial;
    const run = await prepareRun(experiment.right, {
      data: { ...data, test: data.validation },
      backend: backend.right,
      seed,
    });
    if (isLeft(run)) return run;
    const { fitted } = run.right;
    try {
      const training = await trained(run.right, onEvent);
      if (isLeft(training)) return training;
      const measured = await measure(trial.evaluation, { fitted, data, seed });
      if (isLeft(measured)) return measured;
      const memory = process.resourceUsage().maxRSS * 1024;
      const { figures, missing, arrays } = measured.right;
      const { name } = backend.right;
      return right({
        result: {
          backend: name,
          provenance: provenance(),
          ...training.right,
          memory,
          measures: figures,
          missing,
        },
        arrays,
      });
    } finally {
      fitted.dispose();
    }
  }).then((outcome) => (isLeft(outcome) ? outcome : outcome.right));
