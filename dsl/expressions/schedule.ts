/** Schedules: scalar expressions of the training step i. They compose with `add`, `mul`, `max` like any other scalar. */
import type { Expr, ScalarLike } from './expression.js';
import { add, constant, div, exp, greater, min, mul, neg, pow, select, step, sub } from './expression.js';
import { unknownOptions } from '../mistake.js';
import type { Scalar } from '../shape.js';

export type Schedule = Expr<Scalar>;

const scalar = (value: ScalarLike): Schedule => (typeof value === 'number' ? constant(value) : value);

/** 1 + scale · i^exponent; the paper's penalty schedule is exponent 1 or 1.3, scale 1/1000. */
const power = (options: { readonly exponent: ScalarLike; readonly scale: ScalarLike }): Schedule => ({
  ...add(1, mul(options.scale, pow(step, options.exponent))),
  ...unknownOptions('schedule.power', options, ['exponent', 'scale']),
});

/** From `from` at i = 0 to `to` at i = `steps`, then constant. */
const linear = (from: ScalarLike, to: ScalarLike, steps: ScalarLike): Schedule => {
  const share = min(div(step, steps), 1);
  if (typeof from !== 'number' || typeof to !== 'number') return add(from, mul(sub(to, from), share));
  const [size, isRise] = [Math.abs(to - from), to >= from];
  const change = size === 1 ? share : mul(size, share);
  return from === 0 && isRise ? change : isRise ? add(from, change) : sub(from, change);
};

/** start · e^(−i / timeConstant). */
const exponential = (start: ScalarLike, timeConstant: ScalarLike): Schedule =>
  mul(start, exp(neg(div(step, timeConstant))));

/** `of` multiplied by min((i + 1) / steps, 1). */
const warmUp = (steps: ScalarLike, of: ScalarLike): Schedule => mul(of, min(div(add(step, 1), steps), 1));

/** `first`, then each `value` from its step `from` on; steps ascend. */
const piecewise = (
  first: ScalarLike,
  ...pieces: readonly { readonly from: ScalarLike; readonly value: ScalarLike }[]
): Schedule =>
  pieces.reduce<Schedule>(
    (before, { from, value }) => select(greater(from, step), before, scalar(value)),
    scalar(first),
  );

/** Expressions of the step, counted from 0, each a scalar. */
export const schedule = { power, linear, exponential, warmUp, piecewise };
