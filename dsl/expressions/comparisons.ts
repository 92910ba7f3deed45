/** Comparisons of numbers, element by element: 1 where they hold, else 0; their derivatives are zero. All are made of `greater`. */
import type { Expr, Node } from '../grammar.js';
import type { Scalar, Shape } from '../shape.js';
import { shapeOf } from '../shape-rules.js';
import { constant, fill, greater, mul, type ScalarLike, sub } from './expression.js';

/** On equal shapes; two scalars may be plain numbers. */
type Comparison = {
  (a: ScalarLike, b: ScalarLike): Expr<Scalar>;
  <S extends Shape>(a: Expr<S>, b: Expr<NoInfer<S>>): Expr<S>;
};

const lifted = (e: Node | number): Node => (typeof e === 'number' ? constant(e) : e);

const not = (of: Node): Node => sub<Shape>(fill(1, ...(shapeOf(of) ?? [])), of);

/** 1 where a < b, else 0. */
export const less: Comparison = (a: Node | number, b: Node | number): Node =>
  greater<Shape>(lifted(b), lifted(a));

/** 1 where a ≤ b, else 0. */
export const lessEqual: Comparison = (a: Node | number, b: Node | number): Node =>
  not(greater<Shape>(lifted(a), lifted(b)));

/** 1 where a ≥ b, else 0. */
export const greaterEqual: Comparison = (a: Node | number, b: Node | number): Node =>
  lessEqual<Shape>(lifted(b), lifted(a));

/** 1 where a = b, else 0. */
export const equal: Comparison = (a: Node | number, b: Node | number): Node =>
  mul<Shape>(lessEqual<Shape>(lifted(a), lifted(b)), greaterEqual<Shape>(lifted(a), lifted(b)));

/** 1 where a ≠ b, else 0. */
export const notEqual: Comparison = (a: Node | number, b: Node | number): Node =>
  not(equal<Shape>(lifted(a), lifted(b)));
