/** The contractive autoencoder; Rifai, Vincent, Muller, Glorot and Bengio, Contractive Auto-Encoders, 2011, eq. (8). */
import { dataOf, hyper, type Network, objective, type ScalarLike, scale, type Shape } from '../dsl/index.js';
import { ae } from './autoencoder.js';
import { type ProbeOptions, sqFrobenius } from './jacobian-norm.js';
import { unknown } from './options.js';

/**
 * CAE: ‖x − g(h(x))‖² + w·‖J_h(x)‖²_F, J_h the encoder's Jacobian, by Hutchinson's estimate as in Kumar, Poole and Murphy 2020,
 * section 4. Rifai et al. have the exact norm of a single sigmoid layer; `probes: 'exact'` is exact by d reverse products for any encoder. w is hyper-parameter `contraction`.
 */
export const cae = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: ProbeOptions & { readonly weight?: ScalarLike } = {},
) => {
  const contraction = sqFrobenius(encoder, dataOf(encoder), decoder.input, options);
  return objective({
    ...unknown('cae', options),
    ...ae(encoder, decoder),
    contraction: scale(options.weight ?? hyper('contraction', 0.01), contraction),
  });
};
