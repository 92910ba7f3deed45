/** Rectangular flows for the examples: d numbers from N(0, I), bent into another density, injected into D, and bent onto a manifold there. */
import {
  adam,
  affine,
  coupling,
  dense,
  elementwise,
  experiment,
  type FlowStack,
  hyper,
  inject,
  invert,
  type Kind,
  latent,
  luLinear,
  network,
  permutation,
  pipe,
  schedule,
  type Shape,
  spline,
  type Stack,
  tanh,
  type Transform,
  type VolumeMethod,
} from 'immersion/dsl';
import { rectangular, rectangularDensity } from 'immersion/objectives';

type Vector = readonly [number];

export type FlowSizes<d extends number = number, D extends number = number> = {
  /** Dimensions of the manifold and of the space around it. */
  readonly d: d;
  readonly D: D;
  /** Of the two hidden layers of each coupling. */
  readonly width: number;
  /** How many couplings follow the injection. */
  readonly couplings: number;
  /** Seed of the order of channels after the injection. It matters where the manifold is narrow in the first d of them. */
  readonly order?: number;
};

/** Couplings of alternate halves, a linear map of all channels after each. */
const bend =
  (transform: Transform, width: number, couplings: number) =>
  <I extends Shape, N extends number, K extends Kind>(flow: FlowStack<I, readonly [N], 'generative', K>) =>
    Array.from({ length: couplings }).reduce<typeof flow>((below, _, i) => {
      const conditioner = (half: Stack<Vector, Vector>) => pipe(half, dense(width), tanh, dense(width), tanh);
      return pipe(
        below,
        coupling({ transform, part: i % 2 === 0 ? 'last' : 'first', conditioner }),
        luLinear,
      );
    }, flow);

/** From N(0, I) to the density of codes, [d] → [d]: a spline for each number, and couplings where there are several. */
const codes = <const d extends number>({ d, width }: Pick<FlowSizes<d>, 'd' | 'width'>) =>
  pipe(latent(d), elementwise(spline()), luLinear, bend(spline(), width, d === 1 ? 0 : 2));

/** From codes onto the manifold, [d] → [D]. */
const onto =
  <const d extends number, const D extends number>({ D, width, couplings, order = 3 }: FlowSizes<d, D>) =>
  <K extends Kind>(flow: FlowStack<readonly [d], readonly [d], 'generative', K>) =>
    pipe(flow, inject(D), permutation(order), luLinear, bend(affine(), width, couplings));

/** What an example of a flow consists of: the two parts of its decoder, and how it is trained. */
export type FlowExample<d extends number = number, D extends number = number> = {
  readonly d: d;
  readonly codes: FlowStack<readonly [d], readonly [d], 'generative', 'bijective'>;
  readonly onto: <K extends Kind>(
    flow: FlowStack<readonly [d], readonly [d], 'generative', K>,
  ) => FlowStack<readonly [d], readonly [D], 'generative', 'injective'>;
  readonly data: string;
  readonly steps: number;
  /** Of ‖x − x̂‖² against a nat. */
  readonly beta: number;
  readonly rate: number;
  readonly batch?: number;
};

export const parts = <const d extends number, const D extends number>(sizes: FlowSizes<d, D>) => ({
  d: sizes.d,
  codes: codes(sizes),
  onto: onto(sizes),
});

/** The fields of an experiment that say how it is trained. */
export const training = ({
  data,
  steps,
  rate,
  batch = 200,
}: Pick<FlowExample, 'data' | 'steps' | 'rate' | 'batch'>) => ({
  optimizer: adam({ rate: schedule.linear(rate, 0, steps), clipNorm: 1 }),
  batch,
  steps,
  data,
});

/** Trains the flow by its likelihood; unless `method` says how, the volume is computed whichever way is cheaper. */
export const densityExperiment = <const d extends number, const D extends number>(
  example: FlowExample<d, D>,
  method: VolumeMethod = 'auto',
) => {
  const decoder = network('decoder', example.onto(example.codes));
  const encoder = invert(decoder);
  const beta = hyper('beta', example.beta);
  return experiment({
    encoder,
    decoder,
    objective: rectangular(encoder, decoder, { beta, method }),
    logDensity: rectangularDensity(encoder, decoder),
    ...training(example),
  });
};
