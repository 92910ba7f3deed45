/** An autoencoder of a table of which few rows have a class (−1 where there is none): the classes that are known shape the codes too. Rows weigh as a column says. */
import {
  adam,
  apply,
  crossEntropy,
  data,
  dense,
  elu,
  experiment,
  field,
  greater,
  hyper,
} from 'immersion/dsl';
import { input, mul, network, objective, oneHot, pipe, scale, sqNorm, sub } from 'immersion/dsl';

const [D, d, classes] = [4, 2, 3];
const encoder = network('encoder', pipe(input(D), dense(32), elu, dense(d)));
const decoder = network('decoder', pipe(input(d), dense(32), elu, dense(D)));
const classifier = network('classifier', pipe(input(d), dense(32), elu, dense(classes)));

const x = data(D);
const code = apply(encoder, x);
const label = field('label');
const weight = field('weight');
const logits = apply(classifier, code);
const known = greater(label, -0.5);

export default experiment({
  encoder,
  decoder,
  objective: objective({
    reconstruction: scale(weight, sqNorm(sub(x, apply(decoder, code)))),
    classification: scale(
      hyper('supervision', 1),
      scale(mul(weight, known), crossEntropy(logits, oneHot(classes, label))),
    ),
  }),
  optimizer: adam({ rate: 3e-3 }),
  batch: 32,
  steps: 1000,
  data: 'table.csv?standardize&fields=label,weight',
});
