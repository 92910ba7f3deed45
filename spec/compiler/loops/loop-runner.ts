/** Runs single generated loops in the memory of the real wasm backend. */
import * as tf from '@tensorflow/tfjs-core';
import { BackendWasm, setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { beforeAll, expect } from 'vitest';
import type { LoopKernel } from '../../../compiler/loops/loop.js';
import { generate } from '../../../backends/wasm/generate.js';
import { instantiateLoops } from '../../../backends/wasm/loops.js';

type Memory = { readonly buffer: ArrayBuffer };
type Module = {
  readonly asm: { readonly memory: Memory };
  readonly _malloc: (bytes: number) => number;
  readonly _free: (address: number) => void;
};
type Backend = {
  readonly wasm: Module;
  readonly dataIdMap: { readonly get: (dataId: object) => { readonly memoryOffset: number } };
};
let backend: Backend;

beforeAll(async () => {
  setThreadsCount(1);
  await tf.setBackend('wasm');
  const current: unknown = tf.backend();
  if (!(current instanceof BackendWasm)) throw new Error('the wasm backend is missing');
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- tfjs does not declare the memory of its module
  backend = current as unknown as Backend;
});

const guard = 64;

/** Runs a kernel in the backend's memory, on buffers with guard zones; fails when a guard changes. */
export const run = (kernel: LoopKernel, inputs: readonly Float32Array[], fused = false): Float32Array[] => {
  const [loop] = instantiateLoops(backend, generate([kernel], { fused }));
  const sizes = [...inputs.map((input) => input.length), ...kernel.outputs];
  const starts = sizes.map((size) => backend.wasm._malloc(4 * (size + 2 * guard)));
  const view = (i: number): Float32Array =>
    new Float32Array(backend.wasm.asm.memory.buffer, starts[i], (sizes[i] ?? 0) + 2 * guard);
  sizes.forEach((_, i) => view(i).fill(12345.678));
  inputs.forEach((input, i) => view(i).set(input, guard));
  loop?.(...starts.map((start) => start + 4 * guard));
  const results = kernel.outputs.map((size, i) => view(inputs.length + i).slice(guard, guard + size));
  sizes.forEach((size, i) => {
    const edges = [...view(i).subarray(0, guard), ...view(i).subarray(guard + size)];
    expect(
      edges.every((v) => v === Math.fround(12345.678)),
      'a write out of bounds',
    ).toBe(true);
  });
  starts.forEach((start) => backend.wasm._free(start));
  return results;
};
