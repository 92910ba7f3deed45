/** Typed constructors that append a layer to a stack. */
import type { ActivationName, ConvLayer, Layer, Padding, Statistics } from '../grammar.js';
import type { Initializer } from './initializer.js';
import { glorotUniform } from './initializer.js';
import { namesOf, unknownOptions } from '../mistake.js';
import { shapeAfterLayers } from '../shape-rules.js';
import type { Enlarged, Known, Shape, Strided } from '../shape.js';

export type {
  ActivationName,
  BijectorLayer,
  ConvLayer,
  KernelLayer,
  Layer,
  Padding,
  Part,
  SpectralLayer,
  SpectralNorm,
  Statistics,
  Transform,
} from '../grammar.js';

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

type DenseOptions = { readonly bias?: boolean; readonly kernel?: Initializer };
const denseOptions = namesOf<DenseOptions>({ bias: true, kernel: true });

/** y = xW + b. [n] → [units]. */
export const dense = <const N extends number>(units: N, options: DenseOptions = {}) => {
  const mistakes = unknownOptions('dense', options, denseOptions);
  return <I extends Shape>(stack: Stack<I, Vector>): Stack<I, readonly [N]> =>
    append(stack, {
      tag: 'dense',
      units,
      bias: options.bias ?? true,
      kernel: options.kernel ?? glorotUniform,
      ...mistakes,
    });
};

type ConvOptions<S extends number, P extends Padding> = {
  readonly kernel: number;
  readonly stride?: S;
  readonly padding?: P;
  readonly bias?: boolean;
  readonly initializer?: Initializer;
};

const convOptions = namesOf<ConvOptions<number, Padding>>({
  kernel: true,
  stride: true,
  padding: true,
  bias: true,
  initializer: true,
});

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
  ...unknownOptions(tag, options, convOptions),
});

/** Convolution, cross-correlation as in TensorFlow. [h,w,c] → [⌈h/s⌉,⌈w/s⌉,filters] with 'same' padding. */
export const conv = <const F extends number, const S extends number = 1, const P extends Padding = 'same'>(
  filters: F,
  options: ConvOptions<S, P>,
) => {
  const layer = convLayer('conv', filters, options);
  return <I extends Shape, H extends number, W extends number>(
    stack: Stack<I, readonly [H, W, number]>,
  ): Stack<I, P extends 'same' ? readonly [Strided<H, S>, Strided<W, S>, F] : readonly [number, number, F]> =>
    append(stack, layer);
};

/**
 * The transpose of a convolution with stride s and kernel k. [h,w,c] → [h·s,w·s,filters] with 'same' padding, and with 'valid' h·s + max(k − s, 0)
 * high and as wide, as in Keras and flax. Where s > k that is more than the (h − 1)·s + k of PyTorch: both have zeros between the
 * copies of the kernel, and here as many after the last.
 */
export const convTranspose = <
  const F extends number,
  const S extends number = 1,
  const P extends Padding = 'same',
>(
  filters: F,
  options: ConvOptions<S, P>,
) => {
  const layer = convLayer('convTranspose', filters, options);
  return <I extends Shape, H extends number, W extends number>(
    stack: Stack<I, readonly [H, W, number]>,
  ): Stack<
    I,
    P extends 'same' ? readonly [Enlarged<H, S>, Enlarged<W, S>, F] : readonly [number, number, F]
  > => append(stack, layer);
};

/** Any shape → [n]. */
export const flatten = <I extends Shape, O extends Shape>(stack: Stack<I, O>): Stack<I, readonly [number]> =>
  append(stack, { tag: 'flatten' });

/** The same elements in another shape. */
export const reshape =
  <const S extends Shape>(...shape: S) =>
  <I extends Shape, O extends Shape>(stack: Stack<I, O>): Stack<I, S> =>
    append(stack, { tag: 'reshape', shape });

type BatchNormOptions = {
  readonly statistics?: Statistics;
  readonly momentum?: number;
  readonly epsilon?: number;
};
const batchNormOptions = namesOf<BatchNormOptions>({ statistics: true, momentum: true, epsilon: true });

/** Normalises each channel (the last axis) over the batch and the other axes, then scales and shifts; Ioffe and Szegedy 2015. */
export const batchNorm = (options: BatchNormOptions = {}) => {
  const mistakes = unknownOptions('batchNorm', options, batchNormOptions);
  return <I extends Shape, O extends Shape>(stack: Stack<I, O>): Stack<I, O> =>
    append(stack, {
      tag: 'batchNorm',
      statistics: options.statistics ?? 'constant',
      momentum: options.momentum ?? 0.99,
      epsilon: options.epsilon ?? 1e-3,
      ...mistakes,
    });
};

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

/** max(x, 0). */
export const relu = activation('relu');
/** x where x > 0, else slope · x. */
export const leakyRelu = (slope: number) => activation('leakyRelu', slope);
/** x where x > 0, else eˣ − 1. */
export const elu = activation('elu');
/** tanh x. */
export const tanh = activation('tanh');
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = activation('sigmoid');
/** ln(1 + eˣ), without overflow. */
export const softplus = activation('softplus');
/** x · sigmoid(x). */
export const silu = activation('silu');
/** x · Φ(x), Φ the normal distribution function, exactly. */
export const gelu = activation('gelu');

/** Where f stands in a pipe its shape is that of the stack; elsewhere it is what f gives. */
type Residual = {
  <A extends Shape>(f: (stack: Stack<A, A>) => Stack<A, A>): Block<A, A>;
  <A extends Shape>(f: Block<A, A>): Block<A, A>;
};

/** x + f(x); f keeps the shape. */
export const residual: Residual =
  <A extends Shape>(f: (stack: Stack<A, A>) => Stack<A, A>) =>
  <I extends Shape>(stack: Stack<I, A>): Stack<I, A> =>
    append(stack, { tag: 'residual', layers: layersOf(stack, f) });

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
        Object.entries<(s: Stack<A, A>) => Stack<A, Shape>>(branches).map(([k, f]) => [
          k,
          layersOf(stack, f),
        ]),
      ),
    });

/** The layers that a block appends to a stack, as a list of their own: it sees the shape that the stack has come to. */
export const layersOf = (stack: Layers, block: (inner: Layers) => Layers): readonly Layer[] =>
  block({ input: shapeAfterLayers(stack.layers, stack.input) ?? [], layers: [] }).layers;
