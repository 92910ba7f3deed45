/** The sizes and values of transposed convolutions without padding, where kernels overlap, touch and stand apart. */
import { describe, expect, test } from 'vitest';
import { apply, data } from '../../../dsl/expressions/expression.js';
import { ones } from '../../../dsl/layers/initializer.js';
import { convTranspose, input } from '../../../dsl/layers/layer.js';
import { network } from '../../../dsl/network.js';
import { calculate } from '../../shared/expressions.js';

describe('a transposed convolution without padding', () => {
  /** Of two pixels of 1, by a kernel of ones and no bias. */
  const enlarged = (kernel: number, stride: number): readonly number[] => {
    const options = { kernel, stride, padding: 'valid', bias: false, initializer: ones } as const;
    const net = network('net', convTranspose(1, options)(input(1, 2, 1)));
    const value = calculate(
      { y: apply(net, data(1, 2, 1)) },
      {
        given: new Map([
          ['data', Float64Array.of(1, 1)],
          ['net/0.convTranspose/kernel', new Float64Array(kernel * kernel).fill(1)],
        ]),
      },
    )('y');
    // The first row of as many as there are of one pixel.
    return [...value.subarray(0, value.length / (stride + Math.max(kernel - stride, 0)))];
  };

  // As Keras and flax have them; PyTorch leaves out what comes after the last kernel.
  test.each([
    [2, 3, [1, 1, 0, 1, 1, 0]],
    [1, 3, [1, 0, 0, 1, 0, 0]],
    [2, 2, [1, 1, 1, 1]],
    [3, 2, [1, 1, 2, 1, 1]],
  ])('by a kernel of %i with stride %i', (kernel, stride, expected) => {
    expect(enlarged(kernel, stride)).toEqual(expected);
  });
});
