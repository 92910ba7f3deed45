/** Plans at work in the heap: a step is one call, its own arrays lie in places that are used again, its tables know where everything is. */
import { elementAt, entryOf, getFrom } from '../../dsl/lookup.js';
import { inLines } from '../../compiler/loops/gaps.js';
import { layoutOf } from '../../compiler/loops/layout.js';
import type { Plan, Step } from '../../compiler/loops/plan.js';
import { runRoutine } from '../../compiler/loops/routine.js';
import type { Profile } from '../backend.js';
import { compileModule } from './compile.js';
import { engine } from './engine.js';
import type { Heap } from './heap.js';
import { programCode, tableSize } from './program.js';
import { fusedMultiplyAdd } from './relaxed.js';
import type { NestFunction, Shareable, Threads } from './threads.js';

export type Prepared = {
  /** On addresses of the plan's inputs and outputs. */
  readonly run: (inputs: readonly number[], outputs: readonly number[], profile?: Profile) => void;
  /** Whether threads share any of it. */
  readonly isShared: boolean;
  readonly dispose: () => void;
};

/** Of modules, so that threads know them apart. */
let modules = 0;

type Parts = {
  readonly heap: Heap;
  readonly threads: Threads;
  readonly fused: boolean;
  /** Gives back what was taken so far. */
  readonly held: (() => void)[];
};

const prepareHeld = (plan: Plan, { heap, threads, fused, held }: Parts): Omit<Prepared, 'dispose'> => {
  const sizeOf = (buffer: number): number => elementAt(plan.buffers, buffer);
  const take = (size: number): number => {
    const address = heap.take(size);
    held.push(() => heap.give(address, size));
    return address;
  };

  const inside = new Map<number, Prepared>();
  plan.steps.forEach((step, i) => {
    if (step.tag !== 'repeat') return;
    const body = prepare(step.body, heap, threads, fused);
    held.push(body.dispose);
    inside.set(i, body);
  });

  // Arrays that lie elsewhere: constants, and what a call brings.
  const places = new Map<number, number>();
  for (const { operand, values } of plan.constants) {
    const address = take(values.length);
    heap.floats().set(values, address / 4);
    places.set(operand.buffer, address);
  }
  const brought = new Map<number, number>();
  plan.inputs.forEach(({ operand }, i) => brought.set(operand.buffer, i));
  const copies: { readonly to: number; readonly buffer: number }[] = [];
  plan.outputs.forEach(({ operand: { buffer } }, i) => {
    const slot = plan.inputs.length + i;
    if (brought.has(buffer) || places.has(buffer)) copies.push({ to: slot, buffer });
    else brought.set(buffer, slot);
  });

  const outputSizes = (step: Step): readonly number[] =>
    step.tag === 'repeat'
      ? step.body.outputs.map(({ operand }) => inLines(elementAt(step.body.buffers, operand.buffer)))
      : [];
  const layout = layoutOf(plan, new Set([...places.keys(), ...brought.keys()]), (i) =>
    outputSizes(elementAt(plan.steps, i)).reduce((sum, n) => sum + n, 0),
  );
  const scratch = take(layout.size);
  for (const [buffer, offset] of layout.offsets) places.set(buffer, scratch + 4 * offset);

  const tablesAt = take(tableSize(plan) / 4);
  const { bytes, tables, nests, isShared, sharing, operations } = programCode(plan, tablesAt, {
    threads: threads.count,
    shared: heap.shared,
    fused,
  });
  const address = take(Math.ceil(bytes.length / 4));
  heap.bytes().set(bytes, address);

  /** Of what a call brings, the entries of tables that name it. */
  const entries: number[][] = [...plan.inputs, ...plan.outputs].map(() => []);
  plan.steps.forEach((step, i) => {
    const table = tables[i];
    if (step.tag !== 'loop' || table === undefined) return;
    [...step.inputs, ...step.outputs].forEach((buffer, k) => {
      const entry = table / 4 + k;
      const slot = brought.get(buffer);
      if (slot === undefined) heap.ints()[entry] = getFrom(places, buffer);
      else entries[slot]?.push(entry);
    });
  });

  /** The addresses of the call that runs. */
  let now: readonly number[] = [];
  const placeOf = (buffer: number): number => {
    const slot = brought.get(buffer);
    return slot === undefined ? getFrom(places, buffer) : elementAt(now, slot);
  };
  const view = (buffer: number): Float32Array => {
    const start = placeOf(buffer) / 4;
    return heap.floats().subarray(start, start + sizeOf(buffer));
  };
  const move = (to: number, from: number, size: number): void => {
    if (to !== from) heap.floats().copyWithin(to / 4, from / 4, from / 4 + size);
  };

  const repeat = (step: Extract<Step, { tag: 'repeat' }>, i: number): void => {
    const body = getFrom(inside, i);
    const carried = step.outputs.map(placeOf);
    const kept = step.inputs.slice(carried.length).map(placeOf);
    let end = scratch + 4 * getFrom(layout.beside, i);
    const made = outputSizes(step).map((size) => {
      const start = end;
      end += 4 * size;
      return start;
    });
    carried.forEach((to, k) =>
      move(to, placeOf(elementAt(step.inputs, k)), sizeOf(elementAt(step.outputs, k))),
    );
    for (let round = 0; round < step.times; round++) {
      body.run([...carried, ...kept], made);
      carried.forEach((to, k) => move(to, elementAt(made, k), sizeOf(elementAt(step.outputs, k))));
      if (heap.floats()[elementAt(made, carried.length) / 4] === 0) break;
    }
  };
  const host = (i: number): void => {
    const step = elementAt(plan.steps, i);
    if (step.tag === 'routine') view(step.outputs[0]).set(runRoutine(step.routine, step.inputs.map(view)));
    else if (step.tag === 'repeat') repeat(step, i);
    else throw new Error(`${step.tag} is no step of the host`);
  };

  modules += 1;
  const id = modules;
  const share = (nest: number, table: number, extent: number): void =>
    threads.share(shareable, nest, table, extent);
  const module = compileModule(bytes, operations);
  const { exports } = new engine.Instance(module, { env: { memory: heap.memory, share, host } });
  const functions = Array.from({ length: nests }, (_, i): NestFunction => entryOf(exports, `n${i}`));
  const shareable: Shareable = { id, address, length: bytes.length, nests: functions };

  return {
    isShared: isShared || [...inside.values()].some((one) => one.isShared),
    run: (inputs, outputs, profile) => {
      now = [...inputs, ...outputs];
      const ints = heap.ints();
      now.forEach((place, slot) => {
        for (const entry of entries[slot] ?? []) ints[entry] = place;
      });
      if (profile === undefined) exports['run']?.();
      else
        plan.steps.forEach((step, i) => {
          const start = performance.now();
          exports[`s${i}`]?.();
          profile(step, performance.now() - start, sharing[i] === true);
        });
      for (const { to, buffer } of copies) move(elementAt(now, to), placeOf(buffer), sizeOf(buffer));
    },
  };
};

/** `fused`: whether products and convolutions multiply and add with one rounding. Where it throws, it keeps nothing. */
export const prepare = (plan: Plan, heap: Heap, threads: Threads, fused = fusedMultiplyAdd): Prepared => {
  const held: (() => void)[] = [];
  const dispose = (): void => held.forEach((giveBack) => giveBack());
  try {
    return { ...prepareHeld(plan, { heap, threads, fused, held }), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
};
