/** The embedded default: programs as generated WebAssembly in a memory of their own, a step one call, on all cores. */
import type { Program } from '../../compiler/ir/program.js';
import { elementAt } from '../../dsl/lookup.js';
import type { ArrayBackend, Executable, Handle } from '../backend.js';
import { openOnArrays } from '../tfjs/instance.js';
import { prepare } from './executable.js';
import { createHeap } from './heap.js';
import { createHandles } from '../handles.js';
import { createPace } from '../pace.js';
import { variant } from './relaxed.js';
import { lowerWasm } from './lower.js';
import { startThreads, ThreadLost } from './threads.js';
import { usualThreads } from '../usual-threads.js';

export type WasmOptions = {
  /** Threads that share a step; all cores unless given. The results do not depend on it. */
  readonly threads?: number | undefined;
};

export type WasmBackend = ArrayBackend & {
  /** Ends its threads; programs run on one from then on. */
  readonly end: () => Promise<void>;
};

type Array = Handle & { readonly address: number };

const create = (count: number): WasmBackend => {
  const heap = createHeap(typeof SharedArrayBuffer !== 'undefined');
  const threads = startThreads(heap, count);
  const handles = createHandles<Array>('wasm', ({ address, size }) => heap.give(address, size));
  const made = (size: number): Array => handles.add({ size, address: heap.take(size) });
  const load = (program: Program): Executable => {
    const plan = lowerWasm(program);
    const prepared = prepare(plan, heap, threads);
    const pace = createPace();
    const sizes = plan.outputs.map(({ operand }) => elementAt(plan.buffers, operand.buffer));
    // A thread that was lost may still write to this, so it is nobody else's from then on.
    let isLost = false;
    return {
      run: (inputs, profile) => {
        const read = handles.read(plan, inputs).map(({ address }) => address);
        const outputs: Array[] = [];
        try {
          for (const size of sizes) outputs.push(made(size));
          threads.turn(pace.isShared());
          const start = performance.now();
          prepared.run(
            read,
            outputs.map(({ address }) => address),
            profile,
          );
          if (prepared.isShared) pace.took(performance.now() - start);
        } catch (error) {
          isLost ||= error instanceof ThreadLost;
          if (!isLost) outputs.forEach(handles.dispose);
          throw error;
        }
        return outputs;
      },
      dispose: () => {
        if (!isLost) prepared.dispose();
      },
    };
  };
  const arrays = {
    load,
    upload: (values: Float32Array) => {
      const handle = made(values.length);
      heap.floats().set(values, handle.address / 4);
      return handle;
    },
    download: async (handle: Handle) => {
      const { address, size } = handles.of(handle);
      // A copy, in memory that no thread shares.
      return new Float32Array(heap.floats().subarray(address / 4, address / 4 + size));
    },
    dispose: handles.dispose,
  };
  return {
    ...arrays,
    name: 'wasm',
    ...(variant === undefined ? {} : { variant }),
    description: `wasm (${[`${threads.count} ${threads.count === 1 ? 'thread' : 'threads'}`, ...(variant === undefined ? [] : [variant])].join(', ')})`,
    open: async (programs, state) => openOnArrays(arrays, programs, state),
    plan: lowerWasm,
    liveCount: handles.live,
    end: async () => {
      started.delete(count);
      await threads.end();
    },
  };
};

/** By the number of threads: a process has one memory for each, however often it is asked for. */
const started = new Map<number, WasmBackend>();

/** The backend that needs nothing; on all cores unless it is told how many threads to have. One that was started before is the same again. */
export const createWasmBackend = async ({ threads }: WasmOptions = {}): Promise<WasmBackend> => {
  const count = threads ?? usualThreads();
  const backend = started.get(count) ?? create(count);
  started.set(count, backend);
  return backend;
};
