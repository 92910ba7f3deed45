/** The compiler: from experiments to programs, and from programs to what a backend runs. */
export * from './compile.js';
export * from './cost.js';
export * from './expressions.js';
export * from './interpret.js';
export * from './jacobian-cost.js';
export type { LoopKernel } from './loop.js';
export * from './outline.js';
export * from './plan.js';
export * from './print.js';
export { optimize, type Stage } from './pipeline.js';
export * from './program.js';
export { printGraph } from './graph.js';
export { lowerGraph } from './lower/graph.js';
export { printPlan, showStep } from './lower/print-plan.js';
export { lowerPlain } from './lower/plain.js';
export { lowerWasm } from './lower/wasm.js';
export type { DrawSpec, ParameterSpec, StateSpec } from './elaborate/context.js';
export { elementCount, physicalShape, type Type } from './type.js';
