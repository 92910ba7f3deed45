/** The compiler: from experiments to programs, and from programs to what a backend runs. */
export * from './compile.js';
export * from './interpret.js';
export * from './print.js';
export * from './program.js';
export { lowerPlain } from './lower/plain.js';
export { lowerWasm } from './lower/wasm.js';
export type { DrawSpec, ParameterSpec, StateSpec } from './elaborate/context.js';
