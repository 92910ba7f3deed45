/**
 * Rectangular flows: injective flows trained by their likelihood, Caterini, Loaiza-Ganem, Pleiss and Cunningham, Rectangular Flows
 * for Manifold Learning, NeurIPS 2021, with the baseline that leaves the volume out and the free-form surrogate. Where JᵀJ has no
 * Cholesky factor the authors' code adds ten times as much to its diagonal each time, without end; `volume` factors J and adds once (see there).
 */
import {
  apply,
  dataOf,
  dot,
  draw,
  type Expr,
  hyper,
  jvp,
  mul,
  neg,
  type Network,
  type Node,
  objective,
  type Scalar,
  type ScalarLike,
  scale,
  schedule,
  type Shape,
  sizeOf,
  sqNorm,
  stop,
  sub,
  surrogate,
  volume,
  type VolumeOptions,
} from '../dsl/index.js';
import { reconstruction } from './autoencoder.js';
import { injective } from './injective.js';
import { unknown } from './options.js';

/** ln N(z; 0, I) = −‖z‖²/2 − (d/2)·ln 2π of a code of d numbers. */
export const logNormal =
  (d: number) =>
  (z: Expr): Expr<Scalar> =>
    sub(-(d / 2) * Math.log(2 * Math.PI), scale(0.5, sqNorm(z)));

export type RectangularOptions<D extends Shape = Shape, Z extends Shape = Shape> = {
  /** β, the weight of ‖x − x̂‖². Default: hyper-parameter `beta`, 50, as in the authors' experiments on tables. */
  readonly beta?: ScalarLike;
  /** w_i, the weight of the likelihood. Default: from 0 to 1 over the first `ramp` steps, a hyper-parameter, 1000. */
  readonly weight?: ScalarLike;
  /** ln p_h, the density of codes. Default: ln N(0, I). */
  readonly logPrior?: (z: Expr<Z>) => Expr<Scalar>;
  /**
   * What the objective sees of an example. Default: the example. With x + σ·draw('jitter', normal(D)) it sees the places between
   * examples too, so that a seam, where a chart must end on a closed manifold, narrows further than to the gap between two of them.
   */
  readonly augment?: (x: Expr<D>) => Expr<D>;
};

/** What all of them share: what they see, its code h(x), the weights, and the terms but for the volume. */
const likelihood = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: RectangularOptions<D, Z>,
  name: Parameters<typeof unknown>[0],
) => {
  const { augment = (x: Expr<D>) => x } = options;
  const x = augment(dataOf(encoder));
  const z = apply(encoder, x);
  const weight = options.weight ?? schedule.linear(0, 1, hyper('ramp', 1000));
  const logPrior = options.logPrior ?? logNormal(sizeOf(decoder.input));
  const mistakes = { ...unknown(name, options), ...injective(name, encoder, decoder) };
  const terms = {
    ...mistakes,
    prior: neg(scale(weight, logPrior(z))),
    reconstruction: scale(options.beta ?? hyper('beta', 50), reconstruction(encoder, decoder, x)),
  };
  return { x, z, weight, logPrior, terms, mistakes };
};

/**
 * −w·[ln p_h(z) − ½ ln det JᵀJ] + β‖x − x̂‖², z = h(x), J = dg/dz at z: by all d columns of J and their triangular factor. `prior` and
 * `volume` together are w times a negative log-likelihood, of the point of the manifold that x projects to.
 */
export const rectangularExact = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: RectangularOptions<D, Z> = {},
) => {
  const { z, weight, terms } = likelihood(encoder, decoder, options, 'rectangularExact');
  return objective({ ...terms, volume: scale(weight, volume(decoder, z, { method: 'exact' })) });
};

/**
 * The same gradient in expectation by the surrogate of a volume (see `volume`): the paper's ½⟨J·stop(u), Jε⟩, u = (JᵀJ)⁻¹ε by conjugate
 * gradients, where `iterations` bounds them, else one with less variance. While it
 * trains, `volume` is no volume (its value is about ‖ε‖²/2) and has a type of its own; evaluated, it is exact.
 */
export const rectangularStochastic = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: RectangularOptions<D, Z> & Omit<VolumeOptions, 'method'> = {},
) => rectangular(encoder, decoder, { ...options, method: 'stochastic' });

/**
 * ln p_h(z) − ½ ln det JᵀJ, z = h(x), exact and in nats: the density on the manifold, with respect to volume there, at the point
 * that x projects to. The `logDensity` of an experiment with any of these objectives.
 */
export const rectangularDensity = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  { logPrior = logNormal(sizeOf(decoder.input)) }: Pick<RectangularOptions<D, Z>, 'logPrior'> = {},
): Expr<Scalar> => {
  const z = apply(encoder, dataOf(encoder));
  return sub(logPrior(z), volume(decoder, z, { method: 'exact' }));
};

/** Exact or stochastic, whichever the compiler finds cheaper unless `method` says which; `explain` shows the choice. */
export const rectangular = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: RectangularOptions<D, Z> & VolumeOptions = {},
) => {
  const { z, weight, terms } = likelihood(encoder, decoder, options, 'rectangular');
  const { beta: _, weight: __, logPrior: ___, augment: ____, ...own } = options;
  return objective({ ...terms, volume: scale(weight, volume(decoder, z, own)) });
};

/**
 * The two-step baseline without a volume (as in Brehmer and Cranmer, Flows for simultaneous manifold learning and density
 * estimation, 2020): β‖x − x̂‖² for `period` steps, then −ln p_h(stop(z)) for as many, and so on, `phases` in all. With the default
 * N(0, I) the second has nothing to train.
 */
export const twoStep = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: Omit<RectangularOptions<D, Z>, 'weight'> & {
    /** Steps of each phase. */
    readonly period?: number;
    readonly phases?: number;
  } = {},
) => {
  const { z, logPrior, terms, mistakes } = likelihood(encoder, decoder, options, 'twoStep');
  const { period = 1000, phases = 2 } = options;
  const pieces = Array.from({ length: phases - 1 }, (_, i) => ({ from: (i + 1) * period, value: i % 2 }));
  const isFirst = schedule.piecewise(1, ...pieces);
  return objective({
    ...mistakes,
    reconstruction: scale(isFirst, terms.reconstruction),
    prior: scale(sub(isFirst, 1), logPrior(stop(z))),
  });
};

/**
 * Free-form injective flows, Sorrenson, Draxler, Rousselot, Hummerich, Zimmermann and Köthe, Lifting Architectural Constraints of
 * Injective Flows, ICLR 2024: −w·ln p_h(z) − w·mean of v_kᵀ·f′(x)·stop(g′(z)·v_k) + β‖x − x̂‖², f the encoder, g the decoder.
 */
export const freeForm = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: RectangularOptions<D, Z> & Omit<VolumeOptions, 'method'> = {},
) => {
  const { x, z, weight, terms } = likelihood(encoder, decoder, options, 'freeForm');
  const { probe = 'sphere', probes = 1, name = 'v' } = options;
  const v: Expr<readonly [number, ...Z]> = draw<Z, number>(
    name,
    { tag: probe, shape: decoder.input },
    { probes },
  );
  const back: Node = jvp(encoder, x, stop(jvp(decoder, z, v)));
  return objective({ ...terms, surrogate: scale(mul(-1 / probes, weight), surrogate(dot(v, back))) });
};
