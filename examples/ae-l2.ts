/** The autoencoder with weight decay on its decoder's kernels, at a rate that warms up: `--set decay=0.001` changes the weight. */
import {
  adam,
  constant,
  dense,
  experiment,
  flatten,
  hyper,
  input,
  network,
  pipe,
  reshape,
  schedule,
  sigmoid,
  tanh,
} from 'immersion/dsl';
import { aeL2 } from 'immersion/objectives';

const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(64), tanh, dense(8)));

const decoder = network('decoder', pipe(input(8), dense(64), tanh, dense(64), reshape(8, 8, 1), sigmoid));

export default experiment({
  encoder,
  decoder,
  objective: aeL2(encoder, decoder, { weight: hyper('decay', 0.01), only: 'kernels' }),
  optimizer: adam({ rate: schedule.warmUp(100, constant(1e-3)) }),
  batch: 64,
  steps: 2000,
  data: 'digits',
});
