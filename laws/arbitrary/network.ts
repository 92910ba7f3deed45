/** Random networks whose layers fit: every layer, every activation, small shapes. */
import { along, cumulatedSum, meanOver, softmax } from '../../dsl/expressions/arrays.js';
import { add, type Expr, fill, mul, parameter, sub } from '../../dsl/expressions/expression.js';
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { selfAttention } from '../../dsl/layers/attention.js';
import { depthwiseConv, dilatedConv, groupNorm, maxPool } from '../../dsl/layers/images.js';
import { gated, layerNorm, positions, rmsNorm, softmaxLayer } from '../../dsl/layers/library.js';
import type { ActivationName, KernelLayer, Layer, Stack, Statistics } from '../../dsl/layers/layer.js';
import { sideAfter } from '../../dsl/layers/convolution.js';
import type { NetworkValue } from '../../dsl/network.js';
import { glorotUniform } from '../../dsl/layers/initializer.js';
import type { Shape } from '../../dsl/shape.js';
import { sizeOf } from '../../dsl/shape.js';
import type { Tape } from './tape.js';

/** What a network may be made of. */
export type Kit = {
  readonly activations: readonly ActivationName[];
  readonly statistics: readonly Statistics[];
  readonly dropout: boolean;
  /** Spectral normalisation, whose gradient leaves out that u and v move with the kernel. */
  readonly spectral: boolean;
  /** Layers defined by expressions. */
  readonly defined: boolean;
  /** Expressions of the batch: its mean, and another of its examples. */
  readonly batch: boolean;
};

export const allActivations: readonly ActivationName[] = [
  'tanh', 'elu', 'relu', 'leakyRelu', 'sigmoid', 'softplus', 'silu', 'gelu',
]; // prettier-ignore

export const everything: Kit = {
  activations: allActivations,
  statistics: ['constant', 'differentiated'],
  dropout: true,
  spectral: true,
  defined: true,
  batch: true,
};

export const dense = (units: number, bias = true): KernelLayer => ({
  tag: 'dense',
  units,
  bias,
  kernel: glorotUniform,
});

export const activation = (name: ActivationName): Layer => ({ tag: 'activation', name, slope: 0.2 });

/** Layers with the shape that they lead to. */
type Built = { readonly layers: readonly Layer[]; readonly shape: Shape };

const largestSide = 6;
const largestSize = 60;

/** The layer as it is, or now and then spectrally normalised. */
const maybeSpectral = (tape: Tape, kit: Kit, layer: KernelLayer): Layer =>
  kit.spectral && tape.below(4) === 3
    ? { tag: 'spectral', norm: tape.pick(['kernel', 'operator']), iterations: 1 + tape.below(2), layer }
    : layer;

const convolution = (tape: Tape, kit: Kit, shape: Shape): Built => {
  const [h, w] = atLeast(2, shape);
  const [kernel, stride, filters] = [1 + tape.below(3), 1 + tape.below(2), 1 + tape.below(3)];
  const padding = kernel <= Math.min(h, w) && tape.below(3) === 0 ? 'valid' : 'same';
  const options = {
    filters,
    kernel,
    stride,
    padding,
    bias: tape.below(4) > 0,
    initializer: glorotUniform,
  } as const;
  const after = (tag: 'conv' | 'convTranspose') => (n: number) => sideAfter({ tag, ...options }, n);
  const enlarge = tape.below(2) === 1 && after('convTranspose')(Math.max(h, w)) <= largestSide;
  const tag = enlarge ? 'convTranspose' : 'conv';
  return {
    layers: [maybeSpectral(tape, kit, { tag, ...options })],
    shape: [after(tag)(h), after(tag)(w), filters],
  };
};

const divisorOf = (tape: Tape, h: number, w: number): number =>
  tape.pick([1, 2, 3].filter((k) => h % k === 0 && w % k === 0));

const imageLayer = (tape: Tape, kit: Kit, shape: Shape): Built => {
  const [h, w, c] = atLeast(3, shape);
  switch (tape.below(6)) {
    case 0: {
      const size = divisorOf(tape, h, w);
      return { layers: [{ tag: 'averagePool', size }], shape: [h / size, w / size, c] };
    }
    case 1: {
      const size = h * 2 <= largestSide && w * 2 <= largestSide ? 2 : 1;
      return { layers: [{ tag: 'upsample', size }], shape: [h * size, w * size, c] };
    }
    case 2:
      return { layers: [{ tag: 'flatten' }], shape: [sizeOf(shape)] };
    default:
      return convolution(tape, kit, shape);
  }
};

const vectorLayer = (tape: Tape, kit: Kit, shape: Shape): Built => {
  const [n] = atLeast(1, shape);
  if (tape.below(5) === 0 && n <= 2 * largestSide) {
    const image = n % 2 === 0 ? [2, n / 2, 1] : [1, n, 1];
    return { layers: [{ tag: 'reshape', shape: image }], shape: image };
  }
  const units = 1 + tape.below(5);
  return { layers: [maybeSpectral(tape, kit, dense(units, tape.below(4) > 0))], shape: [units] };
};

