/** What a validation means for a run: whether it is the best so far, whether training ends, whether the rate is lowered. Pure. */
import { didYouMean, type Problem, problem } from '../../dsl/index.js';
import type { Evaluated } from '../records/events.js';
import type { LoopState, Waiting } from './checkpoint.js';
import { figureOf } from './figure.js';
import type { Criterion, EarlyStopping, Policy } from './settings.js';

/** By more than `least`; anything is better than nothing, and what is not finite is never better. */
const isBetter = (
  value: number,
  than: number | undefined,
  better: Criterion['better'],
  least: number,
): boolean =>
  Number.isFinite(value) &&
  (than === undefined || (better === 'less' ? value < than - least : value > than + least));

const waitedOn = (before: Waiting, seen: Evaluated, { by, better, least }: EarlyStopping): Waiting => {
  const value = figureOf(seen, by);
  return isBetter(value, before.value, better, least)
    ? { value, waited: 0 }
    : { ...before, waited: before.waited + 1 };
};

export type Verdict = {
  readonly loop: LoopState;
  readonly isBest: boolean;
  /** In words, where training ends or the rate is lowered. */
  readonly stopped: string | undefined;
  readonly reduced: string | undefined;
};

const shown = (value: number | undefined): string =>
  value === undefined ? 'none' : String(Number(value.toPrecision(4)));

/** Judges a validation. */
export const judge = (before: LoopState, seen: Evaluated, policy: Policy): Verdict => {
  const { criterion, stopping, plateau } = policy;
  const value = figureOf(seen, criterion.by);
  const isBest = isBetter(value, before.best?.value, criterion.better, 0);
  const stop = stopping === undefined ? before.stopping : waitedOn(before.stopping, seen, stopping);
  const wait = plateau === undefined ? before.plateau : waitedOn(before.plateau, seen, plateau);
  const isOver = stopping !== undefined && stop.waited >= stopping.patience;
  const lowered =
    plateau !== undefined && wait.waited >= plateau.patience
      ? Math.max(Math.min(plateau.floor, before.factor), before.factor * plateau.factor)
      : before.factor;
  const isLower = lowered < before.factor;
  return {
    loop: {
      ...before,
      best: isBest ? { step: seen.step, value } : before.best,
      stopping: stop,
      plateau: isLower ? { ...wait, waited: 0 } : wait,
      factor: lowered,
    },
    isBest,
    stopped: isOver
      ? `stopped early: in ${stop.waited} validations ${stopping.by} was not better than ${shown(stop.value)}`
      : undefined,
    reduced:
      isLower && plateau !== undefined
        ? `the rate is ${shown(lowered)} of what it was: in ${wait.waited} validations ${plateau.by} was not better than ${shown(wait.value)}`
        : undefined,
  };
};

/** Figures that no validation has by these names, and a policy that needs validations where there are none. */
export const policyProblems = (
  { criterion, stopping, plateau, restoreBest, checkpoints, notFinite }: Policy,
  known: readonly string[],
  validates: boolean,
): readonly Problem[] => {
  const judges: readonly (readonly [string, Criterion | undefined])[] = [
    ['criterion', restoreBest || checkpoints.best ? criterion : undefined],
    ['stopping', stopping],
    ['plateau', plateau],
  ];
  const asked = judges.flatMap(([path, one]) => (one === undefined ? [] : [{ path, by: one.by }]));
  return [
    ...(validates
      ? []
      : asked.map(({ path }) =>
          problem(
            path,
            'no validation',
            'validations to go by',
            'set validation.every, and hold examples out where the data has no validation part',
          ),
        )),
    ...asked
      .filter(({ by }) => !known.includes(by))
      .map(({ path, by }) =>
        problem(`${path}.by`, JSON.stringify(by), `one of ${known.join(', ')}`, didYouMean(by, known)),
      ),
    ...(notFinite === 'halve' && checkpoints.every.tag === 'seconds'
      ? [
          problem(
            'checkpoints.every',
            `${checkpoints.every.seconds} seconds`,
            'a number of steps, since what a run goes back to must not depend on the time',
          ),
        ]
      : []),
  ];
};
