/** The events of a run, few enough to be kept however long it is: steps at even distances, and the rest likewise. */
import { isStep, type StepEvent, type TrainEvent } from './events.js';

export type History = {
  readonly add: (event: TrainEvent) => void;
  /** In order; at most some thousands. */
  readonly events: () => readonly TrainEvent[];
};

/** Of steps, and of all other events. */
const MOST = 4096;

type Thinned<A> = {
  readonly add: (a: A) => void;
  readonly all: () => readonly A[];
  /** Forgets what does not hold. */
  readonly keep: (holds: (a: A) => boolean) => void;
};

/** Every `stride`-th of what comes by its number, and the last; the stride doubles when there are `MOST`. */
const thinning = <A>(numberOf: (a: A) => number): Thinned<A> => {
  let stride = 1;
  let kept: A[] = [];
  let last: A | undefined;
  return {
    add: (a) => {
      last = a;
      if (numberOf(a) % stride !== 0) return;
      kept.push(a);
      if (kept.length < MOST) return;
      stride *= 2;
      kept = kept.filter((one) => numberOf(one) % stride === 0);
    },
    all: () => (last === undefined || kept.at(-1) === last ? [...kept] : [...kept, last]),
    keep: (holds) => {
      kept = kept.filter(holds);
      last = kept.at(-1);
    },
  };
};

/** How many steps had been taken when an event came. */
const takenAt = (event: TrainEvent): number => (isStep(event) ? event.step + 1 : event.step);

/** A run that goes back to a step forgets what came after it, but for the notice that says so. */
export const createHistory = (): History => {
  const steps = thinning<StepEvent>(({ step }) => step);
  const others = thinning<{ readonly number: number; readonly event: TrainEvent }>((one) => one.number);
  let number = 0;
  return {
    add: (event) => {
      if (event.tag === 'notice' && (event.notice === 'returned' || event.notice === 'moved')) {
        steps.keep((one) => takenAt(one) <= event.step);
        others.keep((one) => one.event.tag === 'notice' || one.event.step <= event.step);
      }
      if (isStep(event)) steps.add(event);
      else others.add({ number: number++, event });
    },
    events: () =>
      [...steps.all(), ...others.all().map(({ event }) => event)]
        .map((event, at) => ({ event, at }))
        .sort((a, b) => takenAt(a.event) - takenAt(b.event) || a.at - b.at)
        .map(({ event }) => event),
  };
};
