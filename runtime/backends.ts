/** The backends by name. */
import { type Problem, problem, didYouMean } from '../dsl/problem.js';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { Backend } from './backend.js';
import { createCpuBackend } from './cpu.js';
import { createWasmBackend } from './wasm.js';

const backends: Readonly<Record<string, () => Promise<Backend>>> = {
  wasm: () => createWasmBackend(),
  cpu: createCpuBackend,
};

export const backendNames: readonly string[] = Object.keys(backends);

/** Starts a backend; an unknown name is a problem with the known ones. */
export const startBackend = async (name: string): Promise<Either<readonly Problem[], Backend>> =>
  Object.hasOwn(backends, name)
    ? right(await backends[name]())
    : left([
        problem('--backend', JSON.stringify(name), `one of ${backendNames.join(', ')}`, didYouMean(name, backendNames)),
      ]);
