/** The backend in plain JavaScript: slow, everywhere, and a second opinion in tests. */
import '@tensorflow/tfjs-backend-cpu';
import { env } from '@tensorflow/tfjs-core';
import { lowerToKernels } from './kernels.js';
import type { ArrayBackend } from '../backend.js';
import { createTfjsBackend } from './tfjs.js';

/** At its first array tfjs prints a page of advice to install another package, unless it is told that it is in production. */
const withoutAdvice = (backend: ArrayBackend): void => {
  const before = env().getBool('PROD');
  env().set('PROD', true);
  backend.dispose(backend.upload(new Float32Array(1)));
  env().set('PROD', before);
};

export const createCpuBackend = async (): Promise<ArrayBackend> => {
  const backend = await createTfjsBackend('cpu', {
    lower: (program) => lowerToKernels(program, { hasFilterGradient: true }),
    allocate: () => {
      throw new Error('the cpu backend runs no loops');
    },
    loops: () => [],
  });
  withoutAdvice(backend);
  return backend;
};
