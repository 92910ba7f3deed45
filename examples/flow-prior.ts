/** A variational autoencoder whose prior is a flow that is trained with it: codes of digits have the density of the flow, and noise is what is encoded and decoded. */
import { adam, add, affine, apply, coupling, dataOf, dense, draw, elu, exp, experiment } from 'immersion/dsl';
import {
  flatten,
  heads,
  input,
  invert,
  latent,
  luLinear,
  mul,
  neg,
  network,
  normal,
  objective,
} from 'immersion/dsl';
import { pipe, reshape, scale, sigmoid, sqNorm, type Stack, sub, sum } from 'immersion/dsl';
import { logDensityOf } from 'immersion/objectives';

const d = 6;
const conditioner = (half: Stack<readonly [number], readonly [number]>) => pipe(half, dense(32), elu);
const transform = affine({ bound: 1 });
const first = coupling({ transform, part: 'first', conditioner });
const last = coupling({ transform, part: 'last', conditioner });

const flow = network('flow', pipe(latent(d), luLinear, first, last, luLinear, first, last));
const posterior = network(
  'posterior',
  pipe(input(8, 8, 1), flatten, dense(128), elu, heads({ mean: dense(d), logDeviation: dense(d) })),
);
const likelihood = network(
  'likelihood',
  pipe(input(d), dense(128), elu, dense(64), sigmoid, reshape(8, 8, 1)),
);

const encoder = network('encoder', { x: [8, 8, 1] }, ({ x }) =>
  apply(invert(flow), apply(posterior, x).mean),
);
const decoder = network('decoder', { noise: [d] }, ({ noise }) => apply(likelihood, apply(flow, noise)));

const x = dataOf(encoder);
const { mean, logDeviation } = apply(posterior, x);
const z = add(mean, mul(exp(logDeviation), draw('epsilon', normal(d))));

export default experiment({
  encoder,
  decoder,
  objective: objective({
    reconstruction: scale(10, sqNorm(sub(x, apply(likelihood, z)))),
    // −ln p(z) − H(q(z | x)), which is the divergence in the mean but for a constant.
    prior: neg(logDensityOf(flow)(z)),
    entropy: neg(sum(logDeviation)),
  }),
  optimizer: adam({ rate: 1e-3 }),
  batch: 64,
  steps: 2000,
  data: 'digits',
});
