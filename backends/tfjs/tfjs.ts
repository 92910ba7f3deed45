/** A backend over tfjs's kernels: what wasm and cpu have in common, and webgl and webgpu will. */
import { elementAt } from '../../dsl/lookup.js';
import { type DataId, engine, type KernelBackend, setBackend } from '@tensorflow/tfjs-core';
import type { Plan } from '../../compiler/loops/plan.js';
import type { Program } from '../../compiler/ir/program.js';
import type { ArrayBackend, Executable, Handle } from '../backend.js';
import { createHandles } from '../handles.js';
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
  const handles = createHandles<TfjsHandle>(name, ({ data }) => void backend.disposeData(data));
  const wrap = (data: DataId, size: number): Handle => handles.add({ data, size });
  const load = (program: Program): Executable => {
    const plan = lower(program);
    const prepared = prepare(plan, memory);
    return {
      run: (inputs, profile) => {
        const results = prepared.run(
          handles.read(plan, inputs).map(({ data }) => data),
          profile,
        );
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
    download: async (handle: Handle) =>
      ((await backend.read(handles.of(handle).data)) as Float32Array).slice(),
    dispose: handles.dispose,
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
