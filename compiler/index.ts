/** The compiler: from experiments to programs, and from programs to what a backend runs. */
export * from './compile.js';
export * from './costs/cost.js';
export * from './expressions.js';
export * from './ir/interpret.js';
export * from './costs/jacobian-cost.js';
export type { LoopKernel } from './loops/loop.js';
export * from './outline.js';
export * from './loops/plan.js';
export * from './ir/print.js';
export { optimize, type Stage } from './pipeline.js';
export * from './ir/program.js';
export { printPlan, showStep } from './loops/print-plan.js';
export type { DrawSpec, ParameterSpec, StateSpec } from './elaborate/context.js';
export { elementCount, physicalShape, type Type } from './ir/type.js';
