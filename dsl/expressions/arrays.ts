/** Axes of arrays: moved, repeated, reduced by an operator, and contracted by letters. */
import type { Expr, Node, ReductionOp } from '../grammar.js';
import type { Shape } from '../shape.js';
import { shapeOf } from '../shape-rules.js';
import { abs, add, div, exp, fill, log, max, scale, sqrt, square, stop, sub } from './expression.js';
import type { ScalarLike } from './expression.js';

type Axes = readonly number[];

/** The shape without the axes that a type knows; `number` where it does not. */
export type Without<S extends Shape, A extends Axes> = number extends A['length']
  ? Shape
  : number extends S['length']
    ? Shape
    : Dropped<S, `${A[number]}`>;

type Dropped<
  S extends Shape,
  A extends string,
  I extends readonly unknown[] = readonly [],
> = S extends readonly [infer N extends number, ...infer Rest extends Shape]
  ? `${I['length']}` extends A
    ? Dropped<Rest, A, readonly [...I, unknown]>
    : readonly [N, ...Dropped<Rest, A, readonly [...I, unknown]>]
  : readonly [];

type Permuted<S extends Shape, P extends Axes> = { readonly [K in keyof P]: S[P[K]] };

/** Axis i of the result is axis permutation[i]. */
export const transpose = <S extends Shape, const P extends Axes>(
  of: Expr<S>,
  permutation: P,
): Expr<Permuted<S, P>> => ({ tag: 'transpose', of, permutation });

/** Axis i of `of` is axis axes[i] of the shape, in ascending order; along the other axes it repeats. */
export const broadcast = <const S extends Shape>(of: Expr, shape: S, axes: Axes): Expr<S> => ({
  tag: 'broadcast',
  of,
  shape,
  axes,
});

const reducing =
  (op: ReductionOp) =>
  <S extends Shape, const A extends Axes>(of: Expr<S>, axes: A): Expr<Without<S, A>> => ({
    tag: 'reduce',
    op,
    of,
    axes,
  });

/** Σ along axes, which disappear. */
export const sumOver = reducing('add');
/** The greatest along axes; elements that tie share the derivative equally. */
export const maxOver = reducing('max');
/** The least along axes; elements that tie share the derivative equally. */
export const minOver = reducing('min');
/** Π along axes. */
export const productOver = reducing('mul');

const sizeAlong = (of: Expr, axes: Axes): number =>
  axes.reduce((count, axis) => count * (shapeOf(of)?.[axis] ?? 1), 1);

/** The mean along axes, of an expression whose shape is known; divided before it is summed, so it is finite where the elements are. */
export const meanOver = <S extends Shape, const A extends Axes>(of: Expr<S>, axes: A): Expr<Without<S, A>> =>
  sumOver(scale(1 / sizeAlong(of, axes), of), axes);

/** What was reduced along axes, repeated along them again: of the shape of `like`. */
export const along = <S extends Shape>(reduced: Expr, like: Expr<S>, axes: Axes): Expr<S> => {
  const shape = shapeOf(like) ?? [];
  const kept = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return { tag: 'broadcast', of: reduced, shape, axes: kept };
};

/** The mean squared distance from the mean, along axes. */
export const varianceOver = <S extends Shape, const A extends Axes>(
  of: Expr<S>,
  axes: A,
): Expr<Without<S, A>> => {
  const centred: Expr<S> = sub(of, along(meanOver(of, axes), of, axes));
  return meanOver(square(centred), axes);
};

/**
 * e/√(mean e² + ε) along axes. Numbers above 1 are divided by their mean size first, held constant, since the result does not depend on it: no
 * square leaves the range of single precision.
 */
export const byRootMeanSquare = <S extends Shape>(of: Expr<S>, axes: Axes, epsilon: number): Expr<S> => {
  const size: Expr = meanOver(abs(stop(of)), axes);
  const shape = shapeOf(size) ?? [];
  const unit: Expr = max<Shape>(fill(1, ...shape), size);
  const scaled: Expr<S> = div(of, along(unit, of, axes));
  const floor: Expr = div<Shape>(fill(epsilon, ...shape), square(unit));
  const root: Expr = sqrt(add<Shape>(meanOver(square(scaled), axes), floor));
  return div(scaled, along(root, of, axes));
};

/**
 * ln Σ exp along axes, finite wherever the numbers are: exp sees their distances below the greatest alone. That is held constant, which leaves
 * the derivative exact, for the value does not depend on what is subtracted and added again.
 */
export const logSumExp = <S extends Shape, const A extends Axes>(
  of: Expr<S>,
  axes: A,
): Expr<Without<S, A>> => {
  const greatest = stop(maxOver(of, axes));
  const below: Expr<S> = sub(of, along(greatest, of, axes));
  return add(greatest, log(sumOver(exp(below), axes)));
};

