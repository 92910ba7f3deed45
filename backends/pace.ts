/** Whether a program's steps are shared among threads or run on one: what took less time when it was last tried. Bits do not depend on it. */

/** Milliseconds of steps before anything is compared: threads begin, and the engine compiles what it runs often. */
const WARM = 300;
/** Milliseconds and steps of a turn, of which the first does not count. */
const TURN = 10;
const STEPS = 3;
/** A step of so many milliseconds is a turn of its own, and two are a comparison: no cache is cold for as long. */
const LONG = 100;
/** A comparison has so many turns, shared and alone by turns, and is not repeated before so many times its length. */
const TURNS = 4;
const REST = 30;

type Taken = { readonly steps: number; readonly milliseconds: number };

export type Pace = {
  /** Whether the next step is to be shared. */
  readonly isShared: () => boolean;
  readonly took: (milliseconds: number) => void;
};

const none: Taken = { steps: 0, milliseconds: 0 };
const perStep = ({ steps, milliseconds }: Taken): number => milliseconds / steps;

export const createPace = (): Pace => {
  let shared = true;
  /** Milliseconds until the next comparison begins. */
  let rest = WARM;
  let turn = 0;
  let now = none;
  /** Whether the first step of this turn is over. */
  let isWarm = false;
  let compared: { readonly shared: Taken; readonly alone: Taken } = { shared: none, alone: none };
  let length = 0;
  const compare = (milliseconds: number): void => {
    length += milliseconds;
    const isLong = milliseconds >= LONG;
    if (!isWarm && !isLong) {
      isWarm = true;
      return;
    }
    now = { steps: now.steps + 1, milliseconds: now.milliseconds + milliseconds };
    if (!isLong && (now.steps < STEPS - 1 || now.milliseconds < TURN)) return;
    const before = shared ? compared.shared : compared.alone;
    const after = {
      steps: before.steps + now.steps,
      milliseconds: before.milliseconds + now.milliseconds,
    };
    compared = shared ? { ...compared, shared: after } : { ...compared, alone: after };
    now = none;
    isWarm = false;
    turn += 1;
    shared = !shared;
    if (turn < (isLong ? 2 : TURNS)) return;
    shared = perStep(compared.shared) < perStep(compared.alone);
    compared = { shared: none, alone: none };
    turn = 0;
    rest = REST * length;
    length = 0;
  };
  return {
    isShared: () => shared,
    took: (milliseconds) => {
      if (rest > 0) rest -= milliseconds;
      else compare(milliseconds);
    },
  };
};
