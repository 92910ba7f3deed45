/** InjFlow of digits given their class: the decoder is a function of a code and a one-hot class, injective in the code alone. */
import { adam, apply, concat, data, dense, div, draw, elu, experiment, fill, flatten } from 'immersion/dsl';
import { greater, input, integerField, jvp, log, max, negPart, network, norm } from 'immersion/dsl';
import { objective, pipe, range, reshape, scale, schedule, sigmoid, sphere, sqNorm } from 'immersion/dsl';
import { square, sub, through } from 'immersion/dsl';

const d = 6;
const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(128), elu, dense(d)));
const decoder = network('decoder', { z: [d], label: [] }, ({ z, label }) => {
  // 1 at the place of the class.
  const far = square(sub(range(10), fill(label, 10)));
  const oneHot = greater(fill(0.25, 10), far);
  return through('net', concat(z, oneHot), (s) =>
    pipe(s, dense(128), elu, dense(64), sigmoid, reshape(8, 8, 1)),
  );
});

const x = data(8, 8, 1);
const at = { z: apply(encoder, x), label: integerField('label') };
const v = draw('v', sphere(d));
const Jv = jvp(decoder, at, v, 'z');
const mu = schedule.power({ exponent: 1.3, scale: 1e-3 });

export default experiment({
  encoder,
  decoder,
  objective: objective({
    prior: scale(0.05, sqNorm(at.z)),
    reconstruction: scale(mu, sqNorm(sub(x, apply(decoder, at)))),
    volume: scale(d / 2, log(max(sqNorm(Jv), scale(0.01, sqNorm(v))))),
    injectivity: scale(mu, square(negPart(sub(div(norm(Jv), norm(v)), 0.1)))),
  }),
  optimizer: adam({ rate: 1e-3 }),
  batch: 64,
  steps: 2000,
  data: 'digits',
});
