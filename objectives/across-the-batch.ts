/** Objectives whose terms look across the batch: each of their terms is one number for all its examples. */
import {
  add,
  another,
  apply,
  batchMean,
  batchVariance,
  dataOf,
  div,
  draw,
  type Expr,
  hyper,
  jvp,
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
  uniform,
  unknownOptions,
  vjp,
  volume,
} from '../dsl/index.js';
import { ae } from './autoencoder.js';

type WeightOptions = { readonly weight?: ScalarLike };

/**
 * The geometric autoencoder: ‖x − g(h(x))‖² + w·Var(ln det JᵀJ), the variance over the batch, J the decoder's Jacobian; Nazari, Damrich and Hamprecht,
 * Geometric Autoencoders — What You See is What You Decode, 2023. w is hyper-parameter `distortion`.
 */
export const geometricAe = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: WeightOptions = {},
) => {
  const logDet = scale(2, volume(decoder, apply(encoder, dataOf(encoder)), { method: 'exact' }));
  return objective({
    ...unknownOptions('geometricAe', options, ['weight']),
    ...ae(encoder, decoder),
    distortion: scale(options.weight ?? hyper('distortion', 0.1), batchVariance(logDet)),
  });
};

/**
 * The isometric autoencoder: ‖x − g(h(x))‖² + w·E‖JᵀJv‖²/(E‖Jv‖²)², v ~ N(0, I), at codes between and a little beyond pairs of codes; Lee, Yoon, Son and
 * Park, Regularized Autoencoders for Isometric Representation Learning, 2022, eq. (11). It is least where J is an isometry up to a factor. w is
 * hyper-parameter `isometry`.
 */
export const isometricAe = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: WeightOptions & { readonly beyond?: number } = {},
) => {
  const { beyond = 0.2 } = options;
  const h = apply(encoder, dataOf(encoder));
  const share = sub(scale(1 + 2 * beyond, draw('mix', uniform())), beyond);
  const at: Expr<Z> = add(h, scale(share, sub(another(h), h)));
  const v: Expr<Z> = draw('v', { tag: 'normal', shape: decoder.input });
  const Jv = jvp(decoder, at, v);
  const pulled = batchMean(sqNorm(vjp(decoder, at, Jv)));
  return objective({
    ...unknownOptions('isometricAe', options, ['weight', 'beyond']),
    ...ae(encoder, decoder),
    isometry: scale(options.weight ?? hyper('isometry', 1), div(pulled, square(batchMean(sqNorm(Jv))))),
  });
};

/**
 * The Wasserstein autoencoder by maximum mean discrepancy: ‖x − g(h(x))‖² + w·MMD²(h(x), N(0, I)) with the kernel k(a, b) = c/(c + ‖a − b‖²), c = 2d; Tolstikhin,
 * Bousquet, Gelly and Schölkopf, 2018, algorithm 2. The discrepancy is estimated without bias by one pair of each example, linearly in the batch
 * (Gretton et al. 2012, section 6). w is hyper-parameter `discrepancy`.
 */
export const mmdWae = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: WeightOptions = {},
) => {
  const h = apply(encoder, dataOf(encoder));
  const prior = (name: string): Expr<Z> => draw(name, { tag: 'normal', shape: decoder.input });
  const c = 2 * sizeOf(decoder.input);
  const kernel = (a: Expr<Z>, b: Expr<Z>): Expr<Scalar> => div(c, add(c, sqNorm(sub<Z>(a, b))));
  const [z, other] = [prior('z'), prior('other z')];
  const same = add(kernel(h, another(h)), kernel(z, other));
  return objective({
    ...unknownOptions('mmdWae', options, ['weight']),
    ...ae(encoder, decoder),
    discrepancy: scale(
      options.weight ?? hyper('discrepancy', 10),
      batchMean(sub(same, add(kernel(h, z), kernel(h, other)))),
    ),
  });
};
