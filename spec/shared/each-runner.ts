/** A law on each of several backends: where one does not load, its laws are reported as skipped. */
import { describe } from 'vitest';
import { hasCc, hasNative, hasWebgpu, type RunnerName } from './backends.js';

/** Whether the backend can run here; wasm and the processor's own always do. */
export const isThere = (name: RunnerName): boolean =>
  name === 'native' ? hasNative() : name === 'cc' ? hasCc() : name === 'webgpu' ? hasWebgpu() : true;

/** Declares the laws of each backend, so that one that is missing is counted. */
export const eachRunner = (names: readonly RunnerName[], laws: (name: RunnerName) => void): void =>
  names.forEach((name) => describe.skipIf(!isThere(name))(`by ${name}`, () => laws(name)));
