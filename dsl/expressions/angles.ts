/** The angle of a point in the plane. */
import type { Expr, Node } from '../grammar.js';
import type { Shape } from '../shape.js';
import { shapeOf } from '../shape-rules.js';
import { add, atan, div, fill, greater, mul, neg, scale, select, sub } from './expression.js';
import { less } from './comparisons.js';

/**
 * The angle in radians, in (−π, π], of the points (x, y), element by element; on the negative half of the axis π. Its derivative is that of the angle
 * wherever there is one; at the origin value and derivative are 0.
 */
export const atan2 = <S extends Shape>(y: Expr<S>, x: Expr<NoInfer<S>>): Expr<S> => {
  const angle: Node = angleOf(y, x);
  return angle;
};

/** Of the two numbers the lesser one is divided by the greater, so that the quotient is at most 1 and its slope bounded. */
const angleOf = (y: Expr, x: Expr): Expr => {
  const all = (value: number): Expr => fill(value, ...(shapeOf(y) ?? []));
  const square = (e: Expr): Expr => mul<Shape>(e, e);
  const steep = greater<Shape>(square(y), square(x));
  const atOrigin = sub<Shape>(all(1), greater<Shape>(add<Shape>(square(x), square(y)), all(0)));
  const over = select<Shape>(steep, y, select<Shape>(atOrigin, all(1), x));
  const part = atan(div<Shape>(select<Shape>(steep, x, y), over));
  const left = less<Shape>(x, all(0));
  const side = sub<Shape>(all(1), scale(2, less<Shape>(y, all(0))));
  return select<Shape>(
    steep,
    add<Shape>(scale(Math.PI / 2, side), neg(part)),
    add<Shape>(part, scale(Math.PI, mul<Shape>(left, side))),
  );
};
