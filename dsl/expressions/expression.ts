/** Constructors of expressions: typed, immutable formulas over data, draws, parameters and networks, for one example. */
import { unknownOptions } from '../mistake.js';
import type { Distribution } from './draw.js';
import type { ActivationName, BinaryOp, Expr, NetworkValue, Node, UnaryOp } from '../grammar.js';
import type { Initializer } from '../layers/initializer.js';
import type { Known, Scalar, Shape } from '../shape.js';

export { apply, jvp, logDet, vjp } from './application.js';
export type { BinaryOp, Expr, Node, UnaryOp, VolumeMethod } from '../grammar.js';

/**
 * A scalar of which only the gradient means anything. It can be scaled and be a term of an objective; added to a likelihood it
 * fails to type-check.
 */
export type Surrogate = Node & { readonly _shape?: 'surrogate' | undefined };

/** The scalar as a surrogate: no value of it is to be reported as a likelihood. */
export const surrogate = (of: Expr<Scalar>): Surrogate => {
  const node: Node = of;
  return node;
};

/** A scalar, or a plain number in its place. */
export type ScalarLike = Expr<Scalar> | number;

const lift = (e: Node | number): Node => (typeof e === 'number' ? { tag: 'constant', value: e } : e);

/** The data example: what a batch is made of. */
export const data = <const S extends Shape>(...shape: S): Expr<S> => ({ tag: 'data', shape });

/** The data example of a network's input shape. */
export const dataOf = <I extends Shape>(
  network: NetworkValue & { readonly _input?: Known<I> | undefined },
): Expr<I> => ({
  tag: 'data',
  shape: network.input,
});

/** A named number, or array of numbers, of each example beside the data: its class, a mask, a weight. */
export const field = <const S extends Shape>(name: string, ...shape: S): Expr<S> => ({
  tag: 'field',
  name,
  shape,
  type: 'float',
});

/** A named whole number, or array of them, of each example: its class, its tokens. */
export const integerField = <const S extends Shape>(name: string, ...shape: S): Expr<S> => ({
  tag: 'field',
  name,
  shape,
  type: 'integer',
});

/** A number, a scalar. */
export const constant = (value: number): Expr<Scalar> => ({ tag: 'constant', value });

/** A named hyper-parameter with its default: `--set name=value`, and what a sweep varies. */
export const hyper = (name: string, value: number): Expr<Scalar> => ({ tag: 'hyper', name, value });

/** The training step i, from 0: what schedules are made of. */
export const step: Expr<Scalar> = { tag: 'step' };

/** A random input. With `probes: k` it has an explicit leading axis of k independent probes (or one orthonormal frame). */
export function draw<S extends Shape>(name: string, distribution: Distribution<S>): Expr<S>;
export function draw<S extends Shape, const K extends number>(
  name: string,
  distribution: Distribution<S>,
  options: { readonly probes: K },
): Expr<readonly [K, ...S]>;
export function draw(name: string, distribution: Distribution, options?: { readonly probes: number }): Node {
  return {
    tag: 'draw',
    name,
    distribution: distribution.tag,
    shape: distribution.shape,
    ...(options?.probes === undefined ? {} : { probes: options.probes }),
    ...unknownOptions('draw', options, ['probes']),
  };
}

/** A trainable value outside any network. */
export const parameter = <const S extends Shape>(
  name: string,
  initializer: Initializer,
  ...shape: S
): Expr<S> => ({
  tag: 'parameter',
  name,
  shape,
  initializer,
});

/** Σθ² over a network's trainable parameters (weight decay), or with 'kernels' over its kernels only. */
export const sqNormOfWeights = (network: NetworkValue, only: 'all' | 'kernels' = 'all'): Expr<Scalar> => ({
  tag: 'sqNormOfWeights',
  network,
  only,
});

/** The same value, with derivative zero. */
export const stop = <S extends Shape>(e: Expr<S>): Expr<S> => ({ tag: 'stop', of: e });

const unary =
  (op: UnaryOp) =>
  <S extends Shape>(e: Expr<S>): Expr<S> => ({ tag: 'unary', op, of: e });

/** −x of each element. */
export const neg = unary('neg');
/** e^x, held at the largest finite value of single precision beyond x = 88.7. */
export const exp = unary('exp');
/** ln x of each element; −∞ at 0, NaN below. */
export const log = unary('log');
/** √x, with derivative 0 at 0. */
export const sqrt = unary('sqrt');
/** x² of each element. */
export const square = unary('square');
/** |x| of each element; derivative 0 at 0. */
export const abs = unary('abs');
/** Of an angle in radians. */
export const sin = unary('sin');
/** Of an angle in radians. */
export const cos = unary('cos');
/** The angle in radians, between −π/2 and π/2, whose tangent it is; `atan2` knows the quadrant. */
export const atan = unary('atan');

/** An activation applied to an expression rather than inside a network. */
export const activate = <S extends Shape>(op: Exclude<ActivationName, 'leakyRelu'>, e: Expr<S>): Expr<S> => ({
  tag: 'unary',
  op,
  of: e,
});

/** A number where the other side is a scalar, or may be one. */
type NumberFor<S extends Shape> = S extends Scalar ? number : number extends S['length'] ? number : never;

