/** The real backends, started once, and one run of a program on one of them. */
import type { Arrays } from '../compiler/interpret.js';
import type { Program } from '../compiler/program.js';
import type { ArrayBackend } from '../runtime/backend.js';
import { createCpuBackend } from '../runtime/cpu.js';
import { createWasmBackend } from '../runtime/wasm.js';

/** `plain` is wasm with one kernel an equation. wasm comes last and so stays tfjs's active backend. */
export const backends = {
  cpu: await createCpuBackend(),
  plain: await createWasmBackend({ plain: true }),
  wasm: await createWasmBackend(),
};

export type BackendName = keyof typeof backends;

/** Loads, uploads, runs, downloads and frees everything; throws where an array stays behind. */
export const runOn = async (backend: ArrayBackend, program: Program, inputs: Arrays): Promise<Arrays> => {
  const before = backend.liveCount();
  const executable = backend.load(program);
  const handles = new Map(
    program.binders.map(({ name }) => {
      const values = inputs.get(name);
      if (values === undefined) throw new Error(`no value for ${name}`);
      return [name, backend.upload(Float32Array.from(values))] as const;
    }),
  );
  const outputs = executable.run(handles);
  const results = new Map<string, Float64Array>();
  for (const [name, handle] of outputs) results.set(name, Float64Array.from(await backend.download(handle)));
  [...outputs.values(), ...handles.values()].forEach(backend.dispose);
  executable.dispose();
  const leaked = backend.liveCount() - before;
  if (leaked !== 0) throw new Error(`${leaked} arrays of ${backend.name} outlive the run`);
  return results;
};
