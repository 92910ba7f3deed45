/** A plan as the kernels that it runs, in order, with the arrays of each: buffers of the plan, ranges of scratch, a flag. */
import { keyOf } from '../../compiler/ir/key.js';
import type { LoopKernel } from '../../compiler/loops/loop.js';
import type { Plan, Step } from '../../compiler/loops/plan.js';
import { elementAt, getFrom } from '../../dsl/lookup.js';
import { layoutOf } from '../../compiler/loops/layout.js';
import { inLines } from '../../compiler/loops/gaps.js';
import { fillKernel, movesKernel } from './elements.js';
import type { Cutting } from './contraction.js';
import type { Call, Kernel, Place } from './kernel.js';
import { atOnce } from './levels.js';
import { kernelsOf } from './loops.js';
import { mostBytes } from './wgsl.js';
import { routineCalls, routineScratch, type Table } from './routines.js';

type Repeat = Extract<Step, { tag: 'repeat' }>;

export type Schedule = {
  /** Calls that run at once, one lot after another. */
  readonly lots: readonly (readonly Call[])[];
  readonly constants: readonly Float32Array[];
  /** Numbers of scratch memory. */
  readonly scratch: number;
};

/** `alike`: whether what runs at once is of one kind; `bytes` of a workgroup's memory; `tile` is for the laws, every sum of products is cut by it. */
export const scheduleOf = (
  plan: Plan,
  { alike, bytes = mostBytes, tile }: { readonly alike: boolean } & Partial<Cutting>,
): Schedule => {
  const constants: Float32Array[] = [];
  const numbers = new Map<string, number>();
  const constant = (values: readonly number[]): Place => {
    const key = keyOf(values);
    const index = numbers.get(key) ?? constants.push(Float32Array.from(values)) - 1;
    numbers.set(key, index);
    return { of: 'constant', index };
  };
  const table: Table = (values) => constant(values);
  const known = new Map<string, readonly Kernel[]>();
  const loopKernels = (loop: LoopKernel): readonly Kernel[] => {
    const key = keyOf(loop);
    const made = known.get(key) ?? kernelsOf(loop, { bytes, tile });
    known.set(key, made);
    return made;
  };
  const scratchOf = (kernels: readonly Kernel[]): number =>
    kernels.reduce((most, { scratch }) => Math.max(most, scratch), 0);
  const elsewhere = ({ inputs, constants: values, outputs }: Plan): ReadonlySet<number> =>
    new Set([...inputs, ...values, ...outputs].map(({ operand }) => operand.buffer));
  /** What a repeated body gives, in scratch memory, then flags of its rounds, then its own scratch memory. */
  const resultSizes = ({ body }: Repeat): readonly number[] =>
    body.outputs.map(({ operand }) => inLines(elementAt(body.buffers, operand.buffer)));
  const flagsOf = ({ times }: Repeat): number => inLines(times + 1);
  const beside = (step: Step, { buffers }: Plan): number => {
    if (step.tag === 'loop') return scratchOf(loopKernels(step.loop));
    if (step.tag === 'routine')
      return routineScratch(
        step.routine,
        step.inputs.map((buffer) => elementAt(buffers, buffer)),
      );
    if (step.tag !== 'repeat') return 0;
    const { body } = step;
    const own = layoutOf(body, elsewhere(body), (i) => beside(elementAt(body.steps, i), body)).size;
    return resultSizes(step).reduce((sum, n) => sum + n, flagsOf(step) + own);
  };
  const calls: Call[] = [];

  /** Writes a plan's calls where its inputs and outputs are, its scratch memory from `begin` on; answers with how much that is. */
  const write = (
    own: Plan,
    inputs: readonly Place[],
    outputs: readonly Place[],
    begin: number,
    unless: Place | undefined,
  ): number => {
    const places = new Map<number, Place>();
    own.inputs.forEach(({ operand }, i) => places.set(operand.buffer, elementAt(inputs, i)));
    for (const { operand, values } of own.constants) places.set(operand.buffer, constant(values));
    const copies: { readonly from: Place; readonly to: Place; readonly size: number }[] = [];
    own.outputs.forEach(({ operand: { buffer } }, i) => {
      const to = elementAt(outputs, i);
      const from = places.get(buffer);
      if (from === undefined) places.set(buffer, to);
      else copies.push({ from, to, size: elementAt(own.buffers, buffer) });
    });
    const layout = layoutOf(own, elsewhere(own), (i) => beside(elementAt(own.steps, i), own));
    const place = (buffer: number): Place =>
      places.get(buffer) ?? {
        of: 'scratch',
        start: begin + getFrom(layout.offsets, buffer),
        size: elementAt(own.buffers, buffer),
      };
    const besideOf = (i: number, step: Step): Place => ({
      of: 'scratch',
      start: begin + (layout.beside.get(i) ?? 0),
      size: beside(step, own),
    });
    const call = (kernel: Kernel, all: readonly Place[]): void => {
      calls.push({ kernel, places: all, ...(unless === undefined ? {} : { unless }) });
    };
    own.steps.forEach((step, i) => {
      switch (step.tag) {
        case 'kernel':
          throw new Error(`${step.kernel} is no loop`);
        case 'routine': {
          const read = step.inputs.map((buffer) => ({
            place: place(buffer),
            size: elementAt(own.buffers, buffer),
          }));
          const self = besideOf(i, step);
          for (const { kernel, places: all } of routineCalls(
            step.routine,
            read,
            place(step.outputs[0]),
            self,
            table,
          ))
            call(kernel, all);
          return;
        }
        case 'loop':
          for (const kernel of loopKernels(step.loop))
            call(
              kernel,
              kernel.slots.map((slot): Place => {
                if (slot.of === 'scratch') return besideOf(i, step);
                return place(elementAt(slot.of === 'input' ? step.inputs : step.outputs, slot.index));
              }),
            );
          return;
        case 'repeat': {
          const { body, times, inputs: read } = step;
          const scratchAt = (start: number, size = 1): Place => ({ of: 'scratch', start, size });
          const flags = begin + getFrom(layout.beside, i);
          let next = flags + flagsOf(step);
          const results = resultSizes(step).map((size) => {
            next += size;
            return scratchAt(next - size, size);
          });
          const carried = step.outputs.map(place);
          const sizes = step.outputs.map((buffer) => elementAt(own.buffers, buffer));
          const kept = read.slice(carried.length).map(place);
          const move = movesKernel([...sizes, 1]);
          call(fillKernel(times + 1, 0, 0), [scratchAt(flags, times + 1)]);
          call(move, [
            ...read.slice(0, carried.length).map(place),
            constant([1]),
            ...carried,
            scratchAt(flags),
          ]);
          // All rounds are written ahead; those after the last do nothing.
          for (let round = 0; round < times; round++) {
            const flag = scratchAt(flags + round);
            write(body, [...carried, ...kept], results, next, flag);
            calls.push({
              kernel: move,
              places: [...results, ...carried, scratchAt(flags + round + 1)],
              unless: flag,
            });
          }
          return;
        }
      }
    });
    if (copies.length > 0)
      call(movesKernel(copies.map(({ size }) => size)), [
        ...copies.map(({ from }) => from),
        ...copies.map(({ to }) => to),
      ]);
    return layout.size;
  };

  const scratch = write(
    plan,
    plan.inputs.map((_, index) => ({ of: 'input', index })),
    plan.outputs.map((_, index) => ({ of: 'output', index })),
    0,
    undefined,
  );
  return { lots: atOnce(calls, { alike, most: bytes }), constants, scratch };
};
