/** Runs generated loops in a memory of the wasm backend, on arrays with guards around them. */
import { expect } from 'vitest';
import { elementAt } from '../../../dsl/lookup.js';
import { prepare } from '../../../backends/wasm/executable.js';
import { createHeap, type Heap } from '../../../backends/wasm/heap.js';
import { startThreads, type Threads } from '../../../backends/wasm/threads.js';
import { createPlan } from '../../../compiler/loops/builder.js';
import type { LoopKernel } from '../../../compiler/loops/loop.js';
import type { Operand } from '../../../compiler/loops/plan.js';

export type Engine = { readonly heap: Heap; readonly threads: Threads };

export const createEngine = (count: number): Engine => {
  const heap = createHeap(count > 1);
  return { heap, threads: startThreads(heap, count) };
};

const single = createEngine(1);

const guard = 64;
const GUARD = Math.fround(12345.678);

type Draft = ReturnType<typeof createPlan>;

/** What a plan makes of its inputs; fails where a guard around an array changes. */
export const runPlan = (
  plan: Draft,
  outputs: readonly Operand[],
  inputs: readonly Float32Array[],
  { engine: { heap, threads } = single, fused = false }: { engine?: Engine; fused?: boolean } = {},
): Float32Array[] => {
  const finished = plan.finish(outputs.map((operand, k) => ({ kind: 'value', name: String(k), operand })));
  const program = prepare(finished, heap, threads, fused);
  const place = (values: Float32Array) => {
    const size = values.length + 2 * guard;
    const start = heap.take(size);
    heap.floats().fill(GUARD, start / 4, start / 4 + size);
    heap.floats().set(values, start / 4 + guard);
    return { start, size };
  };
  const given = inputs.map(place);
  const made = finished.outputs.map(({ operand: { buffer } }) =>
    place(new Float32Array(elementAt(finished.buffers, buffer)).fill(NaN)),
  );
  const address = ({ start }: { readonly start: number }): number => start + 4 * guard;
  program.run(given.map(address), made.map(address));
  const all = [...given, ...made].map(({ start, size }) => heap.floats().slice(start / 4, start / 4 + size));
  for (const array of all)
    for (const edge of [array.subarray(0, guard), array.subarray(array.length - guard)])
      expect(
        edge.every((v) => v === GUARD),
        'a write out of bounds',
      ).toBe(true);
  program.dispose();
  [...given, ...made].forEach(({ start, size }) => heap.give(start, size));
  return all.slice(given.length).map((array) => array.slice(guard, array.length - guard));
};

/** A kernel as a step of a plan. */
export const loopOf = (
  plan: Draft,
  name: string,
  kernel: LoopKernel,
  inputs: readonly Float32Array[],
): readonly Operand[] =>
  plan.loop(
    kernel,
    inputs.map((x, k) => plan.input(`${name} ${k}`, [x.length])),
    kernel.outputs.map((size) => [size]),
  );

export const run = (kernel: LoopKernel, inputs: readonly Float32Array[], fused = false): Float32Array[] => {
  const plan = createPlan();
  return runPlan(plan, loopOf(plan, 'x', kernel, inputs), inputs, { fused });
};
