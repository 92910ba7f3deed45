/** The von Mises density on a circle: a line bent round, with a seam where the density is least. */
import {
  add,
  affine,
  draw,
  elementwise,
  exp,
  hyper,
  inject,
  latent,
  log,
  normal,
  pipe,
  type ScalarLike,
  scale,
  schedule,
  spline,
} from 'immersion/dsl';
import { alternate, densityExperiment, type FlowExample } from './flows.js';

/** From `from` to `to` in `steps` steps, by the same factor in each. */
const geometric = (from: number, to: ScalarLike, steps: number) =>
  exp(schedule.linear(Math.log(from), typeof to === 'number' ? Math.log(to) : log(to), steps));

const steps = 10_000;

/** What makes the seam narrow: an error that counts more as the curve closes, noise that fades, and steep couplings next to the data. */
export const circle: FlowExample<1, 2> = {
  d: 1,
  codes: pipe(latent(1), elementwise(spline({ bins: 16, bound: 5 }))),
  onto: (flow) => pipe(flow, inject(2), alternate(affine(), 32, 6), alternate(spline({ bound: 2 }), 32, 2)),
  data: 'circle',
  steps,
  beta: geometric(20, hyper('beta', 200), 0.4 * steps),
  likelihood: {
    weight: 1,
    augment: (x) => add(x, scale(geometric(0.1, 0.005, 0.8 * steps), draw('jitter', normal(2)))),
  },
  rate: 5e-4,
  batch: 1000,
  clip: false,
};

export default densityExperiment(circle);
