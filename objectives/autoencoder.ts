/** The plain autoencoder, and those that regularise its decoder's weights. */
import {
  apply,
  dataOf,
  type Expr,
  hyper,
  type Network,
  objective,
  type Scalar,
  type ScalarLike,
  scale,
  type Shape,
  sqNorm,
  sqNormOfWeights,
  sub,
} from '../dsl/index.js';
import { unknown } from './options.js';

/**
 * ‖x − g(h(x))‖² of x, the data unless another is given, summed over the data's dimensions as in pythae (the RAE authors' code
 * takes their mean instead).
 */
export const reconstruction = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  x: Expr<D> = dataOf(encoder),
): Expr<Scalar> => sqNorm(sub(x, apply(decoder, apply(encoder, x))));

/** AE: ‖x − g(h(x))‖². */
export const ae = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
) => objective({ reconstruction: reconstruction(encoder, decoder) });

/**
 * AE+L2: ‖x − g(h(x))‖² + w·Σ‖θ_decoder‖²; Ghosh et al., From Variational to Deterministic Autoencoders, 2020, eq. (10), and a
 * baseline of Kumar, Poole and Murphy 2020, section 4. All of the decoder's parameters, those of batch norm included, as in pythae,
 * or its kernels only as in the RAE authors' code. w is hyper-parameter `decay`.
 */
export const aeL2 = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: { readonly weight?: ScalarLike; readonly only?: 'all' | 'kernels' } = {},
) =>
  objective({
    ...unknown('aeL2', options),
    ...ae(encoder, decoder),
    decay: scale(options.weight ?? hyper('decay', 0.01), sqNormOfWeights(decoder, options.only)),
  });
