/** Entries of a table by whole numbers, such as classes or tokens. */
import type { Expr, Node } from '../grammar.js';
import type { Shape } from '../shape.js';
import { shapeOf } from '../shape-rules.js';
import { broadcast, contract, range } from './arrays.js';
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
 * The entries of a table [n, …] at whole numbers from 0 of any shape: [n, …], [k] → [k, …]. Zeros where a number is out of range; linear in the table,
 * derivative zero in the numbers. It is a product with one-hot vectors: n·size multiplications for each entry.
 */
export const gather = <N extends number, S extends Shape, I extends Shape>(
  table: Expr<readonly [N, ...S]>,
  index: Expr<I>,
): Expr<readonly [...I, ...S]> => {
  const [count = 1, ...entry] = shapeOf(table) ?? [];
  const letters = [...'abcdefghijklmnopqrstuvwxy'];
  const asked = letters.slice(0, (shapeOf(index) ?? []).length).join('');
  const inner = letters.slice(asked.length, asked.length + entry.length).join('');
  const entries: Node = contract(`${asked}z,z${inner}->${asked}${inner}`, oneHot(count, index), table);
  return entries;
};
