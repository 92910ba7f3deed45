/** InjFlow-ln on CelebA, as Kumar, Poole and Murphy 2020 trained it: their networks, batch, rate and number of steps. */
import { adam, experiment } from 'immersion/dsl';
import { injFlowLn } from 'immersion/objectives';
import { celebaNetworks } from './architectures.js';

const { encoder, decoder } = celebaNetworks();

export default experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder, { probe: 'normal' }),
  optimizer: adam({ rate: 1e-3 }),
  batch: 128,
  steps: 100_000,
  data: 'celeba',
});
