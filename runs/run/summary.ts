/** What a run came to, in figures and in words. */
import { fieldPath, type Problem, problem } from '../../dsl/index.js';
import type { Evaluated, StepEvent } from '../records/events.js';
import type { Best } from './checkpoint.js';
import { figureOf } from './judge.js';
import type { Criterion } from './settings.js';

/** Why training ended: all steps were taken, validation no longer improved, or someone asked. */
export type End = 'steps' | 'stopped' | 'interrupted';

export type Summary = {
  readonly end: End;
  /** Steps taken, those of earlier processes included. */
  readonly steps: number;
  /** Of these, the steps that changed nothing, since their loss or gradient was not finite. */
  readonly skipped: number;
  readonly seconds: number;
  /** Of the last step; NaN where none was taken. */
  readonly loss: number;
  /** The last one. */
  readonly validation: Evaluated | undefined;
  /** By the weights that the run leaves; undefined for a run that was interrupted or has no test examples. */
  readonly test: Evaluated | undefined;
  /** The best validation. */
  readonly best: Best | undefined;
  /** The step whose weights the run leaves. */
  readonly step: number;
};

const shown = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);

/** A part of the best value by which the last one must be worse before anything is said. */
const WORSE = 0.01;

/** Where validation turned, if it did: that the last weights are not the best that there were. */
export const turnText = (
  { best, validation, step }: Summary,
  { by, better }: Criterion,
): string | undefined => {
  if (best === undefined || validation === undefined || best.step === validation.step) return undefined;
  const last = figureOf(validation, by);
  const worse = better === 'less' ? last - best.value : best.value - last;
  if (Number.isFinite(last) && worse <= WORSE * Math.abs(best.value)) return undefined;
  const kept =
    step === best.step
      ? 'the run leaves the weights of then'
      : 'restore the best weights, or stop early, to have those of then';
  return `validation turned at step ${best.step}: ${by} was ${shown(best.value)} there, and ${shown(last)} after ${validation.step} steps; ${kept}`;
};

/** What a training came to that hardly ever changed anything: the first term that is not finite, or else the gradient. */
export const notFiniteProblem = (
  objective: Readonly<Record<string, unknown>>,
  last: StepEvent | undefined,
  { skipped, steps, why }: { readonly skipped: number; readonly steps: number; readonly why: string | undefined },
): Problem => {
  const terms = last?.terms ?? {};
  const valueOf = (name: string): number | undefined => terms[name] ?? terms[`${name} (surrogate)`];
  const bad = Object.keys(objective).find((name) => !Number.isFinite(valueOf(name)));
  const what = bad === undefined ? 'a gradient that is not finite' : String(valueOf(bad));
  const often = skipped === steps ? `each of ${steps} steps` : `${skipped} of ${steps} steps`;
  return problem(
    bad === undefined ? 'objective' : fieldPath('objective', bad),
    `${what} at ${often}`,
    'a finite loss and gradient',
    why,
  );
};