/** exp e / Σ exp e along axes. */
export const softmax = <S extends Shape>(of: Expr<S>, axes: Axes): Expr<S> => {
  const below: Expr<S> = sub(of, along(stop(maxOver(of, axes)), of, axes));
  const parts = exp(below);
  return div(parts, along(sumOver(parts, axes), of, axes));
};

/** Letters with the sizes that two shapes give them. */
type Sizes<T extends string, S extends Shape> = T extends `${infer L}${infer Rest}`
  ? S extends readonly [infer N extends number, ...infer Others extends Shape]
    ? { readonly [K in L]: N } & Sizes<Rest, Others>
    : { readonly [K in L]: number } & Sizes<Rest, Shape>
  : unknown;

type Spelled<T extends string, Z> = T extends `${infer L}${infer Rest}`
  ? readonly [L extends keyof Z ? (Z[L] extends number ? Z[L] : number) : number, ...Spelled<Rest, Z>]
  : readonly [];

type Contracted<
  T extends string,
  A extends Shape,
  B extends Shape,
> = T extends `${infer L},${infer R}->${infer O}` ? Spelled<O, Sizes<L, A> & Sizes<R, B>> : Shape;

/**
 * The product of two arrays, summed over the letters that the result lacks: `contract('ik,kj->ij', a, b)` is a·b, `'hik,hjk->hij'` a
 * product for each h. One letter for each axis, none twice in one array.
 */
export const contract = <const T extends string, A extends Shape, B extends Shape>(
  subscripts: T,
  left: Expr<A>,
  right: Expr<B>,
): Expr<Contracted<T, A, B>> => ({ tag: 'contract', subscripts, left, right });

/** The elements held between two numbers; derivative zero outside. */
export const clip = <S extends Shape>(of: Expr<S>, least: ScalarLike, most: ScalarLike): Expr<S> => {
  const filled = (bound: ScalarLike): Node => ({ tag: 'fill', of: lift(bound), shape: shapeOf(of) ?? [] });
  return {
    tag: 'binary',
    op: 'min',
    left: { tag: 'binary', op: 'max', left: of, right: filled(least) },
    right: filled(most),
  };
};

const lift = (e: ScalarLike): Node => (typeof e === 'number' ? { tag: 'constant', value: e } : e);

/** Σ of the elements up to each along an axis, itself included: a contraction with a triangle of ones. */
export const cumulatedSum = <S extends Shape>(of: Expr<S>, axis: number): Expr<S> => {
  const shape = shapeOf(of) ?? [];
  const n = shape[axis] ?? 1;
  const letters = [...'abcdef'].slice(0, shape.length).join('');
  const letter = letters[axis] ?? 'a';
  return {
    tag: 'contract',
    subscripts: `${letters},${letter}z->${letters.replace(letter, 'z')}`,
    left: of,
    right: upToEach(n),
  };
};

/** [n,n] of ones where the row is not after the column. */
const upToEach = (n: number): Node => ({
  tag: 'band',
  of: { tag: 'fill', of: { tag: 'constant', value: 1 }, shape: [n, n] },
  below: 0,
  diagonal: 1,
  above: 1,
});

/** A matrix with its entries multiplied by their place: below, on and above the diagonal. */
export const band = <N extends number, M extends number>(
  of: Expr<readonly [N, M]>,
  factors: { readonly below: number; readonly diagonal: number; readonly above: number },
): Expr<readonly [N, M]> => ({ tag: 'band', of, ...factors });

/** Up to here a range is a triangle's sums: n² numbers. */
const shortRange = 256;

const ofTriangle = (n: number): Node => ({
  tag: 'binary',
  op: 'sub',
  left: { tag: 'reduce', op: 'add', of: upToEach(n), axes: [0] },
  right: { tag: 'fill', of: { tag: 'constant', value: 1 }, shape: [n] },
});

/** b·i + j over [a, b], of which the first n are taken. */
const ofDigits = (n: number): Node => {
  const b = Math.ceil(Math.sqrt(n));
  const a = Math.ceil(n / b);
  const over = (of: Node, axis: number): Node => ({ tag: 'broadcast', of, shape: [a, b], axes: [axis] });
  const high: Node = { tag: 'scale', by: { tag: 'constant', value: b }, of: over(range(a), 0) };
  const whole: Node = { tag: 'binary', op: 'add', left: high, right: over(range(b), 1) };
  return {
    tag: 'slice',
    of: { tag: 'reshape', of: whole, shape: [a * b] },
    begin: [0],
    size: [n],
  };
};

/** 0, 1, … n − 1. */
export const range = <const N extends number>(n: N): Expr<readonly [N]> => {
  const numbers: Node = n > shortRange && Number.isFinite(n) ? ofDigits(n) : ofTriangle(n);
  return numbers;
};
