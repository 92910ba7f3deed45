/** Progress for people: one line kept in place on a terminal, a line every tenth of the way elsewhere. */
import type { StepEvent, Terms, TestEvent, TrainEvent, ValidationEvent } from './events.js';
import { type Experiment, type Objective, scheduledWeights } from '../../dsl/index.js';
import { settledLossOf } from './settled-loss.js';
import { createStatusLine, type Screen } from './status-line.js';

export type Progress = {
  readonly onEvent: (event: TrainEvent) => void;
  /** A line that stays, above the one that is kept in place. */
  readonly line: (text: string) => void;
  /** Leaves the line that was kept in place. */
  readonly end: () => void;
};

/** Four significant digits at most: `0.1235`, `12.3`, `1.2e-7`. */
export const short = (value: number): string => {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
  return size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
};

/** `12 s`, `3 min 5 s`, `2 h 10 min`. */
export const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
};

export const bar = (part: number, width: number): string => {
  const full = Math.round(part * width);
  return '━'.repeat(full) + '─'.repeat(width - full);
};

/**
 * Steps per second, steps and seconds both weighted by how recent they are (half after two seconds), so that it neither jumps nor lags. Not known
 * at the first step of a run that goes on: its seconds are those of all steps before.
 */
const smoothRate = (): ((event: StepEvent) => number | undefined) => {
  let last: number | undefined;
  let seen = 0;
  let steps = 0;
  let spent = 0;
  return ({ step, seconds }) => {
    const since = last ?? (step === 0 ? 0 : undefined);
    last = seconds;
    if (since === undefined) return undefined;
    const latest = Math.max(seconds - since, 1e-6);
    // The first steps pay for warming up; they count until there are others.
    const keep = seen++ < 3 ? 0 : 2 ** (-latest / 2);
    steps = keep * steps + 1;
    spent = keep * spent + latest;
    return steps / spent;
  };
};

const REDRAWS_PER_SECOND = 10;

/** A step's terms as a reader is to take them: a surrogate says that it is one. */
const shown = ({ terms, surrogates = {} }: StepEvent): Terms => ({
  ...terms,
  ...Object.fromEntries(Object.entries(surrogates).map(([name, value]) => [`${name} (surrogate)`, value])),
});

type TermsText = (terms: Terms, step: number) => string;

/** `reconstruction 0.976 × 57.1`: a term whose weight is a schedule without it, so that it falls while the model improves, then the weight. */
const weighted = (objective: Objective): TermsText => {
  const weights = scheduledWeights(objective);
  return (terms, step) =>
    Object.entries(terms)
      .map(([name, value]) => {
        const weight = weights.get(name)?.(step);
        return weight === undefined || weight === 0
          ? `${name} ${short(value)}`
          : `${name} ${short(value / weight)} × ${short(weight)}`;
      })
      .join('  ');
};

/** What is said of a loss that is not the one at its step: schedules make that grow while the model improves. */
export const settledText = (at: number, steps: number): string =>
  at === steps ? 'weights of the last step' : `weights of step ${at}`;

/** Of a validation, or of the test at the end. */
const evaluatedText = (
  { tag, step, loss, terms, settled, metrics = {} }: ValidationEvent | TestEvent,
  termsText: TermsText,
  note: string,
): string => {
  const compared = settled?.['loss'];
  const text = compared === undefined ? short(loss) : `${short(compared)} (${note})`;
  return `      ${tag} at step ${step}  loss ${text}  ${termsText({ ...terms, ...metrics }, step)}`;
};

/** Follows a run of `steps` steps of `batch` examples; its losses are compared by the schedules of step `settledAt`. */
export const createProgress = (
  screen: Screen,
  { steps, batch, objective }: Pick<Experiment, 'steps' | 'batch' | 'objective'>,
  settledAt: number = steps,
): Progress => {
  const note = settledText(settledAt, steps);
  const termsText = weighted(objective);
  const settledLoss = settledLossOf(objective, settledAt);
  const lossOf = ({ terms, loss, step }: StepEvent): number => settledLoss?.(terms, step) ?? loss;
  const { inPlace, line, draw: redraw, end } = createStatusLine(screen);
  const rateOf = smoothRate();
  let drawn = -1;
  /** Tenths of the way; a run that goes on has the first of them behind it. */
  let tenth: number | undefined;
  let validation: ValidationEvent | undefined;

  const pace = (event: StepEvent, rate: number | undefined): readonly string[] =>
    rate === undefined
      ? []
      : [
          `${short(rate)} steps/s`,
          `${short(rate * batch)} examples/s`,
          `${duration((steps - event.step - 1) / rate)} left`,
        ];

  const draw = (event: StepEvent, rate: number | undefined): void => {
    const done = event.step + 1;
    const start = `${String(done).padStart(String(steps).length)}/${steps} ${bar(done / steps, 20)}`;
    const seen =
      validation === undefined
        ? []
        : [`validation ${short(validation.settled?.['loss'] ?? validation.loss)}`];
    const loss = `loss ${short(lossOf(event))}`;
    redraw([start, ...pace(event, rate), loss, ...seen, termsText(shown(event), event.step)].join('  '));
  };

  const onStep = (event: StepEvent): void => {
    const rate = rateOf(event);
    const done = event.step + 1;
    const isLast = done === steps;
    if (inPlace) {
      if (!isLast && event.seconds - drawn < 1 / REDRAWS_PER_SECOND) return;
      drawn = event.seconds;
      draw(event, rate);
      return;
    }
    const before = tenth ?? Math.floor((10 * event.step) / steps);
    tenth = Math.max(before, Math.floor((10 * done) / steps));
    if (!isLast && tenth === before) return;
    const part = `${Math.round((100 * done) / steps)}%`.padStart(4);
    const at = settledLoss === undefined ? '' : ` (${note})`;
    line(
      [
        ...[part, `step ${done}/${steps}`, `loss ${short(lossOf(event))}${at}`],
        ...[termsText(shown(event), event.step), ...pace(event, rate)],
      ].join('  '),
    );
  };

  return {
    line,
    onEvent: (event) => {
      if (event.tag === 'step') return onStep(event);
      if (event.tag === 'notice') return line(event.text);
      if (event.tag === 'validation') validation = event;
      if (!inPlace || event.tag === 'test') line(evaluatedText(event, termsText, note));
    },
    end: () => {
      end();
    },
  };
};
