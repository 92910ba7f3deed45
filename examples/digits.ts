/** InjFlow on the bundled 8×8 handwritten digits: what `npm start` trains. */
import { injFlow } from 'immersion/objectives';
import {
  adam,
  dense,
  elu,
  experiment,
  flatten,
  compose,
  hyper,
  input,
  network,
  pipe,
  reshape,
  schedule,
  sigmoid,
} from 'immersion/dsl';

const hidden = <const N extends number>(units: N) => compose(dense(units), elu);

const encoder = network('encoder', pipe(input(8, 8, 1), flatten, hidden(256), hidden(256), dense(6)));

const decoder = network(
  'decoder',
  pipe(input(6), hidden(256), hidden(256), dense(8 * 8), sigmoid, reshape(8, 8, 1)),
);

export default experiment({
  encoder,
  decoder,
  objective: injFlow(encoder, decoder, { prior: hyper('prior', 0.05), lambda: hyper('lambda', 0.1) }),
  optimizer: adam({ rate: schedule.exponential(2e-3, 2000) }),
  batch: 64,
  steps: 5000,
  data: 'digits',
});
