/** Entries of a table by whole numbers, such as classes or tokens. */
import type { Expr, Node } from '../grammar.js';
import type { Shape } from '../shape.js';
import { shapeOf } from '../shape-rules.js';
import { broadcast, range } from './arrays.js';
import { less } from './comparisons.js';
import { abs, fill, sub } from './expression.js';

/** 1 at the place of each whole number from 0 along a new last axis, else 0. Out of range it is 0 everywhere; its derivative is zero. */
export const oneHot = <const N extends number, S extends Shape>(
  count: N,
  index: Expr<S>,
): Expr<readonly [...S, N]> => {
  const shape = shapeOf(index) ?? [];
  const places = [...shape, count];
  const asked: Expr = broadcast(
    index,
    places,
    shape.map((_, i) => i),
  );
  const each: Expr = broadcast(range(count), places, [shape.length]);
  const one: Node = less<Shape>(abs(sub<Shape>(asked, each)), fill(0.5, ...places));
  return one;
};

/**
 * The entries of a table [n, …] at whole numbers from 0 of any shape: [n, …], [k] → [k, …]. Zeros where a number is out of range or ½ and more
 * from any; linear in the table, derivative zero in the numbers. The same as a product with one-hot vectors, without the products.
 */
export const gather = <N extends number, S extends Shape, I extends Shape>(
  table: Expr<readonly [N, ...S]>,
  index: Expr<I>,
): Expr<readonly [...I, ...S]> => ({ tag: 'gather', table, index });
