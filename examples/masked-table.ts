/** A variational autoencoder of a table with missing values: it sees what is there and which, and is asked for no more than that. */
import { adam, add, apply, concat, data, dense, draw, elu, exp, experiment, field } from 'immersion/dsl';
import { input, mul, network, normal, objective, pipe, scale, sqNorm, square, sub } from 'immersion/dsl';
import { sum, through } from 'immersion/dsl';

const [D, d] = [4, 2];
const encoder = network('encoder', { x: [D], mask: [D] }, ({ x, mask }) => {
  const trunk = through('trunk', concat(mul(x, mask), mask), (s) => pipe(s, dense(32), elu));
  return { mean: through('mean', trunk, dense(d)), logDeviation: through('deviation', trunk, dense(d)) };
});
const decoder = network('decoder', pipe(input(d), dense(32), elu, dense(D)));

const x = data(D);
const mask = field('mask', D);
const { mean, logDeviation } = apply(encoder, { x, mask });
const z = add(mean, mul(exp(logDeviation), draw('epsilon', normal(d))));
const missed = mul(mask, sub(x, apply(decoder, z)));

export default experiment({
  encoder,
  decoder,
  objective: objective({
    reconstruction: scale(5, sqNorm(missed)),
    divergence: sub(scale(0.5, add(sqNorm(mean), sum(square(exp(logDeviation))))), sum(logDeviation)),
  }),
  optimizer: adam({ rate: 1e-3 }),
  batch: 32,
  steps: 2000,
  data: 'table.csv',
});
