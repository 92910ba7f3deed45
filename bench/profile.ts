/** Where a step's time goes: milliseconds of each call of its plan, and by kind of call. */
import { elementAt } from '../dsl/lookup.js';
import type { LoopKernel, Operand, Step } from 'immersion/compiler';
import { showStep } from 'immersion/compiler';
import { summary } from './measure.js';
import type { Prepared } from './subject.js';

export type Call = {
  readonly call: string;
  readonly kind: string;
  readonly milliseconds: number;
  /** What the call computes as it stands, after legalization; 0 for anything but products and convolutions. */
  readonly flops: number;
};

const count = (shape: readonly number[]): number => shape.reduce((total, n) => total * n, 1);

/** A sum of products is a contraction: its multiply-adds, counted twice. */
const loopFlops = ({ body, stores, extents }: LoopKernel): number => {
  const work = body.filter(({ op }) => op !== 'load' && op !== 'constant');
  const isContraction =
    work.length === 1 && elementAt(work, 0).op === 'mul' && stores.every(({ mode }) => mode !== 'set');
  return isContraction ? 2 * count(extents) : 0;
};

const kernelFlops = ({ kernel, inputs, attributes, output }: Extract<Step, { tag: 'kernel' }>): number => {
  const named = new Map<string, Operand>(Object.entries(inputs));
  const shape = (name: string): readonly number[] => named.get(name)?.shape ?? [];
  switch (kernel) {
    case 'Conv2D':
      return 2 * count(output.shape) * count(shape('filter').slice(0, 3));
    case 'Conv2DBackpropInput':
      return 2 * count(shape('dy')) * count(shape('filter').slice(0, 3));
    case 'BatchMatMul':
    case '_FusedMatMul':
      return 2 * count(output.shape) * elementAt(shape('a'), attributes['transposeA'] === true ? 1 : 2);
    default:
      return 0;
  }
};

/** Routines count for nothing, a repeated plan for all of its rounds. */
const flopsOf = (step: Step): number => {
  switch (step.tag) {
    case 'loop':
      return loopFlops(step.loop);
    case 'kernel':
      return kernelFlops(step);
    case 'routine':
      return 0;
    case 'repeat':
      return step.times * step.body.steps.reduce((sum, inner) => sum + flopsOf(inner), 0);
  }
};

const kindOf = (step: Step): string => {
  if (step.tag === 'kernel') return step.kernel;
  if (step.tag === 'routine') return step.routine.name;
  if (step.tag === 'repeat') return 'repeat';
  if (loopFlops(step.loop) > 0) return 'loop: contraction';
  const { body, stores } = step.loop;
  if (stores.some(({ mode }) => mode !== 'set')) return 'loop: element-wise with sums';
  return body.every(({ op }) => op === 'load') ? 'loop: copy' : 'loop: element-wise';
};

/** The least of several runs, which is what the call takes when nobody interrupts it; dearest first. */
export const profileOf = ({ run }: Prepared, runs: number): readonly Call[] => {
  const readings = new Map<Step, readonly number[]>();
  for (let i = 0; i < runs; i++) {
    run((step, milliseconds) => readings.set(step, [...(readings.get(step) ?? []), milliseconds]));
  }
  return [...readings]
    .map(([step, times]) => ({
      call: showStep(step),
      kind: kindOf(step),
      milliseconds: summary(times).least,
      flops: flopsOf(step),
    }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
};

export type Kind = Omit<Call, 'call'> & { readonly calls: number };

export const byKind = (calls: readonly Call[]): readonly Kind[] =>
  [...new Set(calls.map(({ kind }) => kind))]
    .map((kind) => {
      const own = calls.filter((call) => call.kind === kind);
      const total = (of: (call: Call) => number): number => own.reduce((sum, call) => sum + of(call), 0);
      return {
        kind,
        calls: own.length,
        milliseconds: total((call) => call.milliseconds),
        flops: total((call) => call.flops),
      };
    })
    .sort((a, b) => b.milliseconds - a.milliseconds);
