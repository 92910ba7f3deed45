/** Rectangular flows for the examples: d numbers from N(0, I), bent into another density, injected into D, and bent onto a manifold there. */
import {
  adam,
  affine,
  coupling,
  dense,
  elementwise,
  experiment,
  type Flow,
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
export const codes = <const d extends number>({ d, width }: Pick<FlowSizes<d>, 'd' | 'width'>) =>
  pipe(latent(d), elementwise(spline()), bend(spline(), width, d === 1 ? 0 : 2));

/** From codes onto the manifold, [d] → [D]. */
export const onto =
  <const d extends number, const D extends number>({ D, width, couplings, order = 3 }: FlowSizes<d, D>) =>
  <K extends Kind>(flow: FlowStack<readonly [d], readonly [d], 'generative', K>) =>
    pipe(flow, inject(D), permutation(order), luLinear, bend(affine(), width, couplings));

/** Both, one after the other: the decoder. */
export const rectangularFlow = <const d extends number, const D extends number>(sizes: FlowSizes<d, D>) =>
  network('decoder', pipe(codes(sizes), onto(sizes)));

export type Training = {
  readonly data: string;
  readonly steps: number;
  /** Of ‖x − x̂‖² against a nat. */
  readonly beta: number;
  readonly rate?: number;
  readonly batch?: number;
};

/** Trains the flow by its likelihood; the volume is computed whichever way is cheaper. */
export const densityExperiment = <const d extends number, const D extends number>(
  decoder: Flow<readonly [d], readonly [D], 'generative', 'injective'>,
  { data, steps, beta, rate = 1e-3, batch = 200 }: Training,
) => {
  const encoder = invert(decoder);
  return experiment({
    encoder,
    decoder,
    objective: rectangular(encoder, decoder, { beta: hyper('beta', beta) }),
    logDensity: rectangularDensity(encoder, decoder),
    optimizer: adam({ rate: schedule.linear(rate, 0, steps), clipNorm: 1 }),
    batch,
    steps,
    data,
  });
};
