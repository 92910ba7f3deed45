/** What a run came to, in figures and in words. */
import { everyNode, type Experiment, type Node, type Problem, problem } from '../../dsl/index.js';
import { fieldPath } from '../../dsl/path.js';
import type { TrainState } from '../model/state.js';
import type { Evaluated, StepEvent } from '../records/events.js';
import type { Ran } from '../records/backends.js';
import type { Guarded } from '../records/guards.js';
import type { Best } from './checkpoint.js';
import { figureOf } from './figure.js';
import type { Criterion } from './settings.js';

/** Why training ended: all steps were taken, validation no longer improved, or someone asked. */
export type End = 'steps' | 'stopped' | 'interrupted';

export type Summary = {
  readonly end: End;
  /** Steps taken, those of earlier processes included. */
  readonly steps: number;
  /** Of these, the steps that changed nothing, since their loss or gradient was not finite. */
  readonly skipped: number;
  /** Steps at which each guard acted, `TERM/GUARD`; guards that never did are absent. */
  readonly guarded: Guarded;
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
  /** Which steps were taken on which backend: bits are those of one backend only where there is one. */
  readonly ran: readonly Ran[];
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

const isVolume = (node: Node): boolean =>
  everyNode([{ path: [], node }]).some(({ node: { tag } }) => tag === 'volume' || tag === 'logDetSPD');

const RANK = 'JᵀJ has no Cholesky factor where the decoder ignores a latent dimension';

/** What a training came to that hardly ever changed anything: the first term that is not finite, or else the gradient. */
export const notFiniteProblem = (
  { objective }: Experiment,
  last: StepEvent | undefined,
  { skipped, steps, record }: { readonly skipped: number; readonly steps: number; readonly record?: string },
): Problem => {
  const terms = { ...last?.surrogates, ...last?.terms };
  const [name, node] = Object.entries(objective).find(([term]) => !Number.isFinite(terms[term])) ?? [];
  const what =
    name === undefined || last?.committed === true ? 'a step that is not finite' : String(terms[name]);
  const hints = [
    ...(node !== undefined && isVolume(node) ? [RANK] : []),
    ...(record === undefined ? [] : [`see ${record}`]),
  ];
  return problem(
    name === undefined ? 'objective' : fieldPath('objective', name),
    `${what} at ${skipped === steps ? `each of ${steps} steps` : `${skipped} of ${steps} steps`}`,
    'a finite loss and gradient',
    ...(hints.length > 0 ? [hints.join('; ')] : []),
  );
};

/** Weights that an update made infinite, by the name of the first such array. */
export const brokenWeights = ({ arrays }: TrainState, last: StepEvent | undefined): Problem => {
  const [name = 'weights'] = [...arrays].find(([, { data }]) => !data.every(Number.isFinite)) ?? [];
  return problem(
    name,
    'values that are not finite',
    'finite weights',
    `the rate, ${shown(last?.rate ?? NaN)} at the last step, may be too large; what the run leaves are the weights before`,
  );
};
