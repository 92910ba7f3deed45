/** The backend in plain JavaScript: slow, everywhere, and a second opinion in tests. */
import '@tensorflow/tfjs-backend-cpu';
import { lowerToKernels } from './kernels.js';
import type { ArrayBackend } from '../backend.js';
import { createTfjsBackend } from './tfjs.js';

export const createCpuBackend = (): Promise<ArrayBackend> =>
  createTfjsBackend('cpu', {
    lower: (program) => lowerToKernels(program, { hasFilterGradient: true }),
    allocate: () => {
      throw new Error('the cpu backend runs no loops');
    },
    loops: () => [],
  });
