/** InjFlow-ln with multi-layer perceptrons on the bundled digits: small enough to read its programs in full. */
import { adam, dense, experiment, flatten, input, network, pipe, reshape, tanh } from 'immersion/dsl';
import { injFlowLn } from 'immersion/objectives';

const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(64), tanh, dense(64), tanh, dense(4)));

const decoder = network(
  'decoder',
  pipe(input(4), dense(64), tanh, dense(64), tanh, dense(8 * 8), reshape(8, 8, 1)),
);

export default experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 256,
  steps: 1000,
  data: 'digits',
});
