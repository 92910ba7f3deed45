/** The networks of the paper, for the examples that train them. */
import {
  batchNorm,
  conv,
  convTranspose,
  dense,
  elu,
  flatten,
  flow,
  input,
  network,
  pipe,
  reshape,
  sigmoid,
} from 'immersion/dsl';

const down = <const F extends number, const S extends number>(filters: F, stride: S) =>
  flow(conv(filters, { kernel: 4, stride }), batchNorm(), elu);

const up = <const F extends number, const S extends number>(filters: F, stride: S) =>
  flow(convTranspose(filters, { kernel: 4, stride }), batchNorm(), elu);

/**
 * The MNIST networks of Kumar, Poole and Murphy 2020, appendix A: [28,28,1] → [32] → [28,28,1]. `width` multiplies every
 * number of channels but the data's; 1 is the paper's. How its last layer is read: docs/decisions/0001.
 */
export const mnistNetworks = (width = 1) => {
  const wide = (filters: number): number => Math.round(filters * width);
  return {
    encoder: network(
      'encoder',
      pipe(
        input(28, 28, 1),
        down(wide(64), 1),
        down(wide(128), 2),
        down(wide(256), 2),
        down(wide(512), 2),
        down(wide(512), 1),
        flatten,
        dense(32),
      ),
    ),
    decoder: network(
      'decoder',
      pipe(
        input(32),
        dense(7 * 7 * wide(256)),
        reshape(7, 7, wide(256)),
        batchNorm(),
        elu,
        up(wide(512), 1),
        up(wide(256), 1),
        up(wide(128), 2),
        flow(convTranspose(wide(64), { kernel: 4, stride: 2 }), elu),
        convTranspose(1, { kernel: 4 }),
        sigmoid,
      ),
    ),
  };
};
