/**
 * Modules compiled for how long they run. V8 begins with code that is made fast and runs slowly (about five times on our nests), and goes over
 * to better code from one call of a function to the next; a first step of seconds would be spent in the slow one.
 */
import { engine } from './engine.js';

/** Operations of a run, as `costOfNest` counts them, from which on better code is worth waiting for: some tens of milliseconds. */
const longRun = 5e8;

/** Node lets V8's flags be set while it runs; a page does not. */
const v8 = globalThis.process?.getBuiltinModule?.('node:v8');

/** What V8 is told while a module is made: the better code at once, of all functions, on all cores. */
const flags = ['liftoff', 'wasm-lazy-compilation'];

export const compileModule = (bytes: Uint8Array, operations: number): object => {
  if (v8 === undefined || operations < longRun) return new engine.Module(bytes);
  const before = flags.filter((flag) => !process.execArgv.includes(`--no-${flag}`));
  before.forEach((flag) => v8.setFlagsFromString(`--no-${flag}`));
  try {
    return new engine.Module(bytes);
  } finally {
    before.forEach((flag) => v8.setFlagsFromString(`--${flag}`));
  }
};
