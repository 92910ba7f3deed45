/** A density of the bundled 8×8 handwritten digits on a manifold of eight dimensions: an injective flow trained by its likelihood. */
import {
  adam,
  affine,
  arrange,
  coupling,
  dense,
  elu,
  experiment,
  type FlowStack,
  hyper,
  inject,
  invert,
  latent,
  luLinear,
  network,
  permutation,
  pipe,
  schedule,
  type Stack,
} from 'immersion/dsl';
import { rectangular, rectangularDensity } from 'immersion/objectives';

type Vector = readonly [number];

/** Two couplings, one of each half, and a linear map of all numbers. */
const bend =
  (width: number) =>
  <N extends number, K extends 'bijective' | 'injective'>(
    flow: FlowStack<readonly [8], readonly [N], 'generative', K>,
  ) => {
    const conditioner = (half: Stack<Vector, Vector>) => pipe(half, dense(width), elu, dense(width), elu);
    const transform = affine({ bound: 1 });
    return pipe(
      flow,
      coupling({ transform, part: 'last', conditioner }),
      coupling({ transform, part: 'first', conditioner }),
      luLinear,
    );
  };

const decoder = network(
  'decoder',
  pipe(
    latent(8),
    bend(64),
    bend(64),
    inject(64),
    permutation(0),
    luLinear,
    bend(128),
    bend(128),
    arrange(8, 8, 1),
  ),
);
const encoder = invert(decoder);

export default experiment({
  encoder,
  decoder,
  objective: rectangular(encoder, decoder, { beta: hyper('beta', 50) }),
  logDensity: rectangularDensity(encoder, decoder),
  optimizer: adam({ rate: schedule.linear(2e-3, 0, 3000), clipNorm: 1 }),
  batch: 64,
  steps: 3000,
  data: 'digits',
});
