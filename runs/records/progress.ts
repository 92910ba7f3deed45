/** Progress for people: one line kept in place on a terminal, a line every tenth of the way elsewhere. */
import type { StepEvent, Terms, TrainEvent, ValidationEvent } from './events.js';

/** What the lines are written to; `process.stderr` is one. */
export type Screen = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly write: (text: string) => unknown;
};

export type Progress = {
  readonly onEvent: (event: TrainEvent) => void;
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

const listed = (terms: Terms): string =>
  Object.entries(terms)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join('  ');

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

/** Steps per second, steps and seconds both weighted by how recent they are (half after two seconds), so that it neither jumps nor lags. */
const smoothRate = (): ((event: StepEvent) => number) => {
  let last = 0;
  let steps = 0;
  let spent = 0;
  return ({ step, seconds }) => {
    const latest = Math.max(seconds - last, 1e-6);
    last = seconds;
    // The first steps pay for warming up; they count until there are others.
    const keep = step < 3 ? 0 : 2 ** (-latest / 2);
    steps = keep * steps + 1;
    spent = keep * spent + latest;
    return steps / spent;
  };
};

const REDRAWS_PER_SECOND = 10;

/** What was not finite: terms by name, or else the gradient or what the optimizer made of it. */
const culprits = ({ terms, loss, gradientNorm, rate }: StepEvent): string => {
  const broken = Object.entries(terms).filter(([, value]) => !Number.isFinite(value));
  if (broken.length > 0) return broken.map(([name, value]) => `${name} is ${value}`).join(', ');
  return `loss ${short(loss)}, gradient norm ${short(gradientNorm)}, rate ${short(rate)}; an update was not finite`;
};

/** Follows a run of `steps` steps of `batch` examples. */
export const createProgress = (
  screen: Screen,
  { steps, batch }: { readonly steps: number; readonly batch: number },
): Progress => {
  const inPlace = screen.isTTY === true;
  const rateOf = smoothRate();
  let drawn = -1;
  let kept = false;
  let tenth = 0;
  let validation: ValidationEvent | undefined;
  let skipped = false;

  const line = (text: string): void => {
    screen.write(`${kept ? '\r\x1b[K' : ''}${text}\n`);
    kept = false;
  };

  const pace = (event: StepEvent, rate: number): string =>
    `${short(rate)} steps/s  ${short(rate * batch)} examples/s  ${duration((steps - event.step - 1) / rate)} left`;

  const draw = (event: StepEvent, rate: number): void => {
    const done = event.step + 1;
    const start = `${String(done).padStart(String(steps).length)}/${steps} ${bar(done / steps, 20)}`;
    const seen = validation === undefined ? '' : `  validation ${short(validation.loss)}`;
    const text = `${start}  ${pace(event, rate)}  loss ${short(event.loss)}${seen}  ${listed(event.terms)}`;
    screen.write(`\r\x1b[K${text.slice(0, Math.max(20, (screen.columns || 80) - 1))}`);
    kept = true;
  };

  const onStep = (event: StepEvent): void => {
    const rate = rateOf(event);
    const done = event.step + 1;
    if (!event.committed && !skipped) {
      skipped = true;
      line(`step ${event.step} was skipped, as further ones like it will be: ${culprits(event)}`);
    }
    const isLast = done === steps;
    if (inPlace) {
      if (!isLast && event.seconds - drawn < 1 / REDRAWS_PER_SECOND) return;
      drawn = event.seconds;
      draw(event, rate);
    } else if (isLast || Math.floor((10 * done) / steps) > tenth) {
      tenth = Math.floor((10 * done) / steps);
      const part = `${Math.round((100 * done) / steps)}%`.padStart(4);
      line(
        `${part}  step ${done}/${steps}  loss ${short(event.loss)}  ${listed(event.terms)}  ${pace(event, rate)}`,
      );
    }
  };

  return {
    onEvent: (event) => {
      if (event.tag === 'step') return onStep(event);
      validation = event;
      if (!inPlace)
        line(`      validation at step ${event.step}  loss ${short(event.loss)}  ${listed(event.terms)}`);
    },
    end: () => {
      if (kept) screen.write('\n');
      kept = false;
    },
  };
};
