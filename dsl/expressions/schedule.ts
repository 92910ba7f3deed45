/** Schedules: scalar expressions of the training step i. They compose with `add`, `mul`, `max` like any other scalar. */
import type { Expr, ScalarLike } from './expression.js';
import { batchMean } from './batch.js';
import {
  add,
  constant,
  cos,
  div,
  exp,
  greater,
  max,
  min,
  mul,
  neg,
  pow,
  select,
  step,
  sub,
} from './expression.js';
import { mapNode } from './rewrite.js';
import { running } from './running.js';
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

/** From `from` to `to` over so many steps along half a cosine, then constant; Loshchilov and Hutter 2017. */
const cosine = (from: ScalarLike, to: ScalarLike, steps: ScalarLike): Schedule => {
  const share = min(div(step, steps), 1);
  const way = mul(0.5, sub(1, cos(mul(Math.PI, share))));
  return add(from, mul(sub(to, from), way));
};

/** `first`, then each schedule from its step `from` on, with its own steps counted from there; steps ascend. */
const join = (
  first: ScalarLike,
  ...pieces: readonly { readonly from: number; readonly then: ScalarLike }[]
): Schedule =>
  pieces.reduce<Schedule>(
    (before, { from, then }) =>
      select(
        greater(from, step),
        before,
        mapNode(scalar(then), (node) => (node.tag === 'step' ? sub(step, from) : node)),
      ),
    scalar(first),
  );

/**
 * Up to `peak` along half a cosine and down again, over so many steps; Smith and Topin 2019. It begins at peak/first, is at the peak
 * after a share `rise` of the steps, and ends at peak/(first·last).
 */
const oneCycle = (
  steps: number,
  peak: number,
  {
    rise = 0.3,
    first = 25,
    last = 1e4,
  }: { readonly rise?: number; readonly first?: number; readonly last?: number } = {},
): Schedule => {
  const top = Math.floor(rise * steps);
  return join(cosine(peak / first, peak, top), {
    from: top,
    then: cosine(peak, peak / (first * last), steps - top),
  });
};

type PlateauOptions = {
  /** What the rate is multiplied by. Default 0.1. */
  readonly factor?: number;
  /** Steps without improvement until then. Default 10. */
  readonly patience?: number;
  /** By what share of the best the mean has to be less to be better. Default 1e-4. */
  readonly tolerance?: number;
  /** The least factor of all. Default 0. */
  readonly least?: number;
  /** The name of its running values. Default `plateau`. */
  readonly name?: string;
};

/** `of` by a factor that falls when the batch's mean of a scalar has not improved for so many steps, from the step after. */
const plateau = (
  of: ScalarLike,
  watched: Expr<Scalar>,
  { factor = 0.1, patience = 10, tolerance = 1e-4, least = 0, name = 'plateau' }: PlateauOptions = {},
): Schedule => {
  const value = batchMean(watched);
  const isBetter = (best: Expr<Scalar>): Schedule => greater(mul(1 - tolerance, best), value);
  const best = running(`${name} best`, 1e30, (before) => select(isBetter(before), value, before));
  const isLate = (waited: Expr<Scalar>): Schedule => greater(add(waited, 1.5), patience);
  const waited = running(`${name} waited`, 0, (before) =>
    select(isBetter(best), constant(0), select(isLate(before), constant(0), add(before, 1))),
  );
  const scale = running(`${name} scale`, 1, (before) =>
    select(isBetter(best), before, select(isLate(waited), max(mul(factor, before), least), before)),
  );
  return mul(of, scale);
};

/** Expressions of the step, counted from 0, each a scalar. */
export const schedule = { power, linear, exponential, cosine, oneCycle, warmUp, piecewise, join, plateau };