/**
 * Element-wise on equal shapes; two scalars may be plain numbers. Ties of max and min go to the first argument. One signature, so that what does not fit
 * is told with both shapes in its first line.
 */
type BinaryOperation = <S extends Shape = Scalar>(
  a: Expr<S> | NumberFor<S>,
  b: Expr<S> | NumberFor<S>,
) => Expr<S>;

const binary =
  (op: BinaryOp): BinaryOperation =>
  (a: Node | number, b: Node | number): Node => ({ tag: 'binary', op, left: lift(a), right: lift(b) });

/** a + b, element by element; shapes are equal, or one side is a number. */
export const add = binary('add');
/** a − b, element by element; shapes are equal, or one side is a number. */
export const sub = binary('sub');
/** a · b, element by element; shapes are equal, or one side is a number. `scale` takes a scalar expression. */
export const mul = binary('mul');
/** a / b, element by element; shapes are equal, or one side is a number. */
export const div = binary('div');
/** The greater of a and b, element by element; ties go to a. */
export const max = binary('max');
/** The less of a and b, element by element; ties go to a. */
export const min = binary('min');
/** a^b for a ≥ 0. */
export const pow = binary('pow');
/** 1 where a > b, else 0; derivative zero. */
export const greater = binary('greater');

/** A scalar times anything. */
export function scale<V extends Node>(by: ScalarLike, of: V): V;
export function scale(by: ScalarLike, of: Node): Node {
  return { tag: 'scale', by: lift(by), of };
}

/** A scalar spread over a shape. */
export const fill = <const S extends Shape>(of: ScalarLike, ...shape: S): Expr<S> => ({
  tag: 'fill',
  of: lift(of),
  shape,
});

/** min(x, 0), the paper's [x]₋. */
export const negPart = (x: Expr<Scalar>): Expr<Scalar> => min(x, 0);

/** Σ over all axes. */
export const sum = (e: Expr): Expr<Scalar> => ({ tag: 'sum', of: e, keep: 0 });

/** ‖e‖² over all axes. */
export const sqNorm = (e: Expr): Expr<Scalar> => sum(square(e));

/** ‖e‖ over all axes; derivative 0 at 0. */
export const norm = (e: Expr): Expr<Scalar> => ({ tag: 'norm', of: e, keep: 0 });

/** ⟨a, b⟩ over all axes. */
export const dot = <S extends Shape>(a: Expr<S>, b: Expr<NoInfer<S>>): Expr<Scalar> =>
  sum({ tag: 'binary', op: 'mul', left: a, right: b });

/** ‖e_k‖² for each k of the leading (probe) axis. */
export const sqNormEach = <K extends number, S extends Shape>(
  e: Expr<readonly [K, ...S]>,
): Expr<readonly [K]> => ({
  tag: 'sum',
  of: { tag: 'unary', op: 'square', of: e },
  keep: 1,
});

/** ‖e_k‖ for each k of the leading (probe) axis. */
export const normEach = <K extends number, S extends Shape>(
  e: Expr<readonly [K, ...S]>,
): Expr<readonly [K]> => ({
  tag: 'norm',
  of: e,
  keep: 1,
});

/** Mean over the probes of a vector of k numbers. */
export const meanOf = <K extends number>(k: K, e: Expr<readonly [NoInfer<K>]>): Expr<Scalar> =>
  sum(scale(1 / k, e));

/** `then` where the condition is not zero, else `otherwise`. */
export const select = <S extends Shape>(
  condition: Expr<S>,
  then: Expr<NoInfer<S>>,
  otherwise: Expr<NoInfer<S>>,
): Expr<S> => ({ tag: 'select', condition, then, otherwise });

/** The same elements, row-major, under another shape of as many; the compiler says where there are not as many. */
export const reshaped = <const S extends Shape>(e: Expr, ...shape: S): Expr<S> => ({
  tag: 'reshape',
  of: e,
  shape,
});

/** The block that starts at `begin` and has shape `size`. */
export const slice = <const S extends Shape>(e: Expr, begin: Shape, size: S): Expr<S> => ({
  tag: 'slice',
  of: e,
  begin,
  size,
});

/** Joins vectors end to end. */
export const concat = (...parts: readonly Expr<readonly [number]>[]): Expr<readonly [number]> => ({
  tag: 'concat',
  of: parts,
  axis: 0,
});

/** Sizes that differ along one axis; the others are known. */
type Joined<S extends Shape, A extends number> = {
  readonly [K in keyof S]: K extends `${A}` ? number : S[K];
};

/** Joins arrays along an axis; the other sizes agree. */
export function concatAlong<const A extends number, S extends Shape>(
  axis: A,
  first: Expr<S>,
  ...others: readonly Expr[]
): Expr<Joined<S, A>>;
export function concatAlong(axis: number, ...parts: readonly Expr[]): Expr;
export function concatAlong(axis: number, ...parts: readonly Node[]): Node {
  return { tag: 'concat', of: parts, axis };
}

/** Zeros before and after, along each axis. */
export const pad = <S extends Shape>(
  e: Expr<S>,
  before: Shape,
  after: Shape,
): Expr<{ readonly [K in keyof S]: number }> => ({ tag: 'pad', of: e, before, after });
