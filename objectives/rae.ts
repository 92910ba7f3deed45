/** Regularized autoencoders; Ghosh, Sajjadi, Vergari, Black and Schölkopf, From Variational to Deterministic Autoencoders, 2020. */
import {
  apply,
  dataOf,
  hyper,
  mul,
  type Network,
  objective,
  type ScalarLike,
  scale,
  type Shape,
  sqNorm,
} from '../dsl/index.js';
import { ae } from './autoencoder.js';
import { type ProbeOptions, sqFrobenius } from './jacobian-norm.js';
import { unknown } from './options.js';

/**
 * RAE-GP: ‖x − g(h)‖² + β·½‖h‖² + w·‖J_g(h)‖²_F, J_g the decoder's Jacobian (eq. (9) and (11) of the paper), by Hutchinson's
 * estimate. Well-known codes compute other penalties: pythae ‖∇ₓ Σ x̂‖², through encoder and decoder; the authors' code the mean of
 * ‖2Jᵀx̂‖², and in place of ‖h‖²/2 the mean of h² over its dimensions; pythae has ‖h‖²/2. β is hyper-parameter `prior`, w hyper-parameter `gradientPenalty`.
 */
export const raeGp = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options: ProbeOptions & { readonly prior?: ScalarLike; readonly weight?: ScalarLike } = {},
) => {
  const h = apply(encoder, dataOf(encoder));
  const penalty = sqFrobenius(decoder, h, encoder.input, options);
  return objective({
    ...unknown('raeGp', options),
    ...ae(encoder, decoder),
    prior: scale(mul(0.5, options.prior ?? hyper('prior', 0.01)), sqNorm(h)),
    gradientPenalty: scale(options.weight ?? hyper('gradientPenalty', 0.01), penalty),
  });
};
