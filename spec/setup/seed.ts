/** Chooses the seed of all properties once per run and prints it; IMMERSION_SEED repeats a run. */
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    seed: number;
  }
}

export const setup = (project: TestProject): void => {
  const seed = Number(process.env['IMMERSION_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  if (!Number.isInteger(seed))
    throw new Error(`IMMERSION_SEED: expected an integer, found ${process.env['IMMERSION_SEED']}`);
  console.log(`properties run with IMMERSION_SEED=${seed}`);
  project.provide('seed', seed);
};
