/** Generated loops at work in the memory of tfjs's wasm backend: they read and write its tensors in place. */

import type { LoopKernel } from '../../compiler/loops/loop.js';
import { engine } from './engine.js';
import { generate } from './generate.js';

/** What is used of tfjs's BackendWasm. */
export type WasmBackend = {
  readonly wasm: { readonly asm: { readonly memory: object } };
  readonly dataIdMap: { readonly get: (dataId: object) => { readonly memoryOffset: number } };
};

/** Byte addresses of inputs, then of outputs. They are taken at call time: a tensor may move, and memory may grow. */
export type Loop = (...addresses: readonly number[]) => void;

/** A module that holds one fused multiply-add. */
const probe: LoopKernel = {
  extents: [4, 4, 4],
  loads: [
    { buffer: 0, offset: 0, strides: [4, 0, 1] },
    { buffer: 1, offset: 0, strides: [0, 1, 4] },
  ],
  body: [
    { op: 'load', load: 0 },
    { op: 'load', load: 1 },
    { op: 'mul', a: 0, b: 1 },
  ],
  stores: [{ buffer: 0, offset: 0, strides: [4, 1, 0], value: 2, mode: 'add' }],
  outputs: [16],
};

/** Whether the engine has relaxed SIMD's multiply-add (`generate`'s option `fused`): from Node 22 on; Node 20 has it only behind an experimental flag of V8. */
export const fusedMultiplyAdd: boolean = engine.validate(generate([probe], { fused: true }));

/** The module's functions k0, k1, …, in order. */
export const instantiateLoops = (backend: WasmBackend, bytes: Uint8Array): readonly Loop[] => {
  // Every export of ours is a Loop.
  const module = new engine.Module(bytes);
  const { exports } = new engine.Instance(module, { env: { memory: backend.wasm.asm.memory } });
  return Object.keys(exports)
    .map((name) => ({ name, index: Number(name.slice(1)) }))
    .sort((a, b) => a.index - b.index)
    .flatMap(({ name }) => exports[name] ?? []);
};

export const addressOf = (backend: WasmBackend, dataId: object): number =>
  backend.dataIdMap.get(dataId).memoryOffset;
