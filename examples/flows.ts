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
  type ScalarLike,
  schedule,
  type Shape,
  spline,
  type Stack,
  tanh,
  type Transform,
  type VolumeMethod,
} from 'immersion/dsl';
import { rectangular, rectangularDensity, type RectangularOptions } from 'immersion/objectives';

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

type Bend = <I extends Shape, N extends number, K extends Kind>(
  flow: FlowStack<I, readonly [N], 'generative', K>,
) => FlowStack<I, readonly [N], 'generative', K>;

/** A coupling of one half of the channels, by the other half. */
const half = (transform: Transform, width: number, part: 'first' | 'last'): Bend =>
  coupling({
    transform,
    part,
    conditioner: (other: Stack<Vector, Vector>) => pipe(other, dense(width), tanh, dense(width), tanh),
  });

/** Couplings of both halves in turns. */
export const alternate =
  (transform: Transform, width: number, couplings: number, mix: Bend = (flow) => flow): Bend =>
  (flow) =>
    Array.from({ length: couplings }).reduce<typeof flow>(
      (below, _, i) => mix(half(transform, width, i % 2 === 0 ? 'last' : 'first')(below)),
      flow,
    );

/** Couplings of both halves in turns, a linear map of all channels after each. */
const bend = (transform: Transform, width: number, couplings: number): Bend =>
  alternate(transform, width, couplings, luLinear);

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
  readonly beta: ScalarLike;
  readonly likelihood?: Pick<RectangularOptions<readonly [D], readonly [d]>, 'weight' | 'augment'>;
  readonly rate: number;
  readonly batch?: number;
  /** Whether gradients are clipped to norm 1. Default: true. */
  readonly clip?: boolean;
};

export const parts = <const d extends number, const D extends number>(sizes: FlowSizes<d, D>) => ({
  d: sizes.d,
  codes: codes(sizes),
  onto: onto(sizes),
});

type FlowTraining = Pick<FlowExample, 'data' | 'steps' | 'rate' | 'batch' | 'clip'>;

/** The fields of an experiment that say how it is trained. */
export const training = (
  { data, steps, rate, batch = 200, clip = true }: FlowTraining,
  fall: ScalarLike = schedule.linear(rate, 0, steps),
) => ({
  optimizer: adam({ rate: fall, ...(clip ? { clipNorm: 1 } : {}) }),
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
  const beta = typeof example.beta === 'number' ? hyper('beta', example.beta) : example.beta;
  return experiment({
    encoder,
    decoder,
    objective: rectangular(encoder, decoder, { ...example.likelihood, beta, method }),
    logDensity: rectangularDensity(encoder, decoder),
    ...training(example),
  });
};
