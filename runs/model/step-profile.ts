/** Where the time of a training step goes, gathered over steps: each step of its plan, and the whole with all that is around them. */
import type { Step } from '../../compiler/loops/plan.js';
import { getFrom } from '../../dsl/lookup.js';
import type { Profile } from '../../backends/backend.js';

/** Hears one step after another, each of them whole. */
export type StepProfile = {
  readonly part: Profile;
  /** Milliseconds of a step with what it is fed and what is read of it, after its parts. */
  readonly whole: (milliseconds: number) => void;
};

export type ProfiledPart = {
  /** Its place in the plan, as `explain --loops` has it. */
  readonly number: number;
  readonly step: Step;
  /** Mean over the steps. */
  readonly milliseconds: number;
  readonly isShared: boolean;
};

export type Profiled = {
  readonly steps: number;
  readonly milliseconds: number;
  /** In the plan's order; none where a step runs as a whole. */
  readonly parts: readonly ProfiledPart[];
};

type Sum = { readonly number: number; readonly isShared: boolean; milliseconds: number };

/** The first step is left out: it makes ready what the others run. Another plan, on another backend, begins anew. */
export const gatherProfile = (): StepProfile & { readonly found: () => Profiled } => {
  let sums = new Map<Step, Sum>();
  let [steps, total, isFirst, at] = [0, 0, true, 0];
  const beginAnew = (): void => {
    sums = new Map();
    [steps, total, isFirst] = [0, 0, true];
  };
  return {
    part: (step, milliseconds, isShared) => {
      if (at === 0 && !sums.has(step)) beginAnew();
      if (isFirst) sums.set(step, { number: at, isShared, milliseconds: 0 });
      else getFrom(sums, step).milliseconds += milliseconds;
      at += 1;
    },
    whole: (milliseconds) => {
      // A backend that runs a step as a whole, after one that told its parts.
      if (at === 0 && sums.size > 0) beginAnew();
      at = 0;
      if (!isFirst) {
        steps += 1;
        total += milliseconds;
      }
      isFirst = false;
    },
    found: () => ({
      steps,
      milliseconds: total / Math.max(1, steps),
      parts: [...sums].map(([step, { number, isShared, milliseconds }]) => ({
        ...{ number, step, isShared },
        milliseconds: milliseconds / Math.max(1, steps),
      })),
    }),
  };
};
