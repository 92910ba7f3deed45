/** `solveSPD` as a repeated program: one round of conjugate gradients over all rows. */
import { type Operands, operandsOf } from '../ir/arity.js';
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { createBuilder } from '../ir/builder.js';
import { add, constantLike, fillShape, mul, select, sub, sumAll, times } from '../ir/operations.js';
import { inlined } from '../ir/primitives/solve.js';
import type { Operand, Plan, PlanBuilder } from './plan.js';
import type { EquationOf, Program, Var } from '../ir/program.js';
import { eliminateCommonSubexpressions } from '../passes/cse.js';
import { eliminateDeadCode } from '../passes/dce.js';
import { simplify } from '../passes/simplify.js';
import { physicalShape, sizeOfShape, type Type } from '../ir/type.js';

/** A value that goes from round to round; it begins at 0, or at b. */
export type Carried = {
  readonly name: string;
  readonly type: Type;
  readonly begins: 'zero' | 'b';
  /** Whether it is what the equation gives after the last round. */
  readonly isResult: boolean;
};

/** The solution x, the residual r, the direction p and ‖r‖² one round earlier; the number of rounds where it is asked for. */
export const carriedBy = ({ params, inputs }: EquationOf<'solveSPD'>): readonly Carried[] => {
  const { type } = elementAt(inputs, 0);
  const { gives = 'solution' } = params;
  const scalar: Type = { rows: type.rows, shape: [] };
  return [
    { name: 'x', type, begins: 'zero', isResult: gives === 'solution' },
    { name: 'r', type, begins: 'b', isResult: gives === 'residual' },
    { name: 'p', type, begins: 'zero', isResult: false },
    { name: 'before', type: scalar, begins: 'zero', isResult: false },
    ...(gives === 'rounds'
      ? [{ name: 'rounds', type: scalar, begins: 'zero', isResult: true } as const]
      : []),
  ];
};

/**
 * One round. Its inputs are what it carries, then b and what the operator captures. Its outputs are what it carries, then
 * `running`, the number of rows that are not done; a row that is done stays as it is.
 */
export const roundOf = (eq: EquationOf<'solveSPD'>, batch: number): Program => {
  const { params } = eq;
  const [b, ...captured] = operandsOf(eq.primitive, eq.inputs);
  const builder = createBuilder();
  const { emit } = builder;
  const { type } = b;
  const scalar = { rows: type.rows, shape: [] };
  const [x, r, p, before, rounds] = atLeast(
    4,
    carriedBy(eq).map((one) => builder.bind('data', one.name, one.type)),
  );
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
  const count =
    rounds === undefined ? {} : { rounds: add(emit, rounds, emit('greater', {}, [square, limit])) };
  const next = { x: nextX, r: nextR, p: direction, before: square, ...count, running };
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

/** The loop in a plan, its body lowered as the target lowers any program. */
export const lowerSolve = (
  plan: PlanBuilder,
  eq: EquationOf<'solveSPD'>,
  [b, ...captured]: Operands<'solveSPD', Operand>,
  batch: number,
  lower: (program: Program) => Plan,
): Operand => {
  const zeros = (shape: readonly number[]): Operand =>
    plan.constant(new Array<number>(sizeOfShape(shape)).fill(0), shape);
  const carried = carriedBy(eq);
  const first = carried.map(({ type, begins }) => (begins === 'b' ? b : zeros(physicalShape(type, batch))));
  const last = plan.repeat(lower(roundOf(eq, batch)), eq.params.iterations, first, [b, ...captured]);
  return elementAt(
    last,
    carried.findIndex(({ isResult }) => isResult),
  );
};
