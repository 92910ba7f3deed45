/** Ordinary differential equations followed by a fixed number of steps, in the program: the Runge–Kutta method of fourth order. */
import type { Expr, Node } from '../grammar.js';
import { type FunctionNetwork, network } from '../network.js';
import type { Scalar, Shape } from '../shape.js';
import { apply } from './application.js';
import { add, constant, scale } from './expression.js';

/** dz/dt = f(z, t). */
export type VectorField<S extends Shape> = FunctionNetwork<{ readonly z: S; readonly t: Scalar }, S>;

export type OdeOptions = { readonly from: number; readonly to: number; readonly steps: number };

/** One step of length h as a network, so that a formula of many steps is as long as their number. */
const stepOf = (field: VectorField<Shape>): FunctionNetwork<Readonly<Record<'z' | 't' | 'h', Shape>>> => {
  const shapes: Readonly<Record<'z' | 't' | 'h', Shape>> = { z: field.input, t: [], h: [] };
  const at = (z: Node, t: Node): Node => apply(field, { z, t: scalar(t) });
  return network(`${field.name}Step`, shapes, ({ z, t, h }) => {
    const half = scale(0.5, h);
    const middle = plus(t, half);
    const first = at(z, t);
    const second = at(plus(z, scale(scalar(half), first)), middle);
    const third = at(plus(z, scale(scalar(half), second)), middle);
    const fourth = at(plus(z, scale(scalar(h), third)), plus(t, h));
    const inner = scale(2, plus(second, third));
    return plus(z, scale(scalar(scale(1 / 6, h)), plus(plus(first, inner), fourth)));
  });
};

const scalar = (node: Node): Expr<Scalar> => node;

const plus = (a: Node, b: Node): Node => add<Shape>(a, b);

/**
 * z at time `to` of dz/dt = f(z, t), of which it is z at time `from`, by equal steps. A step has an error of h⁵, all of them together one of h⁴. Where `to` is
 * before `from` it is followed back. The steps are applications of one network, which has the field's name and Step after it.
 */
export function odeSolution<S extends Shape>(
  field: VectorField<S>,
  z: Expr<NoInfer<S>>,
  options: OdeOptions,
): Expr<S>;
export function odeSolution(field: VectorField<Shape>, start: Node, { from, to, steps }: OdeOptions): Node {
  const step = stepOf(field);
  const h = (to - from) / steps;
  return Array.from({ length: steps }, (_, i) => from + i * h).reduce<Node>(
    (z, t) => apply(step, { z, t: constant(t), h: constant(h) }),
    start,
  );
}
