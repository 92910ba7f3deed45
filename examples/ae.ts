/** The plain autoencoder on the bundled 8×8 handwritten digits. */
import {
  adam,
  conv,
  convTranspose,
  dense,
  elu,
  experiment,
  flatten,
  input,
  network,
  pipe,
  reshape,
  sigmoid,
} from 'immersion/dsl';
import { ae } from 'immersion/objectives';

const encoder = network(
  'encoder',
  pipe(
    input(8, 8, 1),
    conv(16, { kernel: 3, stride: 2 }),
    elu,
    conv(32, { kernel: 3, stride: 2 }),
    elu,
    flatten,
    dense(8),
  ),
);

const decoder = network(
  'decoder',
  pipe(
    input(8),
    dense(2 * 2 * 32),
    elu,
    reshape(2, 2, 32),
    convTranspose(16, { kernel: 3, stride: 2 }),
    elu,
    convTranspose(1, { kernel: 3, stride: 2 }),
    sigmoid,
  ),
);

export default experiment({
  encoder,
  decoder,
  objective: ae(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 64,
  steps: 2000,
  data: 'digits',
});
