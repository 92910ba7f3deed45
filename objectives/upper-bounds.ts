/**
 * The two bounds of Kumar, Poole and Murphy, Regularized Autoencoders via Relaxed Injective Probability Flow, 2020, as
 * objectives of their own: −ln p(x) from above, up to the constant of the prior, with the constraint x = g(h(x)) as a penalty.
 */
import {
  add,
  apply,
  dataOf,
  div,
  hyper,
  log,
  mul,
  type Expr,
  type Network,
  objective,
  type Scalar,
  type ScalarLike,
  scale,
  schedule,
  type Shape,
  sizeOf,
  sqNorm,
  sub,
} from '../dsl/index.js';
import { reconstruction } from './autoencoder.js';
import { type ProbeOptions, sqFrobenius } from './jacobian-norm.js';
import { injective } from './injective.js';
import { unknown } from './options.js';

export type BoundOptions = ProbeOptions & {
  /** 1/(2σ²), the weight of ‖h‖². Default: hyper-parameter `prior`, 0.01. */
  readonly prior?: ScalarLike;
  /** μ_i, the reconstruction's penalty. Default: the paper's 1 + i^ν/1000 with hyper-parameter `nu`, 1.3. */
  readonly mu?: ScalarLike;
};

/** The terms that both share, ‖J_g(h)‖²_F and d. */
const bounded = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: BoundOptions,
) => {
  const h = apply(encoder, dataOf(encoder));
  const mu = options.mu ?? schedule.power({ exponent: hyper('nu', 1.3), scale: 1e-3 });
  return {
    prior: scale(options.prior ?? hyper('prior', 0.01), sqNorm(h)),
    reconstruction: scale(mu, reconstruction(encoder, decoder)),
    squared: sqFrobenius(decoder, h, encoder.input, options),
    d: sizeOf(decoder.input),
  };
};

/**
 * Eq. (4): ‖h‖²/(2σ²) + ‖J_g(h)‖²_F/(2λ) + (d/2)(ln λ − 1) + μ‖x − g(h)‖². Its volume term is at least ½ ln det JᵀJ for every λ > 0,
 * in expectation for any number of probes. λ is hyper-parameter `lambda`, 1. Eq. (10), InjFlow, leaves out the constant and adds η.
 */
export const bound4 = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: BoundOptions & { readonly lambda?: Expr<Scalar> } = {},
) => {
  const { squared, d, ...terms } = bounded(encoder, decoder, options);
  const lambda = options.lambda ?? hyper('lambda', 1);
  const volume = add(div(squared, mul(2, lambda)), scale(d / 2, sub(log(lambda), 1)));
  return objective({
    ...unknown('bound4', options),
    ...injective('bound4', encoder, decoder),
    ...terms,
    volume,
  });
};

/**
 * Eq. (5): ‖h‖²/(2σ²) + (d/2) ln(‖J_g(h)‖²_F/d) + μ‖x − g(h)‖², the least of eq. (4) over λ. The logarithm is of the mean over the probes: with
 * few of them its expectation falls below eq. (5), with one `sphere` or `rademacher` probe still not below ½ ln det JᵀJ;
 * `probes: 'exact'` is eq. (5) itself.
 */
export const bound5 = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: BoundOptions = {},
) => {
  const { squared, d, ...terms } = bounded(encoder, decoder, options);
  return objective({
    ...unknown('bound5', options),
    ...injective('bound5', encoder, decoder),
    ...terms,
    volume: scale(d / 2, log(scale(1 / d, squared))),
  });
};
