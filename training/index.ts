/** Training: from an experiment to a fitted model. */
export * from './events.js';
export * from './fit.js';
export * from './rows.js';
export * from './session.js';
export * from './state.js';
export * from './train.js';
export type { ArrayBackend, Backend, Executable, Handle, Instance, Profile } from '../runtime/backend.js';
export { backendNames, startBackend } from '../runtime/backends.js';
export { threadsFor } from '../runtime/native/threads.js';
export { createWasmBackend } from '../runtime/wasm.js';
export * from './hold-out.js';
export * from './outcome.js';
export * from './processes.js';
export * from './sweep-run.js';
export * from './sweep.js';
export * from './trial-run.js';
export * from './trial.js';
export * from './whole-file.js';
