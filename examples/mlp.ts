/** InjFlow-ln with multi-layer perceptrons on 16 numbers an example: small enough to read its programs in full. */
import { adam, experiment } from 'immersion/dsl';
import { injFlowLn } from 'immersion/objectives';
import { perceptrons } from './architectures.js';

const { encoder, decoder } = perceptrons();

export default experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 256,
  steps: 1000,
  data: 'table',
});
