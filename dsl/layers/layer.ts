/** The closed set of layers, as data, and the typed constructors that append one to a stack. */
import type { Initializer } from './initializer.js';
import { glorotUniform } from './initializer.js';
import type { Enlarged, Known, Shape, Strided } from '../shape.js';

export type Padding = 'same' | 'valid';

export type ActivationName = 'relu' | 'leakyRelu' | 'elu' | 'tanh' | 'sigmoid' | 'softplus' | 'silu' | 'gelu';

/**
 * How batch statistics behave inside a user's jvp and vjp. `constant`: their tangent is zero there (a per-example
 * Jacobian); `differentiated`: it is not. The gradient of the loss differentiates them in both cases.
 */
export type Statistics = 'constant' | 'differentiated';

/** The layers that hold a kernel. */
export type KernelLayer =
  | { readonly tag: 'dense'; readonly units: number; readonly bias: boolean; readonly kernel: Initializer }
  | ConvLayer<'conv'>
  | ConvLayer<'convTranspose'>;

/**
 * What a kernel is divided by. `kernel`: the top singular value of the kernel as a matrix [output channels, the rest];
 * `operator`: that of the layer as a linear map, at the size of image that it meets.
 */
export type SpectralNorm = 'kernel' | 'operator';

/** A kernel layer whose kernel is divided by its spectral norm. */
export type SpectralLayer = {
  readonly tag: 'spectral';
  readonly norm: SpectralNorm;
  /** Of the power method, in each training step. */
  readonly iterations: number;
  readonly layer: KernelLayer;
};

export type Layer =
  | KernelLayer
  | SpectralLayer
  | { readonly tag: 'flatten' }
  | { readonly tag: 'reshape'; readonly shape: Shape }
  | {
      readonly tag: 'batchNorm';
      readonly statistics: Statistics;
      /** running ← momentum · running + (1 − momentum) · batch. */
      readonly momentum: number;
      readonly epsilon: number;
    }
  | { readonly tag: 'dropout'; readonly rate: number }
  | { readonly tag: 'activation'; readonly name: ActivationName; readonly slope: number }
  | { readonly tag: 'residual'; readonly layers: readonly Layer[] }
  | { readonly tag: 'averagePool'; readonly size: number }
  | { readonly tag: 'upsample'; readonly size: number }
  /** Several outputs from one trunk; only as the last layer of a network. */
  | { readonly tag: 'heads'; readonly heads: Readonly<Record<string, readonly Layer[]>> }
  | BijectorLayer;

export type ConvLayer<Tag extends string> = {
  readonly tag: Tag;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly bias: boolean;
  readonly initializer: Initializer;
};

/**
 * A strictly increasing map of each number, given the numbers that parametrise it; zero parameters give the identity.
 * Every log-slope is bounded softly, as b·tanh(raw/b).
 */
export type Transform =
  /** y = x·e^s + t with |s| < bound. */
  | { readonly tag: 'affine'; readonly bound: number }
  /** Monotone rational-quadratic spline on [−bound, bound], the identity outside; Durkan et al. 2019. */
  | { readonly tag: 'spline'; readonly bins: number; readonly bound: number };

/** The first ⌊n/2⌋ channels, or the others. */
export type Part = 'first' | 'last';

/** Layers made to be inverted; their constructors append to flows only (dsl/flow.ts). */
export type BijectorLayer =
  /** One part of the channels goes through a transform whose parameters are a function of the other part; Dinh et al. 2017. */
  | {
      readonly tag: 'coupling';
      readonly transform: Transform;
      readonly part: Part;
      /** Hidden layers; the projection to the transform's parameters follows them and starts at zero. */
      readonly conditioner: readonly Layer[];
    }
  /** A transform of each channel with parameters of its own. */
  | { readonly tag: 'elementwise'; readonly transform: Transform }
  /** The channels in an order that the seed fixes. */
  | { readonly tag: 'permutation'; readonly seed: number }
  /** x ↦ xW + b over the channels, W = LU with a unit lower L and an upper U of diagonal e^s, |s| < 3; Kingma and Dhariwal 2018. */
  | { readonly tag: 'luLinear' }
  /** Blocks of size × size pixels become channels. [h,w,c] → [h/size,w/size,c·size²]. */
  | { readonly tag: 'squeeze'; readonly size: number }
  /** The last half of the channels is done; the first half goes on through layers. [h,w,c] → [h·w·c]; Dinh et al. 2017. */
  | { readonly tag: 'factorOut'; readonly layers: readonly Layer[] }
  /** Layers, which take `input`, run backwards. */
  | { readonly tag: 'inverse'; readonly input: Shape; readonly layers: readonly Layer[] }
  /** Zeros after the d numbers: [d] → [units]. Its left inverse keeps the first d. */
  | { readonly tag: 'inject'; readonly units: number };

