/**
 * Flows: stacks of layers that know their inverse. A flow begins with `latent` (it maps latents to data) or with `observed`
 * (data to latents); `invert` turns one into the other.
 */
import { namesOf, unknownOptions } from '../mistake.js';
import type { Expr, Node } from '../grammar.js';
import { shapeAfterLayers, shapeOf } from '../shape-rules.js';
import { halfOf, partSize } from './bijector.js';
import type { BijectorLayer, Layer, Part, Stack, Transform } from './layer.js';
import type { Known, Scalar, Shape, Strided } from '../shape.js';

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

/** A spline of angles between −bound and bound, which are one point: π unless given, and the angles are within. */
export const circularSpline = (
  options: { readonly bins?: number; readonly bound?: number } = {},
): Transform => ({
  tag: 'circularSpline',
  bins: options.bins ?? 8,
  bound: options.bound ?? Math.PI,
  ...unknownOptions('circularSpline', options, ['bins', 'bound']),
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
  const layerAfter = couplingLayer('coupling', options);
  return <I extends Shape, N extends number, D extends Direction, K extends Kind>(
    stack: FlowStack<I, readonly [N], D, K>,
  ): FlowStack<I, readonly [N], D, K> => append(stack, layerAfter(stack));
};

/** A coupling of an image over its channels: [h,w,c] → [h,w,c]. */
export const imageCoupling = <H extends number, W extends number>(
  options: CouplingOptions<readonly [H, W, number]>,
) => {
  const layerAfter = couplingLayer('imageCoupling', options);
  return <I extends Shape, C extends number, D extends Direction, K extends Kind>(
    stack: FlowStack<I, readonly [H, W, C], D, K>,
  ): FlowStack<I, readonly [H, W, C], D, K> => append(stack, layerAfter(stack));
};

const couplingOptions = namesOf<CouplingOptions<Shape>>({ transform: true, part: true, conditioner: true });

/** The shape that a stack has come to; of layers that do not fit none, which is reported where they are elaborated. */
const shapeAt = ({ layers, input }: Layers): Shape => shapeAfterLayers(layers, input) ?? [];

const couplingLayer = <A extends Shape>(call: string, options: CouplingOptions<A>) => {
  const { transform = affine(), part = 'last', conditioner } = options;
  const mistakes = unknownOptions(call, options, couplingOptions);
  return (stack: Layers): BijectorLayer => {
    const shape = shapeAt(stack);
    const channels = shape.at(-1) ?? 0;
    const condition = shape.length === 0 ? [] : [...shape.slice(0, -1), channels - partSize(part, channels)];
    const { layers } = conditioner(start(condition));
    return { tag: 'coupling', transform, part, conditioner: layers, ...mistakes };
  };
};

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

const halfOfStack = (stack: Layers): Shape => {
  const shape = shapeAt(stack);
  return shape.length === 0 ? [] : halfOf(shape);
};

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
    append(stack, { tag: 'factorOut', layers: inner(start(halfOfStack(stack))).layers });

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

/** A map of expressions with its inverse, each given its argument and the shape that the layer takes. */
type Ways<A extends Shape, B extends Shape> = {
  readonly forward: (x: Expr<A>, shape: A) => Expr<B>;
  readonly inverse: (y: Expr<B>, shape: A) => Expr<A>;
  /** ln |det| of the Jacobian of `forward` at x. */
  readonly logDeterminant: (x: Expr<A>, shape: A) => Expr<Scalar>;
};

/**
 * A layer of a flow that is written as expressions both ways. Parameters of one name are one in all three, and the layer's own. It is held to the
 * laws of the built-in ones where it is compiled: an inverse that is none, or another log-determinant, is a problem with the point where it shows.
 */
export function bijection<A extends Shape, B extends Shape>(
  name: string,
  ways: Ways<A, B>,
): <I extends Shape, D extends Direction, K extends Kind>(
  stack: FlowStack<I, A, D, K>,
) => FlowStack<I, B, D, K>;
export function bijection(
  name: string,
  ways: {
    readonly forward: (x: Node, shape: Shape) => Node;
    readonly inverse: (y: Node, shape: Shape) => Node;
    readonly logDeterminant: (x: Node, shape: Shape) => Node;
  },
) {
  return (stack: Layers): Layers => {
    const input = shapeAfterLayers(stack.layers, stack.input);
    // Where the layers before do not fit, they are the problem.
    if (input === undefined) return stack;
    const x: Node = { tag: 'argument', name: 'x', shape: input };
    const forward = ways.forward(x, input);
    const output = shapeOf(forward) ?? input;
    const y: Node = { tag: 'argument', name: 'y', shape: output };
    return append(stack, {
      tag: 'bijection',
      name,
      input,
      output,
      forward,
      inverse: ways.inverse(y, input),
      logDeterminant: ways.logDeterminant(x, input),
    });
  };
}
