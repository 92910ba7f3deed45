/**
 * Laws as values: what must hold between expressions for all weights, examples and draws. A law is a list of claims, each that one
 * expression is at least another, equals it, or has the gradient that the compiler gives it; `inMean` is for what holds on the average.
 */
import { isInvertible } from '../dsl/layers/bijector.js';
import {
  abs,
  add,
  apply,
  cos,
  div,
  draw,
  exp,
  type Expr,
  field,
  fill,
  log,
  min,
  scale,
  sin,
  square,
  sub,
  sum,
} from '../dsl/expressions/expression.js';
import { uniform } from '../dsl/expressions/draw.js';
import { volume } from '../dsl/expressions/volume.js';
import type { NetworkValue, Node } from '../dsl/grammar.js';
import { type Flow, invert } from '../dsl/network.js';
import type { Scalar, Shape } from '../dsl/shape.js';
import { sizeOf } from '../dsl/shape.js';
import { shapeOf } from '../dsl/shape-rules.js';

/** The expectation of an expression over its draws, at fixed weights and examples. */
export type Mean<S extends Shape = Shape> = { readonly tag: 'inMean'; readonly of: Expr<S> };

/** What the expression is on the average over its draws: a claim about it is tested by as many draws as it takes to be sure. */
export const inMean = <S extends Shape>(of: Expr<S>): Mean<S> => ({ tag: 'inMean', of });

/** What a claim is about: an expression of any shape, its expectation, or for scalars a number. */
export type Side<S extends Shape = Shape> = Expr<S> | Mean<S> | number;

/** A claim, made only where a scalar is more than 0 at every example. */
export type Claim = Said & { readonly given?: Node };

type Said =
  /** Element by element, up to rounding and a tolerance. */
  | {
      readonly tag: 'atLeast' | 'equal';
      readonly left: Side;
      readonly right: Side;
      readonly tolerance: number;
      /** What the sides are called, each a word. */
      readonly names: readonly [left: string, right: string];
    }
  /** Reverse mode against differences, over all trainable weights. */
  | { readonly tag: 'gradient'; readonly of: Node; readonly tolerance: number };

export type Law = readonly Claim[];

/** Of rounding, relative to what is compared where that is more than 1. */
const ROUNDING = 1e-9;

/** Every element is 0 or more. One that is not a number is none. */
export const nonNegative = (of: Side, tolerance = ROUNDING): Law => [
  { tag: 'atLeast', left: of, right: 0, tolerance, names: ['expression', 'zero'] },
];

/**
 * The bound is at least what is exact, element by element. Where the exact side is not a number there is nothing to compare with, and
 * the case does not count.
 */
export const upperBounds = <S extends Shape>(
  bound: Side<S>,
  exact: Side<NoInfer<S>>,
  tolerance = ROUNDING,
): Law => [{ tag: 'atLeast', left: bound, right: exact, tolerance, names: ['bound', 'exact'] }];

/** Both sides are the same, element by element, within a tolerance relative to the second where that is more than 1. */
export const equal = <S extends Shape>(a: Side<S>, b: Side<NoInfer<S>>, tolerance = ROUNDING): Law => [
  { tag: 'equal', left: a, right: b, tolerance, names: ['a', 'b'] },
];

/** A function has the same value at an expression as at the changed one: `invariantUnder(sqNorm, neg, x)`. */
export const invariantUnder = <S extends Shape, T extends Shape>(
  of: (at: Expr<S>) => Expr<T>,
  change: (at: Expr<S>) => Expr<S>,
  at: Expr<S>,
  tolerance = ROUNDING,
): Law => [{ tag: 'equal', left: of(change(at)), right: of(at), tolerance, names: ['changed', 'unchanged'] }];

/**
 * The estimate is exact on the average over its draws: a sequential test, which finds a bias of a tenth of one draw's standard deviation and
 * calls an unbiased estimate biased once in a million times.
 */
export const unbiased = <S extends Shape>(estimate: Expr<S>, exact: Expr<NoInfer<S>>): Law => [
  { tag: 'equal', left: inMean(estimate), right: exact, tolerance: ROUNDING, names: ['estimate', 'exact'] },
];