/** Layers from an input of shape I to an output of shape O; the value that `pipe` carries. */
export type Stack<I extends Shape = Shape, O extends Shape = Shape> = {
  readonly input: Shape;
  readonly layers: readonly Layer[];
  readonly _input?: Known<I> | undefined;
  readonly _output?: Known<O> | undefined;
  readonly _outputs?: undefined;
  /** Says more of a stack of invertible layers, see `FlowStack`. */
  readonly _flow?: object | undefined;
};

/** Appends layers: what every constructor below returns, and what users compose with `flow`. */
export type Block<A extends Shape, B extends Shape> = <I extends Shape>(stack: Stack<I, A>) => Stack<I, B>;

type Vector = readonly [number];
type Layers = { readonly input: Shape; readonly layers: readonly Layer[] };

const append = (stack: Layers, layer: Layer): Layers => ({
  input: stack.input,
  layers: [...stack.layers, layer],
});

/** Starts a stack: the shape of one example, without the batch axis. */
export const input = <const S extends Shape>(...shape: S): Stack<S, S> => ({ input: shape, layers: [] });

/** y = xW + b. [n] → [units]. */
export const dense =
  <const N extends number>(units: N, options: { bias?: boolean; kernel?: Initializer } = {}) =>
  <I extends Shape>(stack: Stack<I, Vector>): Stack<I, readonly [N]> =>
    append(stack, {
      tag: 'dense',
      units,
      bias: options.bias ?? true,
      kernel: options.kernel ?? glorotUniform,
    });

type ConvOptions<S extends number, P extends Padding> = {
  readonly kernel: number;
  readonly stride?: S;
  readonly padding?: P;
  readonly bias?: boolean;
  readonly initializer?: Initializer;
};

const convLayer = <Tag extends string>(
  tag: Tag,
  filters: number,
  options: ConvOptions<number, Padding>,
): ConvLayer<Tag> => ({
  tag,
  filters,
  kernel: options.kernel,
  stride: options.stride ?? 1,
  padding: options.padding ?? 'same',
  bias: options.bias ?? true,
  initializer: options.initializer ?? glorotUniform,
});

/** Convolution, cross-correlation as in TensorFlow. [h,w,c] → [⌈h/s⌉,⌈w/s⌉,filters] with 'same' padding. */
export const conv =
  <const F extends number, const S extends number = 1, const P extends Padding = 'same'>(
    filters: F,
    options: ConvOptions<S, P>,
  ) =>
  <I extends Shape, H extends number, W extends number>(
    stack: Stack<I, readonly [H, W, number]>,
  ): Stack<I, P extends 'same' ? readonly [Strided<H, S>, Strided<W, S>, F] : readonly [number, number, F]> =>
    append(stack, convLayer('conv', filters, options));

/** The transpose of a convolution with stride s. [h,w,c] → [h·s,w·s,filters] with 'same' padding. */
export const convTranspose =
  <const F extends number, const S extends number = 1, const P extends Padding = 'same'>(
    filters: F,
    options: ConvOptions<S, P>,
  ) =>
  <I extends Shape, H extends number, W extends number>(
    stack: Stack<I, readonly [H, W, number]>,
  ): Stack<
    I,
    P extends 'same' ? readonly [Enlarged<H, S>, Enlarged<W, S>, F] : readonly [number, number, F]
  > =>
    append(stack, convLayer('convTranspose', filters, options));

/** Any shape → [n]. */
export const flatten = <I extends Shape, O extends Shape>(stack: Stack<I, O>): Stack<I, readonly [number]> =>
  append(stack, { tag: 'flatten' });

