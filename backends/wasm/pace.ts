/** Whether a program's steps are shared among threads or run on one: what took less time when it was last tried. Bits do not depend on it. */

/** Milliseconds of steps before anything is compared: threads begin, and the engine compiles what it runs often. */
const WARM = 300;
/** Milliseconds and steps of a turn, of which the first does not count. */
const TURN = 10;
const STEPS = 3;
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
  let compared: { readonly shared: Taken; readonly alone: Taken } = { shared: none, alone: none };
  let length = 0;
  const compare = (milliseconds: number): void => {
    length += milliseconds;
    now = { steps: now.steps + 1, milliseconds: now.milliseconds + (now.steps === 0 ? 0 : milliseconds) };
    if (now.steps < STEPS || now.milliseconds < TURN) return;
    const before = shared ? compared.shared : compared.alone;
    const after = {
      steps: before.steps + now.steps - 1,
      milliseconds: before.milliseconds + now.milliseconds,
    };
    compared = shared ? { ...compared, shared: after } : { ...compared, alone: after };
    now = none;
    turn += 1;
    shared = !shared;
    if (turn < TURNS) return;
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
