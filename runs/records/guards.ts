/** Guards that act while a model trains, in words: what keeps a step from numbers that single precision does not know, or from a long gradient. */
import { clipNormOf, type Experiment } from '../../dsl/index.js';
import type { StepEvent, Terms } from './events.js';

/** How many steps each guard acted at, by its name; guards that never did are absent. */
export type Guarded = Readonly<Record<string, number>>;

/** The gradient is made as short as the optimizer's greatest norm. */
export const CLIPPED = 'gradient/clipped';

const meanings: Readonly<Record<string, string>> = {
  jitter:
    'the columns of J, or the rows of a matrix, are not independent as far as single precision knows, so their factor has jitter added',
  bounded:
    'J is so ill-conditioned that the gradient of its surrogate is made smaller; `method: "exact"` has one that is not biased',
  unsolved:
    'conjugate gradients leave more than a hundredth of the right-hand side over; more `iterations` leave less',
  clipped: "the gradient is longer than the optimizer's clipNorm",
};

const meaningOf = (name: string): string => meanings[name.slice(name.lastIndexOf('/') + 1)] ?? 'a guard acts';

const termOf = (name: string): string => name.slice(0, name.lastIndexOf('/'));

/** The guards that acted at a step, and on what part of the batch. */
export const actedAt = (
  { guards = {}, gradientNorm }: StepEvent,
  { optimizer }: Pick<Experiment, 'optimizer'>,
): Terms => {
  const clipNorm = clipNormOf(optimizer) ?? Infinity;
  return { ...guards, ...(gradientNorm > clipNorm ? { [CLIPPED]: 1 } : {}) };
};

/** The counts after one more step. */
export const counted = (before: Guarded, acted: Terms): Guarded => {
  const names = Object.keys(acted);
  return names.length === 0
    ? before
    : { ...before, ...Object.fromEntries(names.map((name) => [name, (before[name] ?? 0) + 1])) };
};

/** That a guard acts for the first time. */
export const firstText = (name: string, step: number, share: number): string =>
  `step ${step}: ${termOf(name)}, at ${Number((100 * share).toPrecision(2))} % of the examples: ${meaningOf(name)}; further steps like it are counted`;

/** What guards came to at the end, a line each. */
export const guardedTexts = (guarded: Guarded, steps: number): readonly string[] =>
  Object.entries(guarded).map(
    ([name, count]) => `${termOf(name)}, at ${count} of ${steps} steps: ${meaningOf(name)}`,
  );
