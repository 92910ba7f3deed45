/**
 * Schedules with state for a constraint c ≤ 0 on the mean over the data, such as ‖x − g(h(x))‖² − κ²: a multiplier that the program
 * updates in each step, in place of the penalty that Kumar, Poole and Murphy 2020 let grow (their section 5 names both sources).
 */
import {
  add,
  exp,
  type Expr,
  hyper,
  max,
  min,
  movingAverage,
  mul,
  type Network,
  running,
  type Scalar,
  type ScalarLike,
  type Schedule,
  type Shape,
  sub,
} from '../dsl/index.js';
import { reconstruction } from './autoencoder.js';
import { unknown } from './options.js';

/** ‖x − g(h(x))‖² − κ², the reconstruction constraint; κ² is hyper-parameter `tolerance`, a squared error for one example. */
export const reconstructionConstraint = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  tolerance: ScalarLike = hyper('tolerance', 1),
): Expr<Scalar> => sub(reconstruction(encoder, decoder), tolerance);

export type MultiplierOptions = {
  /** Of the multiplier's running value; that of the constraint's moving average is this and `Average`. Default: multiplier. */
  readonly name?: string;
  /** The multiplier before the first step. Default: 1. */
  readonly initial?: number;
  /** How fast the multiplier follows the constraint. Default: hyper-parameter `multiplierRate`, 0.01. */
  readonly rate?: ScalarLike;
  /** Of the constraint's moving average. Default: 0.99. */
  readonly decay?: number;
  /** The greatest multiplier: a constraint that cannot be met does not end in infinity. Default: 10⁶. */
  readonly atMost?: number;
};

const settings = (constraint: Expr<Scalar>, options: MultiplierOptions) => {
  const { name = 'multiplier', initial = 1, decay = 0.99, atMost = 1e6 } = options;
  const rate = options.rate ?? hyper('multiplierRate', 0.01);
  return { name, initial, atMost, rate, average: movingAverage(`${name}Average`, constraint, { decay }) };
};

/**
 * μ = max(0, λ + p·c̄), λ ← max(0, λ + r·c̄), c̄ the moving average of the constraint: as the factor of the constrained term it
 * gives the gradient of the augmented Lagrangian (max(0, λ + p·c)² − λ²)/(2p) for c ≤ 0; Bertsekas, Constrained Optimization and
 * Lagrange Multiplier Methods, 1996, section 3.1 (there r = p). p is hyper-parameter `penalty`, 1.
 */
export const augmentedLagrangian = (
  constraint: Expr<Scalar>,
  options: MultiplierOptions & { readonly penalty?: ScalarLike } = {},
): Schedule => {
  const { name, initial, atMost, rate, average } = settings(constraint, options);
  const multiplier = running(name, initial, (previous) =>
    min(max(add(previous, mul(rate, average)), 0), atMost),
  );
  return {
    ...min(max(add(multiplier, mul(options.penalty ?? hyper('penalty', 1), average)), 0), atMost),
    ...unknown('augmentedLagrangian', options),
  };
};

/**
 * λ ← λ·e^(r·c̄), c̄ the moving average of the constraint, held between its least and greatest value; Rezende and Viola, Taming
 * VAEs, 2018, algorithm 1, where the gradient of the constraint is taken on the batch and its size from the average.
 */
export const geco = (constraint: Expr<Scalar>, options: MultiplierOptions = {}): Schedule => {
  const { name, initial, atMost, rate, average } = settings(constraint, options);
  const value = running(name, initial, (previous) =>
    min(max(mul(previous, exp(mul(rate, average))), 1 / atMost), atMost),
  );
  return { ...value, ...unknown('geco', options) };
};
