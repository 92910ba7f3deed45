/** A variational autoencoder of digits given their class: encoder and decoder are both told which digit it is. */
import { adam, add, apply, concat, data, dense, draw, elu, exp, experiment, flatten } from 'immersion/dsl';
import { input, integerField, mul, network, normal, objective, oneHot, pipe, reshape } from 'immersion/dsl';
import { scale, sigmoid, sqNorm, square, sub, sum, through } from 'immersion/dsl';

const d = 6;
const picture = network('picture', pipe(input(8, 8, 1), flatten, dense(128), elu));
const encoder = network('encoder', { x: [8, 8, 1], label: [] }, ({ x, label }) => {
  const trunk = concat(apply(picture, x), oneHot(10, label));
  return { mean: through('mean', trunk, dense(d)), logDeviation: through('deviation', trunk, dense(d)) };
});
const decoder = network('decoder', { z: [d], label: [] }, ({ z, label }) =>
  through('net', concat(z, oneHot(10, label)), (s) =>
    pipe(s, dense(128), elu, dense(64), sigmoid, reshape(8, 8, 1)),
  ),
);

const x = data(8, 8, 1);
const label = integerField('label');
const { mean, logDeviation } = apply(encoder, { x, label });
const z = add(mean, mul(exp(logDeviation), draw('epsilon', normal(d))));

export default experiment({
  encoder,
  decoder,
  objective: objective({
    reconstruction: scale(10, sqNorm(sub(x, apply(decoder, { z, label })))),
    divergence: sub(scale(0.5, add(sqNorm(mean), sum(square(exp(logDeviation))))), sum(logDeviation)),
  }),
  optimizer: adam({ rate: 1e-3 }),
  batch: 64,
  steps: 2000,
  data: 'digits',
});
