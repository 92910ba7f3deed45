/** Optimizers as data; the compiler writes their update into the step program. */
import type { Expr, ScalarLike } from './expressions/expression.js';
import { constant } from './expressions/expression.js';
import { namesOf, unknownOptions } from './mistake.js';
import type { Scalar } from './shape.js';

export type Optimizer =
  | {
      readonly tag: 'sgd';
      readonly rate: Expr<Scalar>;
      readonly momentum: number;
      readonly nesterov: boolean;
      /** Gradients are scaled so that their joint norm is at most this; absent for no clipping. */
      readonly clipNorm?: number;
    }
  | {
      readonly tag: 'adam';
      readonly rate: Expr<Scalar>;
      readonly beta1: number;
      readonly beta2: number;
      /** Added outside the bias-corrected root. */
      readonly epsilon: number;
      readonly clipNorm?: number;
    };

const rateOf = (rate: ScalarLike): Expr<Scalar> => (typeof rate === 'number' ? constant(rate) : rate);

type SgdOptions = {
  readonly rate: ScalarLike;
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly clipNorm?: number;
};
const sgdOptions = namesOf<SgdOptions>({ rate: true, momentum: true, nesterov: true, clipNorm: true });

/** θ ← θ − rate·m, m ← momentum·m + g. The rate may be a schedule. */
export const sgd = (options: SgdOptions): Optimizer => ({
  tag: 'sgd',
  rate: rateOf(options.rate),
  momentum: options.momentum ?? 0,
  nesterov: options.nesterov ?? false,
  ...(options.clipNorm === undefined ? {} : { clipNorm: options.clipNorm }),
  ...unknownOptions('sgd', options, sgdOptions),
});

type AdamOptions = {
  readonly rate: ScalarLike;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly clipNorm?: number;
};
const adamOptions = namesOf<AdamOptions>({
  rate: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  clipNorm: true,
});

/** Adam, Kingma and Ba 2014, algorithm 1. The rate may be a schedule. */
export const adam = (options: AdamOptions): Optimizer => ({
  tag: 'adam',
  rate: rateOf(options.rate),
  beta1: options.beta1 ?? 0.9,
  beta2: options.beta2 ?? 0.999,
  epsilon: options.epsilon ?? 1e-8,
  ...(options.clipNorm === undefined ? {} : { clipNorm: options.clipNorm }),
  ...unknownOptions('adam', options, adamOptions),
});