/** A layer that keeps the shape. */
const inPlace = (tape: Tape, kit: Kit, shape: Shape, depth: number): readonly Layer[] => {
  switch (tape.below(8)) {
    // First of all nothing, which is what a counterexample shrinks to.
    case 0:
      return [];
    case 1:
      return [
        {
          tag: 'batchNorm',
          statistics: tape.pick(kit.statistics),
          momentum: tape.pick([0.9, 0]),
          epsilon: tape.pick([0.1, 0.01]),
        },
      ];
    case 2:
      return kit.dropout ? [{ tag: 'dropout', rate: 0.25 }] : [];
    case 3:
      return depth > 0 ? [{ tag: 'residual', layers: residue(tape, kit, shape, depth - 1) }] : [];
    case 4:
      return kit.defined && shape.length > 0 ? [definedLayer(tape, kit, shape)] : [];
    default:
      return [activation(tape.pick(kit.activations))];
  }
};

/** Layers of the library that keep the shape. */
const libraryLayer = (tape: Tape, shape: Shape): Layer => {
  const [h = 1, w = 1, c = 1] = shape;
  const blocks: readonly ((stack: Stack) => Stack)[] = [
    rmsNorm(0.1),
    layerNorm(0.1),
    softmaxLayer(),
    positions(),
    selfAttention({ heads: 1, causal: tape.below(2) === 1 }),
    gated(shape.at(-1) ?? 1, { by: tape.pick(['sigmoid', 'tanh']) }),
  ];
  const pictures: readonly ((stack: Stack<Shape, readonly [number, number, number]>) => Stack)[] = [
    maxPool(1),
    depthwiseConv({ kernel: 2 }),
    dilatedConv(c, { kernel: 2, dilation: 2 }),
    groupNorm(1, 0.1),
  ];
  const chosen =
    shape.length === 3 && tape.below(2) === 1
      ? tape.pick(pictures)({ input: [h, w, c], layers: [] })
      : tape.pick(
          shape.length === 3
            ? blocks.slice(0, 5)
            : shape.length === 1
              ? [...blocks.slice(0, 4), ...blocks.slice(5)]
              : blocks,
        )({ input: shape, layers: [] });
  return elementAt(chosen.layers, 0);
};

/** A layer defined by an expression that keeps the shape: a gain, distances from a mean, shares, sums, layers inside, or one of the library. */
const definedLayer = (tape: Tape, kit: Kit, shape: Shape): Layer => {
  if (tape.below(2) === 1) return libraryLayer(tape, shape);
  const x: Expr = { tag: 'argument', name: 'x', shape };
  const last = [shape.length - 1];
  const bodies: readonly (() => Expr)[] = [
    () => mul(x, add(fill(1, ...shape), parameter('gain', glorotUniform, ...shape))),
    () => sub(x, along(meanOver(x, last), x, last)),
    () => add(softmax(x, last), x),
    () => cumulatedSum(x, shape.length - 1),
    () => {
      const layers = [activation(tape.pick(kit.activations))];
      const inner: Expr = { tag: 'through', name: 'inner', layers, of: x };
      return add(x, mul(inner, x));
    },
  ];
  const body = tape.pick(bodies)();
  return { tag: 'defined', name: 'bent', arguments: { x: shape }, outputs: { '': body } };
};

const residue = (tape: Tape, kit: Kit, shape: Shape, depth: number): readonly Layer[] => {
  const inner = inPlace(tape, kit, shape, depth);
  const [h, w, c] = shape;
  if (h === undefined) return inner;
  return shape.length === 1
    ? [...inner, dense(h)]
    : w !== undefined && c !== undefined && shape.length === 3
      ? [
          ...inner,
          {
            tag: 'conv',
            filters: c,
            kernel: 1 + (Math.min(h, w) % 3),
            stride: 1,
            padding: 'same',
            bias: true,
            initializer: glorotUniform,
          },
        ]
      : inner;
};

/** Up to `count` layers after a shape. */
export const layersAfter = (tape: Tape, kit: Kit, shape: Shape, count: number): Built =>
  Array.from({ length: count }).reduce<Built>(
    (built) => {
      if (tape.left() === 0) return built;
      if (tape.below(2) === 0)
        return { ...built, layers: [...built.layers, ...inPlace(tape, kit, built.shape, 1)] };
      const next =
        built.shape.length === 3 ? imageLayer(tape, kit, built.shape) : vectorLayer(tape, kit, built.shape);
      return sizeOf(next.shape) > largestSize
        ? built
        : { layers: [...built.layers, ...next.layers], shape: next.shape };
    },
    { layers: [], shape },
  );

/** What leads from one shape to another. */
const bridge = (from: Shape, to: Shape): readonly Layer[] => [
  ...(from.length === 1 ? [] : [{ tag: 'flatten' } as const]),
  dense(sizeOf(to)),
  ...(to.length === 1 ? [] : [{ tag: 'reshape', shape: to } as const]),
];

/** A network from one shape to another with up to `count` layers on the way. */
export const networkBetween = (
  tape: Tape,
  kit: Kit,
  name: string,
  from: Shape,
  to: Shape,
  count: number,
): NetworkValue => {
  const { layers, shape } = layersAfter(tape, kit, from, count);
  const last = tape.below(3) === 2 ? [activation(tape.pick(kit.activations))] : [];
  return { name, input: from, layers: [...layers, ...bridge(shape, to), ...last] };
};

/** The same with two heads after the trunk, `mean` and `scale`, both of shape `to`. */
export const headedNetwork = (
  tape: Tape,
  kit: Kit,
  name: string,
  from: Shape,
  to: Shape,
  count: number,
): NetworkValue => {
  const { layers, shape } = layersAfter(tape, kit, from, count);
  const heads = { mean: bridge(shape, to), scale: [...bridge(shape, to), activation('softplus')] };
  return { name, input: from, layers: [...layers, { tag: 'heads', heads }] };
};
