/** The backend in plain JavaScript: slow, everywhere, and a second opinion in tests. */
import { lowerToKernels } from './kernels.js';
import type { ArrayBackend } from '../backend.js';

/** At its first array tfjs prints a page of advice to install another package, unless it is told that it is in production. */
const withoutAdvice = async (backend: ArrayBackend): Promise<void> => {
  const { env } = await import('@tensorflow/tfjs-core');
  const before = env().getBool('PROD');
  env().set('PROD', true);
  backend.dispose(backend.upload(new Float32Array(1)));
  env().set('PROD', before);
};

export const createCpuBackend = async (): Promise<ArrayBackend> => {
  // tfjs takes a quarter of a second to load, and few programs need it.
  await import('@tensorflow/tfjs-backend-cpu');
  const { createTfjsBackend } = await import('./tfjs.js');
  const backend = await createTfjsBackend('cpu', {
    lower: (program) => lowerToKernels(program, { hasFilterGradient: true }),
    allocate: () => {
      throw new Error('the cpu backend runs no loops');
    },
    loops: () => [],
  });
  await withoutAdvice(backend);
  return backend;
};
