/**
 * The compiler: from experiments to programs, and from programs to loops. `ir` is the programs and their primitives, `elaborate` makes
 * them of specifications, `derivatives` differentiates, `optimizers` are updates as equations, `passes` rewrites, `costs` counts,
 * `loops` fuses and schedules. No backend, no file and no clock: what a machine runs is made in backends/.
 */
export { compile, type Compiled } from './compile.js';
export { type Cost, costOf, type EquationCost, mostExpensive } from './costs/cost.js';
export { type SolveCost, solveCost, type VolumeCost, volumeCost } from './costs/jacobian-cost.js';
export type { DrawSpec, ParameterSpec, StateSpec } from './elaborate/context.js';
export { type CompiledExpressions, compileExpressions, type Expressions } from './expressions.js';
export { type Arrays, interpret } from './ir/interpret.js';
export type { Equation, EquationOf } from './ir/params.js';
export { print } from './ir/print.js';
export {
  atBatch,
  type Binder,
  type BinderKind,
  type Output,
  type OutputKind,
  type Program,
  type Results,
  type TelemetryName,
} from './ir/program.js';
export { elementCount, type Type } from './ir/type.js';
export type { Var } from './ir/var.js';
export type { LoopKernel } from './loops/loop.js';
export type { Operand, Plan, PlanBuilder, Routine, Step } from './loops/plan.js';
export { type LoopTraffic, trafficOf } from './loops/loop-traffic.js';
export { printLoops } from './loops/print-loops.js';
export { printPlan, showStep, stepTitle } from './loops/print-plan.js';
export { type LayerOutline, outline } from './outline.js';
export { optimize, type Stage } from './pipeline.js';
