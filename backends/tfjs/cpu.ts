/** The backend in plain JavaScript: slow, everywhere, and a second opinion in tests. */
import { lowerToKernels } from './kernels.js';
import type { ArrayBackend } from '../backend.js';

export const createCpuBackend = async (): Promise<ArrayBackend> => {
  // tfjs takes a quarter of a second to load, and few programs need it.
  await import('@tensorflow/tfjs-backend-cpu');
  const { createTfjsBackend } = await import('./tfjs.js');
  return createTfjsBackend('cpu', {
    lower: (program) => lowerToKernels(program, { hasFilterGradient: true }),
    allocate: () => {
      throw new Error('the cpu backend runs no loops');
    },
    loops: () => [],
  });
};
