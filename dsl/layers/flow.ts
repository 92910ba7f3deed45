/**
 * Flows: stacks of layers that know their inverse. A flow begins with `latent` (it maps latents to data) or with `observed`
 * (data to latents); `invert` turns one into the other.
 */
import { namesOf, unknownOptions } from '../mistake.js';
import type { BijectorLayer, Layer, Part, Stack, Transform } from './layer.js';
import type { Known, Shape, Strided } from '../shape.js';

/** Which way a flow maps: `generative` from latents to data, `normalizing` from data to latents. */
export type Direction = 'generative' | 'normalizing';

export type Opposite<D extends Direction> = D extends 'generative' ? 'normalizing' : 'generative';

/** Whether a flow is onto: a `bijective` one has a log-determinant, an `injective` one only a left inverse. */
export type Kind = 'bijective' | 'injective';

/** What a type remembers of a flow beside its shapes. */
export type FlowType<D extends Direction, K extends Kind> = { readonly direction: D; readonly kind: K };

/** A stack of invertible layers. */
export type FlowStack<
  I extends Shape = Shape,
  O extends Shape = Shape,
  D extends Direction = Direction,
  K extends Kind = Kind,
> = {
  readonly input: Shape;
  readonly layers: readonly Layer[];
  readonly _input?: Known<I> | undefined;
  readonly _output?: Known<O> | undefined;
  readonly _outputs?: undefined;
  readonly _flow?: FlowType<D, K> | undefined;
};

type Layers = { readonly input: Shape; readonly layers: readonly Layer[] };

const append = (stack: Layers, layer: Layer): Layers => ({ ...stack, layers: [...stack.layers, layer] });

const start = (shape: Shape): Layers => ({ input: shape, layers: [] });

/** Starts a flow from latents to data. */
export const latent = <const S extends Shape>(...shape: S): FlowStack<S, S, 'generative', 'bijective'> =>
  start(shape);

/** Starts a flow from data to latents. */
export const observed = <const S extends Shape>(...shape: S): FlowStack<S, S, 'normalizing', 'bijective'> =>
  start(shape);

/** y = x·e^s + t; `bound` is on |s|. */
export const affine = (options: { readonly bound?: number } = {}): Transform => ({
  tag: 'affine',
  bound: options.bound ?? 2,
  ...unknownOptions('affine', options, ['bound']),
});

/** A rational-quadratic spline with `bins` bins between −bound and bound, the identity outside. */
export const spline = (options: { readonly bins?: number; readonly bound?: number } = {}): Transform => ({
  tag: 'spline',
  bins: options.bins ?? 8,
  bound: options.bound ?? 3,
  ...unknownOptions('spline', options, ['bins', 'bound']),
});

/** Keeps the shape, and what kind of flow it is. */
type Keeping = <I extends Shape, O extends Shape, D extends Direction, K extends Kind>(
  stack: FlowStack<I, O, D, K>,
) => FlowStack<I, O, D, K>;

type CouplingOptions<A extends Shape> = {
  readonly transform?: Transform;
  /** The part of the channels that is transformed; take turns. */
  readonly part?: Part;
  /** Hidden layers between the other part and the transform's parameters; an image keeps its height and width in them. */
  readonly conditioner: (stack: Stack<A, A>) => Stack<A>;
};

/** A coupling of a vector: [n] → [n]. */
export const coupling = (options: CouplingOptions<readonly [number]>) => {
  const layer = couplingLayer('coupling', options, options.conditioner(start([])).layers);
  return <I extends Shape, N extends number, D extends Direction, K extends Kind>(
    stack: FlowStack<I, readonly [N], D, K>,
  ): FlowStack<I, readonly [N], D, K> => append(stack, layer);
};

