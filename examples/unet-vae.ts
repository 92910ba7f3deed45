/** A variational autoencoder of pictures whose encoder is a U-net: what a level sees stands beside what comes back from below it. */
import { adam, averagePool, conv, dense, experiment, flatten, heads, input, network } from 'immersion/dsl';
import { pipe, reshape, sigmoid, silu, skip, type Stack, upsample } from 'immersion/dsl';
import { vae } from 'immersion/objectives';

type Half = readonly [4, 4, number];
type Full = readonly [8, 8, number];

const bottom = (s: Stack<Half, Half>) => pipe(s, averagePool(2), conv(32, { kernel: 3 }), silu, upsample(2));
const middle = (s: Stack<Full, Full>) =>
  pipe(s, averagePool(2), conv(16, { kernel: 3 }), silu, skip<Half, Half>(bottom), upsample(2));

const encoder = network(
  'encoder',
  pipe(
    input(8, 8, 1),
    conv(8, { kernel: 3 }),
    silu,
    skip<Full, Full>(middle),
    conv(8, { kernel: 3 }),
    flatten,
    heads({ mean: dense(6), logVariance: dense(6) }),
  ),
);
const decoder = network('decoder', pipe(input(6), dense(128), silu, dense(64), sigmoid, reshape(8, 8, 1)));

export default experiment({
  encoder,
  decoder,
  objective: vae(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 64,
  steps: 2000,
  data: 'digits',
});
