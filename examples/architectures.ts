/** The networks of Kumar, Poole and Murphy 2020, appendix A, for the examples that train them. */
import {
  batchNorm,
  conv,
  convTranspose,
  dense,
  elu,
  flatten,
  compose,
  input,
  network,
  pipe,
  reshape,
  sigmoid,
} from 'immersion/dsl';

const down = <const F extends number, const S extends number>(filters: F, kernel: number, stride: S) =>
  compose(conv(filters, { kernel, stride }), batchNorm(), elu);

const up = <const F extends number, const S extends number>(filters: F, kernel: number, stride: S) =>
  compose(convTranspose(filters, { kernel, stride }), batchNorm(), elu);

/** The last hidden layers, which have no batch norm. */
const bare = <const F extends number, const S extends number>(filters: F, kernel: number, stride: S) =>
  compose(convTranspose(filters, { kernel, stride }), elu);

const times =
  (width: number) =>
  (filters: number): number =>
    Math.max(1, Math.round(filters * width));

/**
 * [28,28,1] → [32] → [28,28,1]. `width` multiplies every number of channels but the data's; 1 is the paper's. How its last
 * layer is read: docs/decisions/0001.
 */
export const mnistNetworks = (width = 1) => {
  const wide = times(width);
  return {
    encoder: network(
      'encoder',
      pipe(
        input(28, 28, 1),
        down(wide(64), 4, 1),
        down(wide(128), 4, 2),
        down(wide(256), 4, 2),
        down(wide(512), 4, 2),
        down(wide(512), 4, 1),
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
        up(wide(512), 4, 1),
        up(wide(256), 4, 1),
        up(wide(128), 4, 2),
        bare(wide(64), 4, 2),
        convTranspose(1, { kernel: 4 }),
        sigmoid,
      ),
    ),
  };
};

/** [32,32,3] → [128] → [32,32,3]. How the decoder's strides are read: docs/decisions/0012. */
export const cifar10Networks = (width = 1) => {
  const wide = times(width);
  return {
    encoder: network(
      'encoder',
      pipe(
        input(32, 32, 3),
        down(wide(128), 4, 1),
        down(wide(256), 4, 2),
        down(wide(512), 4, 2),
        down(wide(1024), 4, 2),
        down(wide(1024), 4, 1),
        flatten,
        dense(128),
      ),
    ),
    decoder: network(
      'decoder',
      pipe(
        input(128),
        dense(8 * 8 * wide(512)),
        reshape(8, 8, wide(512)),
        batchNorm(),
        elu,
        up(wide(1024), 4, 1),
        up(wide(512), 4, 1),
        up(wide(256), 4, 2),
        bare(wide(128), 4, 2),
        bare(wide(128), 4, 1),
        conv(3, { kernel: 1 }),
        sigmoid,
      ),
    ),
  };
};

/** [64,64,3] → [128] → [64,64,3]. How the decoder's strides are read: docs/decisions/0012. */
export const celebaNetworks = (width = 1) => {
  const wide = times(width);
  return {
    encoder: network(
      'encoder',
      pipe(
        input(64, 64, 3),
        down(wide(128), 5, 1),
        down(wide(256), 5, 2),
        down(wide(512), 5, 2),
        down(wide(1024), 5, 2),
        down(wide(1024), 5, 2),
        flatten,
        dense(128),
      ),
    ),
    decoder: network(
      'decoder',
      pipe(
        input(128),
        dense(16 * 16 * wide(512)),
        reshape(16, 16, wide(512)),
        batchNorm(),
        elu,
        up(wide(1024), 5, 1),
        up(wide(512), 5, 1),
        up(wide(256), 5, 2),
        bare(wide(128), 5, 2),
        bare(wide(128), 5, 1),
        conv(3, { kernel: 5 }),
        sigmoid,
      ),
    ),
  };
};
