/**
 * Backends: one folder each, its code generation beside what runs it, behind one interface and one chooser. The only room that
 * imports tfjs, a GPU's library or a compiler of the machine. Nothing here knows what an experiment is: it runs programs.
 */
export type { ArrayBackend, Backend, Executable, Handle, Instance, Profile } from './backend.js';
export { backendNames, startBackend } from './choose.js';
export { printGraph } from './tensorflow/graph.js';
export { lowerGraph } from './tensorflow/lower/lower-graph.js';
export { lowerToKernels } from './tfjs/kernels.js';
export { lowerWasm } from './wasm/lower.js';
export { createWasmBackend } from './wasm/wasm.js';
