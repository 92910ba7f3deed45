/** The eight models that Kumar, Poole and Murphy 2020 compare (table 1), each made of one plain encoder and decoder. */
import {
  type Experiment,
  type Network,
  type Shape,
  spectralNorm,
  type SpectralOptions,
} from '../dsl/index.js';
import { ae, aeL2 } from './autoencoder.js';
import { cae } from './contractive.js';
import { injFlow, injFlowLn } from './injflow.js';
import { betaVae, gaussianEncoder, vae } from './vae.js';

/** What a model is trained as: its own form of the networks, and its objective. */
export type Model = Pick<Experiment, 'encoder' | 'decoder' | 'objective'>;

type ModelOf = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
) => Model;

/**
 * AE+SN: the AE whose decoder's kernels are each divided by their top singular value; section 4, baseline (iii). `options` choose the
 * norm, of the reshaped kernel as in the paper or of the convolution itself, and the iterations of the power method.
 */
export const aeSn = <D extends Shape, Z extends Shape>(
  encoder: Network<D, Z>,
  decoder: Network<NoInfer<Z>, NoInfer<D>>,
  options?: SpectralOptions,
): Model => {
  const normalised = spectralNorm(decoder, options);
  return { encoder, decoder: normalised, objective: ae(encoder, normalised) };
};

/**
 * The rows of table 1, in its order, with the paper's hyper-parameters as hypers of these names: `sigma` (β-VAE), `contraction`
 * (CAE), `decay` (AE+L2), `prior` and `nu` (both InjFlows), `eta`, `lambda`.
 */
export const paperModels = {
  VAE: (encoder, decoder) => {
    const gaussian = gaussianEncoder(encoder);
    return { encoder: gaussian, decoder, objective: vae(gaussian, decoder) };
  },
  'β-VAE': (encoder, decoder) => {
    const gaussian = gaussianEncoder(encoder);
    return { encoder: gaussian, decoder, objective: betaVae(gaussian, decoder) };
  },
  AE: (encoder, decoder) => ({ encoder, decoder, objective: ae(encoder, decoder) }),
  CAE: (encoder, decoder) => ({ encoder, decoder, objective: cae(encoder, decoder) }),
  'AE+L2': (encoder, decoder) => ({ encoder, decoder, objective: aeL2(encoder, decoder) }),
  'AE+SN': aeSn,
  'InjFlow-ln': (encoder, decoder) => ({ encoder, decoder, objective: injFlowLn(encoder, decoder) }),
  InjFlow: (encoder, decoder) => ({ encoder, decoder, objective: injFlow(encoder, decoder) }),
} satisfies Readonly<Record<string, ModelOf>>;
