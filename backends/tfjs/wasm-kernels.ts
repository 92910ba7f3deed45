/** tfjs's own wasm backend, every equation the kernel of its name: what runs graphs that tfjs has read, and the comparison for generated loops. */
import type { DataId, KernelBackend } from '@tensorflow/tfjs-core';
import type { ArrayBackend } from '../backend.js';
import { lowerToKernels } from './kernels.js';

/** What this file uses of tfjs's BackendWasm and its types do not promise. */
type Heap = {
  readonly makeOutput: (shape: readonly number[], dtype: 'float32') => { readonly dataId: DataId };
};

const heapOf = (backend: KernelBackend): Heap => backend as unknown as Heap;

/** Starts tfjs's wasm backend on one thread. */
export const createKernelBackend = async (): Promise<ArrayBackend> => {
  // tfjs takes a quarter of a second to load, and few programs need it.
  const { setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
  const { createTfjsBackend } = await import('./tfjs.js');
  // More threads fail in Node (they need a browser's workers).
  setThreadsCount(1);
  return createTfjsBackend('wasm', {
    lower: (program) => lowerToKernels(program, { hasFilterGradient: false }),
    allocate: (backend, size) => heapOf(backend).makeOutput([size], 'float32').dataId,
    loops: () => [],
  });
};
