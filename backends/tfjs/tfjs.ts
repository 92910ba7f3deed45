/** A backend over tfjs's kernels: what wasm and cpu have in common, and webgl and webgpu will. */
import { elementAt } from '../../dsl/lookup.js';
import { type DataId, engine, type KernelBackend, setBackend } from '@tensorflow/tfjs-core';
import type { Plan } from '../../compiler/loops/plan.js';
import type { Program } from '../../compiler/ir/program.js';
import type { ArrayBackend, Executable, Handle } from '../backend.js';
import { openOnArrays } from './instance.js';
import { type Memory, prepare, type RunLoop } from './execute.js';

/** What distinguishes one tfjs backend from another. */
export type Engine = {
  readonly lower: (program: Program) => Plan;
  readonly allocate: (backend: KernelBackend, size: number) => DataId;
  readonly loops: (backend: KernelBackend, plan: Plan) => readonly RunLoop[];
};

type TfjsHandle = Handle & { readonly data: DataId };

/**
 * Starts what tfjs brings, and takes back the listeners for uncaught errors that its wasm module adds: they throw each error again out of
 * minified code, all of which Node then prints before the message of whoever's program it was.
 */
const start = async (name: string): Promise<void> => {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set<unknown>(process.listeners(event as 'uncaughtException')));
  await setBackend(name);
  events.forEach((event, i) =>
    process
      .listeners(event as 'uncaughtException')
      .filter((listener) => before[i]?.has(listener) !== true)
      .forEach((listener) => process.off(event, listener)),
  );
};

/** Starts a tfjs backend by name and wraps it. */
export const createTfjsBackend = async (
  name: string,
  { lower, allocate, loops }: Engine,
): Promise<ArrayBackend> => {
  await start(name);
  const backend: KernelBackend = engine().findBackend(name);
  const memory: Memory = {
    name,
    backend,
    allocate: (size) => allocate(backend, size),
    loops: (plan) => loops(backend, plan),
  };
  const known = new WeakMap<Handle, TfjsHandle>();
  const wrap = (data: DataId, size: number): Handle => {
    const handle: TfjsHandle = { data, size };
    known.set(handle, handle);
    return handle;
  };
  const dataOf = (handle: Handle): DataId => {
    const own = known.get(handle);
    if (own === undefined) throw new Error(`an array that is not ${name}'s`);
    return own.data;
  };
  const load = (program: Program): Executable => {
    const plan = lower(program);
    const prepared = prepare(plan, memory);
    return {
      run: (inputs, profile) => {
        const data = plan.inputs.map((input) => {
          const handle = inputs.get(input.name);
          if (handle === undefined) throw new Error(`no array for ${input.name}`);
          return dataOf(handle);
        });
        const results = prepared.run(data, profile);
        return plan.outputs.map((o, i) =>
          wrap(elementAt(results, i), elementAt(plan.buffers, o.operand.buffer)),
        );
      },
      dispose: prepared.dispose,
    };
  };
  const arrays = {
    load,
    // The cpu backend keeps the very array it is given.
    upload: (values: Float32Array) =>
      wrap(backend.write(values.slice(), [values.length], 'float32'), values.length),
    download: async (handle: Handle) => ((await backend.read(dataOf(handle))) as Float32Array).slice(),
    dispose: (handle: Handle) => void backend.disposeData(dataOf(handle)),
  };
  return {
    ...arrays,
    name,
    description: `${name} (tfjs, 1 thread)`,
    open: async (programs, state) => openOnArrays(arrays, programs, state),
    plan: lower,
    liveCount: () => backend.numDataIds(),
  };
};
