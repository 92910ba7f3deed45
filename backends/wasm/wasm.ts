/** The embedded default: tfjs's wasm backend, with loops generated into its memory. */
import { setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import type { DataId, KernelBackend } from '@tensorflow/tfjs-core';
import { lowerToKernels } from '../tfjs/kernels.js';
import { lowerWasm } from './lower.js';
import { keyOf } from '../../compiler/ir/key.js';
import type { LoopKernel } from '../../compiler/loops/loop.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { generate } from './generate.js';
import type { ArrayBackend } from '../backend.js';
import type { RunLoop } from '../tfjs/execute.js';
import { addressOf, fusedMultiplyAdd, instantiateLoops, type WasmBackend } from './loops.js';
import { createTfjsBackend } from '../tfjs/tfjs.js';

/** What this file uses of tfjs's BackendWasm and its types do not promise. */
type Heap = WasmBackend & {
  readonly makeOutput: (shape: readonly number[], dtype: 'float32') => { readonly dataId: DataId };
};

const heapOf = (backend: KernelBackend): Heap => backend as unknown as Heap;

const runLoops = (backend: KernelBackend, plan: Plan): readonly RunLoop[] => {
  const kernels = plan.steps.flatMap((step) => (step.tag === 'loop' ? [step.loop] : []));
  if (kernels.length === 0) return [];
  const heap = heapOf(backend);
  // Layers of one shape have equal loops on different arrays: their code is written once.
  const unlike = new Map<string, LoopKernel>();
  const keys = kernels.map((kernel) => {
    const key = keyOf(kernel);
    unlike.set(key, kernel);
    return key;
  });
  const loops = instantiateLoops(heap, generate([...unlike.values()], { fused: fusedMultiplyAdd }));
  const functions = new Map([...unlike.keys()].map((key, i) => [key, loops[i]]));
  return keys.map((key): RunLoop => {
    const loop = functions.get(key);
    if (loop === undefined) throw new Error('a loop without its code');
    return (inputs, outputs) =>
      loop(...inputs.map((id) => addressOf(heap, id)), ...outputs.map((id) => addressOf(heap, id)));
  });
};

/** `kernels` lowers every equation to the kernel of its name, as a comparison for benchmarks. */
export const createWasmBackend = (options: { readonly kernels?: boolean } = {}): Promise<ArrayBackend> => {
  // More threads fail in Node (they need a browser's workers); more cores mean more processes.
  setThreadsCount(1);
  return createTfjsBackend('wasm', {
    lower:
      options.kernels === true
        ? (program) => lowerToKernels(program, { hasFilterGradient: false })
        : lowerWasm,
    allocate: (backend, size) => heapOf(backend).makeOutput([size], 'float32').dataId,
    loops: runLoops,
  });
};
