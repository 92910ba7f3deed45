/** `solveSPD` as a repeated program: one round of conjugate gradients over all rows. */
import { createBuilder } from '../builder.js';
import { add, constantLike, fillShape, mul, select, sub, sumAll, times } from '../operations.js';
import { inlined } from '../primitives/solve.js';
import type { Operand, Plan, PlanBuilder } from '../plan.js';
import type { EquationOf, Program, Var } from '../program.js';
import { eliminateCommonSubexpressions } from '../passes/cse.js';
import { eliminateDeadCode } from '../passes/dce.js';
import { simplify } from '../passes/simplify.js';
import { sizeOfShape } from '../type.js';

/** How many of a round's inputs are carried. */
export const carriedCount = 4;

/**
 * One round. Its inputs are what it carries (the solution x, the residual r, the direction p and ‖r‖² one round earlier, which
 * begin at 0, b, 0 and 0), then b and what the operator captures. Its outputs are what it carries, then `running`, the number of
 * rows that are not done; a row that is done stays as it is.
 */
export const roundOf = (
  { params, inputs: [b, ...captured] }: EquationOf<'solveSPD'>,
  batch: number,
): Program => {
  const builder = createBuilder();
  const { emit } = builder;
  const { type } = b;
  const scalar = { rows: type.rows, shape: [] };
  const [x, r, p] = ['x', 'r', 'p'].map((name) => builder.bind('data', name, type));
  const before = builder.bind('data', 'before', scalar);
  const right = builder.bind('data', 'b', type);
  const values = captured.map((value, i) => builder.bind('data', `captured ${i}`, value.type));
  const zero = constantLike(emit, 0, scalar);
  const dot = (u: Var, v: Var): Var => sumAll(emit, mul(emit, u, v));
  const along = (by: Var, v: Var): Var => mul(emit, fillShape(emit, by, type.shape), v);

  const limit = times(emit, dot(right, right), params.tolerance ** 2);
  const square = dot(r, r);
  const direction = add(emit, r, along(emit('divNoNan', {}, [square, before]), p));
  const product = inlined(emit, params.operator, direction, values).out;
  const curvature = dot(direction, product);
  const isDone = emit('greater', {}, [limit, square]);
  const alpha = select(emit, isDone, zero, emit('divNoNan', {}, [square, curvature]));
  const nextX = add(emit, x, along(alpha, direction));
  const nextR = sub(emit, r, along(alpha, product));
  // Counted as what is not below the limit, so that a residual that is not a number runs on and shows.
  const done = emit('greater', {}, [limit, dot(nextR, nextR)]);
  const running = emit('sumBatch', {}, [sub(emit, constantLike(emit, 1, scalar), done)]);
  const next = { x: nextX, r: nextR, p: direction, before: square, running };
  const program: Program = {
    name: 'conjugate gradients',
    batch,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: Object.entries(next).map(([name, value]) => ({ kind: 'value', name, var: value })),
  };
  const cleaned = [simplify, eliminateCommonSubexpressions, simplify, eliminateCommonSubexpressions].reduce(
    (result, pass) => pass(result),
    program,
  );
  return { ...eliminateDeadCode(cleaned), binders: program.binders };
};

/** The loop in a plan, its body lowered as the target lowers any program; gives the solution. */
export const lowerSolve = (
  plan: PlanBuilder,
  eq: EquationOf<'solveSPD'>,
  [b, ...captured]: readonly Operand[],
  batch: number,
  lower: (program: Program) => Plan,
): Operand => {
  const zeros = (shape: readonly number[]): Operand =>
    plan.constant(new Array<number>(sizeOfShape(shape)).fill(0), shape);
  const carried = [zeros(b.shape), b, zeros(b.shape), zeros([b.shape[0]])];
  const [x] = plan.repeat(lower(roundOf(eq, batch)), eq.params.iterations, carried, [b, ...captured]);
  return x;
};
