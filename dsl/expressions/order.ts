/**
 * Order along an axis: ranks, sorted arrays and quantiles. A sorted array is its elements in another order, so its derivative is the same order of
 * theirs; where elements tie, the earlier one comes first. Each element is compared with each, n² comparisons for n elements.
 */
import type { Expr, Node } from '../grammar.js';
import type { Shape } from '../shape.js';
import { shapeOf } from '../shape-rules.js';
import { band, broadcast, range, sumOver, transpose, type Without } from './arrays.js';
import { equal } from './comparisons.js';
import { add, fill, greater, mul, reshaped, scale, slice, stop } from './expression.js';

type Axes = readonly number[];

const others = (shape: Shape, axis: number): Axes => shape.map((_, i) => i).filter((i) => i !== axis);

/** With the axis last, and the way back. */
const turned = (e: Expr, axis: number): { readonly last: Expr; readonly back: (of: Expr) => Expr } => {
  const shape = shapeOf(e) ?? [];
  const order = [...others(shape, axis), axis];
  return {
    last: transpose(e, order),
    back: (of) =>
      transpose(
        of,
        order.map((_, i) => order.indexOf(i)),
      ),
  };
};

/** For the elements i of the last axis, how many come before them. */
const ranksOfLast = (e: Expr): Expr => {
  const shape = shapeOf(e) ?? [];
  const n = shape.at(-1) ?? 1;
  const pairs = [...shape, n];
  const outer = shape.slice(0, -1).map((_, i) => i);
  const own: Expr = broadcast(e, pairs, [...outer, shape.length - 1]);
  const other: Expr = broadcast(e, pairs, [...outer, shape.length]);
  const earlier: Expr = broadcast(band(fill(1, n, n), { below: 1, diagonal: 0, above: 0 }), pairs, [
    shape.length - 1,
    shape.length,
  ]);
  const before = add<Shape>(greater<Shape>(own, other), mul<Shape>(equal<Shape>(own, other), earlier));
  return stop(sumOver(before, [shape.length]));
};

/** The place from 0 of each element in ascending order along an axis; its derivative is zero. */
export const ranks = <S extends Shape>(e: Expr<S>, axis: number): Expr<S> => {
  const { last, back } = turned(e, axis);
  const placed: Node = back(ranksOfLast(last));
  return placed;
};

const sortedLast = (e: Expr): Expr => {
  const shape = shapeOf(e) ?? [];
  const n = shape.at(-1) ?? 1;
  const pairs = [...shape, n];
  const outer = shape.slice(0, -1).map((_, i) => i);
  // [.., k, i] is 1 where element i is the k-th.
  const rank: Expr = broadcast(ranksOfLast(e), pairs, [...outer, shape.length]);
  const place: Expr = broadcast(range(n), pairs, [shape.length - 1]);
  const of: Expr = broadcast(e, pairs, [...outer, shape.length]);
  return sumOver(mul<Shape>(equal<Shape>(rank, place), of), [shape.length]);
};

/** The elements along an axis in ascending order. */
export const sort = <S extends Shape>(e: Expr<S>, axis: number): Expr<S> => {
  const { last, back } = turned(e, axis);
  const sorted: Node = back(sortedLast(last));
  return sorted;
};

/** The element that a share q of those along an axis does not pass, between two of them by linear interpolation, as NumPy has it; 0.5 is the median. */
export const quantile = <S extends Shape, const A extends number>(
  e: Expr<S>,
  q: number,
  axis: A,
): Expr<Without<S, readonly [A]>> => {
  const { last } = turned(e, axis);
  const sorted = sortedLast(last);
  const shape = shapeOf(sorted) ?? [];
  const n = shape.at(-1) ?? 1;
  const place = Math.min(Math.max(q, 0), 1) * (n - 1);
  const below = Math.floor(place);
  const at = (k: number): Expr =>
    reshaped(
      slice(
        sorted,
        shape.map((_, i) => (i === shape.length - 1 ? k : 0)),
        shape.with(-1, 1),
      ),
      ...shape.slice(0, -1),
    );
  const value: Node =
    below === place
      ? at(below)
      : add<Shape>(scale(below + 1 - place, at(below)), scale(place - below, at(below + 1)));
  return value;
};
