/** What an update of the gradients sees, and what it leaves. */
import type { Expr } from '../../dsl/expressions/expression.js';
import type { Scalar } from '../../dsl/shape.js';
import { add, constantLike, fillShape, mul, sumAll, unary } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';
import { scalarType, sizeOfShape } from '../ir/type.js';

/** A weight on its way to a step: its name, what it is, and what has become of its gradient. */
export type Weight = { readonly name: string; readonly value: Var; readonly update: Var };

/** Keeps a number or array from step to step: gives what it is, and takes what it becomes. */
export type Keep = (
  moment: string,
  name: string,
  like: Var['type'],
  initial: number,
  next: (now: Var) => Var,
) => { readonly now: Var; readonly next: Var };

export type Site = {
  readonly emit: Emit;
  /** Changes so far, from 1. */
  readonly count: Var;
  /** A moment of the update at hand. */
  readonly keep: Keep;
  /** Another update's moments, under names of their own. */
  readonly keepFor: (group: string) => Keep;
  /** The value of a schedule in the optimizer. */
  readonly number: (of: Expr<Scalar>) => Var;
};

export const scalar = (emit: Emit, value: number): Var => constantLike(emit, value, scalarType);

/** A scalar times an array. */
export const scaled = (emit: Emit, by: Var, x: Var): Var => mul(emit, fillShape(emit, by, x.type.shape), x);

export const totalOf = (emit: Emit, values: readonly Var[]): Var =>
  values.reduce((total, x) => add(emit, total, x), scalar(emit, 0));

export const squareOf = (emit: Emit, x: Var): Var => mul(emit, x, x);

/** The root of the sum of all squares. */
export const normOf = (emit: Emit, arrays: readonly Var[]): Var =>
  unary(
    emit,
    'sqrt',
    totalOf(
      emit,
      arrays.map((x) => sumAll(emit, squareOf(emit, x))),
    ),
  );

/** The root of the mean square of one array. */
export const rootMeanSquare = (emit: Emit, x: Var): Var => {
  const share = scalar(emit, 1 / sizeOfShape(x.type.shape));
  return unary(emit, 'sqrt', mul(emit, sumAll(emit, squareOf(emit, x)), share));
};
