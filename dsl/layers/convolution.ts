/** The side of an image after a convolution or its transpose: the one rule that shapes, programs and exports follow. */
import type { ConvLayer } from '../grammar.js';

/**
 * Pixels along one axis after the layer, from n before it. With 'same' padding ⌈n/s⌉, with 'valid' ⌊(n − k)/s⌋ + 1 (below 1 where the
 * kernel does not fit); transposed n·s, with 'valid' n·s + max(k − s, 0), as in Keras.
 */
export const sideAfter = (
  { tag, kernel, stride, padding }: ConvLayer<'conv' | 'convTranspose'>,
  n: number,
): number => {
  if (tag === 'convTranspose') return n * stride + (padding === 'same' ? 0 : Math.max(kernel - stride, 0));
  return padding === 'same' ? Math.ceil(n / stride) : Math.floor((n - kernel) / stride) + 1;
};
