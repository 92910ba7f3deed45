/** InjFlow, eq. (10), and InjFlow-ln, eq. (9), of Kumar, Poole and Murphy, Regularized Autoencoders via Relaxed Injective Probability Flow, AISTATS 2020. */
import {
  apply,
  dataOf,
  type DistributionName,
  div,
  draw,
  type Expr,
  hyper,
  jvp,
  log,
  max,
  mul,
  negPart,
  type Network,
  objective,
  type Scalar,
  type ScalarLike,
  scale,
  schedule,
  type Shape,
  sizeOf,
  sqNorm,
  sqrt,
  square,
  sub,
} from '../dsl/index.js';
import { reconstruction } from './autoencoder.js';
import { finiteDifference } from './jacobian-norm.js';
import { injective } from './injective.js';
import { unknown } from './options.js';

export type InjFlowOptions = {
  /** 1/(2σ²), the weight of ‖h‖². Default: hyper-parameter `prior`, 0.01. */
  readonly prior?: ScalarLike;
  /** μ_i, the reconstruction's penalty. Default: the paper's 1 + i^ν/1000 with hyper-parameter `nu`, 1.3. */
  readonly mu?: ScalarLike;
  /** μ_in,i, the injectivity penalty. Default: the same schedule. */
  readonly muInjective?: ScalarLike;
  /** η, the least stretch ‖Jv‖/‖v‖ that is not penalised. Default: hyper-parameter `eta`, 0.1. */
  readonly eta?: Expr<Scalar>;
  /**
   * How v is drawn. The default `sphere` (|v|² = d) keeps eq. (5) an upper bound on the volume term in expectation; `normal`
   * is what the paper writes, about ½ lower (not a bound for nearly isotropic J).
   */
  readonly probe?: Extract<DistributionName, 'normal' | 'sphere' | 'rademacher'>;
  /** `forward`, or ε of the finite difference of eq. (8); the paper takes 0.01 where it met numerical trouble. Default: forward. */
  readonly jacobian?: 'forward' | number;
};

/** The terms that both objectives share, and max(‖Jv‖², η²‖v‖²), which each bounds the volume with. */
const relaxedFlow = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: InjFlowOptions,
) => {
  const growth = schedule.power({ exponent: hyper('nu', 1.3), scale: 1e-3 });
  const eta = options.eta ?? hyper('eta', 0.1);
  const h = apply(encoder, dataOf(encoder));
  const v = draw<Z>('v', { tag: options.probe ?? 'sphere', shape: decoder.input });
  const { jacobian = 'forward' } = options;
  const Jv = jacobian === 'forward' ? jvp(decoder, h, v) : finiteDifference(decoder, h, v, jacobian);
  // Of the squares that the volume needs as well: norms of their own would go over Jv a second time.
  const stretch = div(sqrt(sqNorm(Jv)), sqrt(sqNorm(v)));
  return {
    clamped: max(sqNorm(Jv), mul(square(eta), sqNorm(v))),
    prior: scale(options.prior ?? hyper('prior', 0.01), sqNorm(h)),
    reconstruction: scale(options.mu ?? growth, reconstruction(encoder, decoder)),
    injectivity: scale(options.muInjective ?? growth, square(negPart(sub(stretch, eta)))),
  };
};

/** Eq. (9): ‖h‖²/(2σ²) + μ‖x − g(h)‖² + (d/2) ln max(‖Jv‖², η²‖v‖²) + μ_in [‖Jv‖/‖v‖ − η]²₋, with h = h(x), J = dg/dz at h. */
export const injFlowLn = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: InjFlowOptions = {},
) => {
  const { clamped, ...terms } = relaxedFlow(encoder, decoder, options);
  return objective({
    ...unknown('injFlowLn', options),
    ...injective('injFlowLn', encoder, decoder),
    ...terms,
    volume: scale(sizeOf(decoder.input) / 2, log(clamped)),
  });
};

/** Eq. (10): as eq. (9) with max(‖Jv‖², η²‖v‖²)/(2λ) in place of the logarithm. λ is hyper-parameter `lambda`, 1 in the paper. */
export const injFlow = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: InjFlowOptions & { readonly lambda?: Expr<Scalar> } = {},
) => {
  const { clamped, ...terms } = relaxedFlow(encoder, decoder, options);
  return objective({
    ...unknown('injFlow', options),
    ...injective('injFlow', encoder, decoder),
    ...terms,
    volume: div(clamped, mul(2, options.lambda ?? hyper('lambda', 1))),
  });
};