/**
 * The compiler's gradient of a scalar by all weights is the slope of its value, along a direction of all of them. Near a kink, where
 * differences of two widths disagree, the case does not count; what `stop` or a surrogate keeps from the gradient is found.
 */
export const gradientsAgree = (of: Expr<Scalar>, tolerance = 1e-5): Law => [
  { tag: 'gradient', of, tolerance },
];

/** A function never falls where an element of its argument rises: `monotone((x) => activate('softplus', x), data(3))`. */
export const monotone = <S extends Shape, T extends Shape>(
  of: (at: Expr<S>) => Expr<T>,
  at: Expr<S>,
): Law => {
  const rise: Node = square(field('rise', ...(shapeOf(at) ?? [])));
  const risen: Node = { tag: 'binary', op: 'add', left: at, right: rise };
  return [
    { tag: 'atLeast', left: of(risen), right: of(at), tolerance: ROUNDING, names: ['after', 'before'] },
  ];
};

/** The law where a scalar is more than 0; elsewhere the case does not count: `given(greater(volume, -5), …)`. */
export const given = (condition: Expr<Scalar>, law: Law): Law =>
  law.map((claim) => ({
    ...claim,
    given: claim.given === undefined ? condition : min(claim.given, condition),
  }));

const keepsVolume = ({ layers }: NetworkValue): boolean =>
  layers.every((layer) => isInvertible(layer) && layer.tag !== 'inject');

/**
 * A flow and its inverse undo each other at an example, on both sides where it is onto; there its log-determinant is that of its whole
 * Jacobian. `at` is what the flow takes.
 */
export const invertible = <I extends Shape, O extends Shape>(
  flow: Flow<I, O>,
  at: Expr<NoInfer<I>>,
  tolerance = 1e-6,
): Law => {
  const back: Node = { tag: 'apply', network: invert(flow), at: apply(flow, at), output: '' };
  const there: Claim = { tag: 'equal', left: back, right: at, tolerance, names: ['back', 'point'] };
  if (!keepsVolume(flow)) return [there];
  const y = field('y', ...(shapeOf(apply(flow, at)) ?? []));
  const inner: Node = { tag: 'apply', network: invert(flow), at: y, output: '' };
  const around: Node = { tag: 'apply', network: flow, at: inner, output: '' };
  return [
    there,
    { tag: 'equal', left: around, right: y, tolerance, names: ['again', 'point'] },
    {
      tag: 'equal',
      left: { tag: 'logDet', network: flow, at },
      right: volume(flow, at, { method: 'exact' }),
      tolerance,
      names: ['logDeterminant', 'exact'],
    },
  ];
};

export type NormalisedOptions = {
  /** Points are drawn from a Cauchy distribution of that scale in each dimension: about as wide as the density. Default 1. */
  readonly scale?: number;
};

/**
 * A log-density integrates to 1: the mean of p/q over points drawn from a wide distribution q, by the sequential test of `unbiased`. For a few
 * dimensions, and for densities whose tails fall as a Cauchy distribution's or faster.
 */
export const normalised = <const S extends Shape>(
  logDensity: (x: Expr<S>) => Expr<Scalar>,
  shape: S,
  { scale: width = 1 }: NormalisedOptions = {},
): Law => {
  const drawn: Expr = draw('angle', uniform(...shape));
  const angle = scale(Math.PI, sub(drawn, fill(0.5, ...shape)));
  const x: Node = scale(width, div(sin(angle), cos(angle)));
  // ln 1/q: q of each number is 1/(π·width·(1 + (x/width)²)), and 1 + tan² is 1/cos².
  const wide = sub(sizeOf(shape) * Math.log(Math.PI * width), scale(2, sum(log(abs(cos(angle))))));
  return [
    {
      tag: 'equal',
      left: inMean(exp(add(logDensity(x), wide))),
      right: 1,
      tolerance: ROUNDING,
      names: ['integral', 'one'],
    },
  ];
};
