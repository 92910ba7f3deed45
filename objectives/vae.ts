/** Variational autoencoders with a Gaussian posterior and a Gaussian observation model N(g(z), σ²I); Kingma and Welling 2013, Higgins et al. 2017. */
import {
  add,
  apply,
  dataOf,
  div,
  draw,
  exp,
  type Expr,
  type HeadedNetwork,
  hyper,
  mul,
  type Network,
  objective,
  type Scalar,
  type ScalarLike,
  scale,
  type Shape,
  sizeOf,
  sqNorm,
  square,
  sub,
  sum,
} from '../dsl/index.js';
import { unknown } from './options.js';

/** An encoder q(z|x) = N(mean, diag exp(logVariance)); a fitted model encodes by its mean. */
export type GaussianEncoder<D extends Shape, Z extends Shape> = HeadedNetwork<
  D,
  { readonly mean: Z; readonly logVariance: Z }
>;

/** The same network with its last layer twice: heads `mean` and `logVariance` on one trunk. */
export const gaussianEncoder = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
): GaussianEncoder<D, Z> => {
  const last = encoder.layers.slice(-1);
  const heads = { mean: last, logVariance: last };
  return {
    name: encoder.name,
    input: encoder.input,
    layers: [...encoder.layers.slice(0, -1), { tag: 'heads', heads }],
  };
};

/** KL(N(m, diag eˢ) ‖ N(0, I)) = ½ Σ (eˢ + m² − 1 − s); Kingma and Welling 2013, appendix B. */
export const klToStandardNormal = <Z extends Shape>(
  mean: Expr<Z>,
  logVariance: Expr<NoInfer<Z>>,
  size: number,
): Expr<Scalar> => scale(0.5, sub(add(sum(exp(logVariance)), sqNorm(mean)), add(sum(logVariance), size)));

/** ½‖x − g(z)‖² for z = mean + e^(logVariance/2)·ε, ε ~ N(0, I), and the KL divergence of the posterior from N(0, I). */
const gaussian = <D extends Shape, Z extends Shape>(
  encoder: GaussianEncoder<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
) => {
  const x = dataOf(encoder);
  const { mean, logVariance } = apply(encoder, x);
  const epsilon = draw<Z>('epsilon', { tag: 'normal', shape: decoder.input });
  const z: Expr<Z> = add<Z>(mean, mul<Z>(exp(scale(0.5, logVariance)), epsilon));
  return {
    distortion: scale(0.5, sqNorm(sub(x, apply(decoder, z)))),
    kl: klToStandardNormal(mean, logVariance, sizeOf(decoder.input)),
  };
};

/**
 * VAE: ‖x − g(z)‖²/(2σ²) + KL, one z for each example. σ is hyper-parameter `sigma`, 1 as in Kumar, Poole and Murphy 2020; the
 * constant (D/2) ln 2πσ² is left out. pythae has the same terms at σ = 1.
 */
export const vae = <D extends Shape, Z extends Shape>(
  encoder: GaussianEncoder<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: { readonly sigma?: Expr<Scalar> } = {},
) => {
  const { distortion, kl } = gaussian(encoder, decoder);
  return objective({
    ...unknown('vae', options),
    reconstruction: div(distortion, square(options.sigma ?? hyper('sigma', 1))),
    kl,
  });
};

/**
 * β-VAE: ½‖x − g(z)‖² + β·KL, which is σ² times the VAE of σ² = β. β is the square of hyper-parameter `sigma`, which Kumar, Poole
 * and Murphy 2020 search over 0.001 … 0.5. Higgins et al. write the log-likelihood of any observation model in place of the first term.
 */
export const betaVae = <D extends Shape, Z extends Shape>(
  encoder: GaussianEncoder<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: { readonly beta?: ScalarLike } = {},
) => {
  const { distortion, kl } = gaussian(encoder, decoder);
  return objective({
    ...unknown('betaVae', options),
    reconstruction: distortion,
    kl: scale(options.beta ?? square(hyper('sigma', 0.1)), kl),
  });
};
