/**
 * A manifold with noise around it: −ln ∫ p_h(z)·N(x; g(z), σ²I) dz by Laplace's method, Tierney and Kadane, Accurate Approximations for
 * Posterior Moments and Marginal Densities, 1986, at z = h(x). For σ → 0 it is the objective of rectangular flows with β = 1/(2σ²).
 */
import {
  add,
  apply,
  basis,
  concatAlong,
  constantInitializer,
  dataOf,
  exp,
  type Expr,
  gram,
  jvp,
  logDetSPD,
  neg,
  type Network,
  objective,
  parameter,
  reshaped,
  type Scalar,
  scale,
  type Shape,
  sizeOf,
  square,
} from '../dsl/index.js';
import { reconstruction } from './autoencoder.js';
import { injective } from './injective.js';
import { unknown } from './options.js';
import { logNormal, type RectangularOptions } from './rectangular.js';

export type NoisyManifoldOptions<D extends Shape = Shape, Z extends Shape = Shape> = Pick<
  RectangularOptions<D, Z>,
  'logPrior' | 'augment'
> & {
  /** ln σ of the noise, in the units of an example. Default: a parameter that is trained, `noise`, from 0. */
  readonly logNoise?: Expr<Scalar>;
};

/**
 * −ln p_h(z) + ½ ln det (JᵀJ/σ² + I) + ‖x − x̂‖²/(2σ²) + D·ln σ + ((D − d)/2)·ln 2π, z = h(x), J = dg/dz at z: in nats over the whole space, so σ can be
 * trained like any parameter, and no weight β is to be chosen. The volume is never less than the noise's own, d·ln σ: a manifold that is thinner
 * than its noise, along itself, has no more density by it, where ½ ln det JᵀJ says more without end.
 */
export const noisyManifold = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: NoisyManifoldOptions<D, Z> = {},
) => {
  const { augment = (x: Expr<D>) => x } = options;
  const [d, D] = [sizeOf(decoder.input), sizeOf(encoder.input)];
  const x = augment(dataOf(encoder));
  const z = apply(encoder, x);
  const logNoise = options.logNoise ?? parameter('noise', constantInitializer(0));
  const precision = exp(neg(logNoise));
  const units: Expr<readonly [number, ...Z]> = { tag: 'basis', shape: decoder.input };
  const columns = reshaped(jvp(decoder, z, units), d, D);
  const whole = concatAlong(1, scale(precision, columns), basis(d));
  const logPrior = options.logPrior ?? logNormal(d);
  return objective({
    ...unknown('noisyManifold', options),
    ...injective('noisyManifold', encoder, decoder),
    prior: neg(logPrior(z)),
    reconstruction: scale(scale(0.5, square(precision)), reconstruction(encoder, decoder, x)),
    volume: scale(0.5, logDetSPD(gram(whole))),
    noise: add(scale(D, logNoise), ((D - d) / 2) * Math.log(2 * Math.PI)),
  });
};
