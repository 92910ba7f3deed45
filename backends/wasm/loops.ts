/** Generated loops at work in the memory of tfjs's wasm backend: they read and write its tensors in place. */

import { engine } from './engine.js';

/** What is used of tfjs's BackendWasm. */
export type WasmBackend = {
  readonly wasm: { readonly asm: { readonly memory: object } };
  readonly dataIdMap: { readonly get: (dataId: object) => { readonly memoryOffset: number } };
};

/** Byte addresses of inputs, then of outputs. They are taken at call time: a tensor may move, and memory may grow. */
export type Loop = (...addresses: readonly number[]) => void;

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