/** The same elements in another shape. */
export const reshape =
  <const S extends Shape>(...shape: S) =>
  <I extends Shape, O extends Shape>(stack: Stack<I, O>): Stack<I, S> =>
    append(stack, { tag: 'reshape', shape });

/** Normalises each channel (the last axis) over the batch and the other axes, then scales and shifts; Ioffe and Szegedy 2015. */
export const batchNorm =
  (options: { statistics?: Statistics; momentum?: number; epsilon?: number } = {}) =>
  <I extends Shape, O extends Shape>(stack: Stack<I, O>): Stack<I, O> =>
    append(stack, {
      tag: 'batchNorm',
      statistics: options.statistics ?? 'constant',
      momentum: options.momentum ?? 0.99,
      epsilon: options.epsilon ?? 1e-3,
    });

/** Zeroes each element with probability `rate` while training and scales the rest by 1/(1 − rate). */
export const dropout =
  (rate: number) =>
  <I extends Shape, O extends Shape>(stack: Stack<I, O>): Stack<I, O> =>
    append(stack, { tag: 'dropout', rate });

/** An element-wise activation by name; `slope` is leakyRelu's. */
export const activation =
  (name: ActivationName, slope = 0.2) =>
  <I extends Shape, O extends Shape>(stack: Stack<I, O>): Stack<I, O> =>
    append(stack, { tag: 'activation', name, slope });

export const relu = activation('relu');
export const leakyRelu = (slope: number) => activation('leakyRelu', slope);
export const elu = activation('elu');
export const tanh = activation('tanh');
export const sigmoid = activation('sigmoid');
export const softplus = activation('softplus');
export const silu = activation('silu');
export const gelu = activation('gelu');

/** x + f(x); f keeps the shape. */
export const residual =
  <A extends Shape>(f: (stack: Stack<A, A>) => Stack<A, A>) =>
  <I extends Shape>(stack: Stack<I, A>): Stack<I, A> =>
    append(stack, { tag: 'residual', layers: layersOf(f) });

/** Mean over windows of size × size. [h,w,c] → [h/size,w/size,c]; size divides h and w. */
export const averagePool =
  <const K extends number>(size: K) =>
  <I extends Shape, H extends number, W extends number, C extends number>(
    stack: Stack<I, readonly [H, W, C]>,
  ): Stack<I, readonly [Strided<H, K>, Strided<W, K>, C]> =>
    append(stack, { tag: 'averagePool', size });

/** Repeats each pixel size × size times (nearest neighbour). [h,w,c] → [h·size,w·size,c]. */
export const upsample =
  <const K extends number>(size: K) =>
  <I extends Shape, H extends number, W extends number, C extends number>(
    stack: Stack<I, readonly [H, W, C]>,
  ): Stack<I, readonly [Enlarged<H, K>, Enlarged<W, K>, C]> =>
    append(stack, { tag: 'upsample', size });

/** What `heads` returns: a stack that ends in named outputs instead of one. */
export type Headed<I extends Shape, H extends Readonly<Record<string, Shape>>> = {
  readonly input: Shape;
  readonly layers: readonly Layer[];
  readonly _input?: Known<I> | undefined;
  readonly _outputs?: { readonly [K in keyof H]: Known<H[K]> } | undefined;
};

/** Several named outputs of one trunk: a VAE's mean and log-variance, a coupling's shift and scale. */
export const heads =
  <A extends Shape, H extends Readonly<Record<string, Shape>>>(branches: {
    readonly [K in keyof H]: (stack: Stack<A, A>) => Stack<A, H[K]>;
  }) =>
  <I extends Shape>(stack: Stack<I, A>): Headed<I, H> =>
    append(stack, {
      tag: 'heads',
      heads: Object.fromEntries(
        Object.entries<(s: Stack<A, A>) => Stack<A, Shape>>(branches).map(([k, f]) => [k, layersOf(f)]),
      ),
    });

/** The layers that a block appends; a block never looks at its stack's input, so an empty one will do. */
const layersOf = (block: (stack: Layers) => Layers): readonly Layer[] =>
  block({ input: [], layers: [] }).layers;
