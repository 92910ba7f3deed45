/** Flow matching as prior: a velocity that carries N(0, I) to the codes in fixed steps; Lipman et al. 2023, over codes as in Dao, Phung, Nguyen and Tran 2023. */
import {
  adam,
  concat,
  dense,
  fill,
  network,
  pipe,
  schedule,
  silu,
  stop,
  through,
  zeros,
} from '../../dsl/index.js';
import { flowMatching, transport } from '../../objectives/index.js';
import { type Learnable, learnedPrior } from './learned.js';

const STEPS = 1500;
const WIDTH = 64;

const learnable = (d: number): Learnable => {
  const velocity = network('velocity', { z: [d], t: [] }, ({ z, t }) =>
    through('net', concat(z, fill(t, 1)), (stack) =>
      pipe(stack, dense(WIDTH), silu, dense(WIDTH), silu, dense(d, { kernel: zeros })),
    ),
  );
  return {
    ...transport<number>(velocity),
    objective: (white) => flowMatching<number>(velocity, stop(white)),
    optimizer: adam({ rate: schedule.linear(4e-3, 0, STEPS), clipNorm: 1 }),
    batch: 128,
    steps: STEPS,
  };
};

export const matchingOverCodes = learnedPrior('flow matching on the codes', learnable);
