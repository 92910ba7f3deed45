/**
 * Spectral normalisation: a layer's kernel is divided by its top singular value σ = max ‖Wx‖/‖x‖; Miyato, Kataoka, Koyama
 * and Yoshida, Spectral Normalization for Generative Adversarial Networks, 2018.
 */
import type { Layer, SpectralNorm } from './layer.js';
import { mapLayers, type NetworkValue } from '../network.js';
import { namesOf, type Mistakes, unknownOptions } from '../mistake.js';
import { mapLayer } from './rewrite.js';
import type { Shape } from '../shape.js';

export type SpectralOptions = {
  /**
   * Default `kernel`, as the paper and its well-known codes have it: the kernel as a matrix [output channels, the rest], whose
   * norm is not that of the convolution. `operator`: the norm of the convolution itself at the image size of the layer.
   */
  readonly norm?: SpectralNorm;
  /** Of the power method, in each training step; 1 in the paper. */
  readonly iterations?: number;
};

const names = namesOf<SpectralOptions>({ norm: true, iterations: true });

const wrap =
  ({ norm = 'kernel', iterations = 1 }: SpectralOptions, mistakes: Mistakes) =>
  (layer: Layer): Layer =>
    layer.tag === 'dense' || layer.tag === 'conv' || layer.tag === 'convTranspose'
      ? { tag: 'spectral', norm, iterations, layer, ...mistakes }
      : layer;

type Layers = { readonly input: Shape; readonly layers: readonly Layer[] };

/**
 * The same layer or layers with every kernel divided by its top singular value, biases left alone: `spectral(dense(10))`. Each
 * training step improves the singular vector u, which is running state as batch-norm's statistics are, and the gradient
 * goes through σ = uᵀWv with u and v held constant; evaluation uses the stored u as it is.
 */
export function spectral<A extends Layers, B extends Layers>(
  block: (stack: A) => B,
  options?: SpectralOptions,
): (stack: A) => B;
export function spectral(block: (stack: Layers) => Layers, options: SpectralOptions = {}) {
  const mistakes = unknownOptions('spectral', options, names);
  return (stack: Layers): Layers => {
    const { layers, ...rest } = block(stack);
    const before = stack.layers.length;
    return {
      ...rest,
      layers: [
        ...stack.layers,
        ...layers.slice(before).map((layer) => mapLayer(layer, wrap(options, mistakes))),
      ],
    };
  };
}

/** The same network with every kernel divided by its top singular value; its parameters keep their names and initial values. */
export const spectralNorm = <N extends NetworkValue>(net: N, options: SpectralOptions = {}): N =>
  mapLayers(net, wrap(options, unknownOptions('spectralNorm', options, names)));
