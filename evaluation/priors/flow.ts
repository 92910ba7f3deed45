/** A normalizing flow as prior: couplings of rational-quadratic splines, trained by maximum likelihood; Durkan, Bekasov, Murray and Papamakarios 2019. */
import {
  adam,
  affine,
  apply,
  coupling,
  dense,
  elementwise,
  type FlowStack,
  invert,
  latent,
  luLinear,
  neg,
  network,
  objective,
  pipe,
  schedule,
  tanh,
  spline,
  type Stack,
} from '../../dsl/index.js';
import { logDensityOf } from '../../objectives/index.js';
import { type Learnable, learnedPrior, type Vector } from './learned.js';

type Flow = FlowStack<Vector, Vector, 'generative', 'bijective'>;

const STEPS = 1500;
const WIDTH = 32;
const PAIRS = 3;

const bend = spline({ bound: 5 });
const transform = affine({ bound: 2 });

const conditioner = (stack: Stack<Vector, Vector>) => pipe(stack, dense(WIDTH), tanh, dense(WIDTH), tanh);

/** Each half of the numbers by the other, and a linear map of all of them. */
const mixed = (flow: Flow): Flow =>
  pipe(
    flow,
    luLinear,
    coupling({ transform, part: 'last', conditioner }),
    coupling({ transform, part: 'first', conditioner }),
  );

const learnable = (d: number): Learnable => {
  const alone: Flow = pipe(latent<Vector>(d), elementwise(bend));
  const stack = Array.from({ length: d === 1 ? 0 : PAIRS }).reduce<Flow>(mixed, alone);
  const flow = network('flow', stack);
  const logDensity = logDensityOf(flow);
  return {
    forward: (noise) => apply(flow, noise),
    backward: (white) => apply(invert(flow), white),
    logDensity,
    objective: (white) => objective({ negativeLogLikelihood: neg(logDensity(white)) }),
    optimizer: adam({ rate: schedule.linear(2e-3, 0, STEPS), clipNorm: 1 }),
    batch: 128,
    steps: STEPS,
  };
};

export const flowOverCodes = learnedPrior('a flow fitted to the codes', learnable);
