/** Curves of training: a term at every step, smoothed and thinned for drawing, and its values on held-out data. */
import { settledText } from '../../runs/records/progress.js';
import { type Experiment, scheduledWeights } from '../../dsl/index.js';
import {
  isStep,
  isValidation,
  settledLossOf,
  type StepEvent,
  type TrainEvent,
  type ValidationEvent,
} from '../../runs/index.js';

export type Point = { readonly step: number; readonly value: number };

export type Curve = {
  readonly name: string;
  /** At most `MOST_POINTS` of the training values, extremes kept. */
  readonly raw: readonly Point[];
  readonly smooth: readonly Point[];
  readonly validation: readonly Point[];
  /** Whether values of all kinds are positive and span more than a factor of `LOG_FROM`. */
  readonly logarithmic: boolean;
};

const MOST_POINTS = 600;
const LOG_FROM = 20;
/** The smoothing window, as a part of the run. */
const WINDOW = 1 / 40;

const finite = (points: readonly Point[]): readonly Point[] =>
  points.filter(({ value }) => Number.isFinite(value));

/** The least and the greatest value of each stretch of steps. */
const thinned = (points: readonly Point[]): readonly Point[] => {
  if (points.length <= MOST_POINTS) return points;
  const stretch = Math.ceil((2 * points.length) / MOST_POINTS);
  return Array.from({ length: Math.ceil(points.length / stretch) }, (_, i) => {
    const part = points.slice(i * stretch, (i + 1) * stretch);
    const least = part.reduce((a, b) => (b.value < a.value ? b : a));
    const greatest = part.reduce((a, b) => (b.value > a.value ? b : a));
    return least.step < greatest.step ? [least, greatest] : [greatest, least];
  }).flat();
};

/** A bias-corrected exponential mean, thinned evenly. */
const smoothed = (points: readonly Point[]): readonly Point[] => {
  const decay = Math.exp(-1 / Math.max(1, points.length * WINDOW));
  let sum = 0;
  let weight = 0;
  const means = points.map(({ step, value }) => {
    sum = decay * sum + (1 - decay) * value;
    weight = decay * weight + (1 - decay);
    return { step, value: sum / weight };
  });
  const stride = Math.max(1, Math.ceil(means.length / (MOST_POINTS / 2)));
  return means.filter((_, i) => i % stride === 0 || i === means.length - 1);
};

const isWide = (points: readonly Point[]): boolean => {
  const values = points.map(({ value }) => value);
  const least = Math.min(...values);
  return values.length > 0 && least > 0 && Math.max(...values) / least > LOG_FROM;
};

const curveOf = (name: string, train: readonly Point[], held: readonly Point[]): Curve => {
  const raw = thinned(finite(train));
  const validation = finite(held);
  return {
    name,
    raw,
    smooth: smoothed(finite(train)),
    validation,
    logarithmic: isWide([...raw, ...validation]),
  };
};

/** Of an experiment, what each term whose weight is a schedule is multiplied by at a step. */
type Weights = ReturnType<typeof scheduledWeights>;

type Valued = StepEvent | ValidationEvent;

/** The loss, then every term: without its weight where that is a schedule. */
export const curvesOf = (
  events: readonly TrainEvent[],
  experiment?: Pick<Experiment, 'objective' | 'steps'>,
  settledAt = experiment?.steps ?? 0,
): readonly Curve[] => {
  const weights: Weights = experiment === undefined ? new Map() : scheduledWeights(experiment.objective);
  const settledLoss = experiment && settledLossOf(experiment.objective, settledAt);
  const steps = events.filter(isStep);
  const held = events.filter(isValidation);
  const names = Object.keys({ ...steps.at(0)?.terms, ...held.at(0)?.terms });
  const metrics = Object.keys({ ...held.at(0)?.metrics });
  const surrogates = Object.keys(steps.at(0)?.surrogates ?? {});
  const at = (value: (event: Valued) => number) => (event: Valued) => ({
    step: event.step,
    value: value(event),
  });
  const curve = (name: string, value: (event: Valued) => number): Curve =>
    curveOf(name, steps.map(at(value)), held.map(at(value)));
  return [
    ...(names.length + surrogates.length > 1
      ? [
          settledLoss === undefined || surrogates.length > 0
            ? curve('loss', (event) => event.loss)
            : curve(
                `loss, ${settledText(settledAt, experiment?.steps ?? settledAt)}`,
                ({ terms, step }) => settledLoss(terms, step) ?? NaN,
              ),
        ]
      : []),
    ...names.map((name) => {
      const weight = weights.get(name);
      return weight === undefined
        ? curve(name, (event) => event.terms[name] ?? NaN)
        : curve(`${name}, unweighted`, (event) => (event.terms[name] ?? NaN) / weight(event.step));
    }),
    ...metrics.map((name) => curve(`${name} (metric)`, (event) => event.metrics?.[name] ?? NaN)),
    ...surrogates.map((name) =>
      curve(`${name} (surrogate)`, (event) => (isStep(event) ? (event.surrogates?.[name] ?? NaN) : NaN)),
    ),
  ];
};

/** Of what is said besides the terms: how well a step's estimates are estimated, and on what part of the examples guards acted. */
export const diagnosisCurvesOf = (events: readonly TrainEvent[]): readonly Curve[] => {
  const [steps, held] = [events.filter(isStep), events.filter(isValidation)];
  const guards = [...new Set(steps.flatMap((event) => Object.keys(event.guards ?? {})))];
  return [...estimateCurvesOf(held), ...guards.map((name) => guardCurveOf(name, steps))];
};

const guardCurveOf = (name: string, steps: readonly StepEvent[]): Curve =>
  curveOf(
    name,
    steps.map(({ step, guards }) => ({ step, value: guards?.[name] ?? 0 })),
    [],
  );

const estimateCurvesOf = (held: readonly ValidationEvent[]): readonly Curve[] =>
  Object.keys(held.at(0)?.diagnosis ?? {}).map((name) =>
    curveOf(
      name,
      [],
      held.map(({ step, diagnosis }) => ({ step, value: diagnosis?.[name] ?? NaN })),
    ),
  );
