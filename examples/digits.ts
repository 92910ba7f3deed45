/** InjFlow on the bundled 8×8 handwritten digits: what `npm start` trains. */
import { injFlow } from 'immersion/objectives';
import {
  adam,
  batchNorm,
  conv,
  convTranspose,
  dense,
  elu,
  experiment,
  flatten,
  flow,
  input,
  network,
  pipe,
  reshape,
  sigmoid,
} from 'immersion/dsl';

const down = <const F extends number, const S extends number>(filters: F, stride: S) =>
  flow(conv(filters, { kernel: 3, stride }), batchNorm(), elu);

const up = <const F extends number, const S extends number>(filters: F, stride: S) =>
  flow(convTranspose(filters, { kernel: 3, stride }), batchNorm(), elu);

const encoder = network(
  'encoder',
  pipe(input(8, 8, 1), down(32, 1), down(64, 2), down(128, 2), flatten, dense(8)),
);

const decoder = network(
  'decoder',
  pipe(
    input(8),
    dense(2 * 2 * 128),
    elu,
    reshape(2, 2, 128),
    up(64, 2),
    up(32, 2),
    convTranspose(1, { kernel: 3 }),
    sigmoid,
  ),
);

export default experiment({
  encoder,
  decoder,
  objective: injFlow(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 64,
  steps: 2000,
  data: 'digits',
});