/** A coupling of an image over its channels: [h,w,c] → [h,w,c]. */
export const imageCoupling = <H extends number, W extends number>(
  options: CouplingOptions<readonly [H, W, number]>,
) => {
  const layer = couplingLayer('imageCoupling', options, options.conditioner(start([])).layers);
  return <I extends Shape, C extends number, D extends Direction, K extends Kind>(
    stack: FlowStack<I, readonly [H, W, C], D, K>,
  ): FlowStack<I, readonly [H, W, C], D, K> => append(stack, layer);
};

const couplingOptions = namesOf<CouplingOptions<Shape>>({ transform: true, part: true, conditioner: true });

const couplingLayer = (
  call: string,
  options: { readonly transform?: Transform; readonly part?: Part },
  conditioner: readonly Layer[],
): BijectorLayer => ({
  tag: 'coupling',
  transform: options.transform ?? affine(),
  part: options.part ?? 'last',
  conditioner,
  ...unknownOptions(call, options, couplingOptions),
});

/** A transform of each channel with trainable parameters of its own: the only way to bend a single number. */
export const elementwise =
  (transform: Transform): Keeping =>
  (stack) =>
    append(stack, { tag: 'elementwise', transform });

/** Scale and shift of each channel, Kingma and Dhariwal 2018; it starts as the identity (docs/decisions/0014). */
export const actNorm: Keeping = elementwise(affine({ bound: 10 }));

/** The channels in an order fixed by `seed`. */
export const permutation =
  (seed: number): Keeping =>
  (stack) =>
    append(stack, { tag: 'permutation', seed });

/** An invertible matrix over the channels, by its LU factors, and a shift; it starts as the identity. */
export const luLinear: Keeping = (stack) => append(stack, { tag: 'luLinear' });

/** Blocks of size × size pixels become channels. */
export const squeeze =
  <const S extends number = 2>(size?: S) =>
  <I extends Shape, H extends number, W extends number, D extends Direction, K extends Kind>(
    stack: FlowStack<I, readonly [H, W, number], D, K>,
  ): FlowStack<I, readonly [Strided<H, S>, Strided<W, S>, number], D, K> =>
    append(stack, { tag: 'squeeze', size: size ?? 2 });

/** Multi-scale: the last half of the channels is done, the first half goes on through `inner`; a vector comes out. */
export const factorOut =
  <H extends number, W extends number, D extends Direction>(
    inner: (
      stack: FlowStack<readonly [H, W, number], readonly [H, W, number], D, 'bijective'>,
    ) => FlowStack<readonly [H, W, number], Shape, D, 'bijective'>,
  ) =>
  <I extends Shape, K extends Kind>(
    stack: FlowStack<I, readonly [H, W, number], D, K>,
  ): FlowStack<I, readonly [number], D, K> =>
    append(stack, { tag: 'factorOut', layers: inner(start([])).layers });

/** The inverse of a bijective stack as one layer: an image out of latents is the inverse of latents out of an image. */
export const inverse =
  <A extends Shape, B extends Shape, E extends Direction>(flow: FlowStack<A, B, E, 'bijective'>) =>
  <I extends Shape, K extends Kind>(
    stack: FlowStack<I, B, Opposite<E>, K>,
  ): FlowStack<I, A, Opposite<E>, K> =>
    append(stack, { tag: 'inverse', input: flow.input, layers: flow.layers });

/** Into a larger space, by zeros: [d] → [units]. Only from latents to data; then the flow is injective. */
export const inject =
  <const N extends number>(units: N) =>
  <I extends Shape, K extends Kind>(
    stack: FlowStack<I, readonly [number], 'generative', K>,
  ): FlowStack<I, readonly [N], 'generative', 'injective'> =>
    append(stack, { tag: 'inject', units });

/** The same numbers in another shape. */
export const arrange =
  <const S extends Shape>(...shape: S) =>
  <I extends Shape, D extends Direction, K extends Kind>(
    stack: FlowStack<I, Shape, D, K>,
  ): FlowStack<I, S, D, K> =>
    append(stack, { tag: 'reshape', shape });
