/** Layers of images [h,w,c] and of sequences [t,c] that are compositions: their bodies are what anyone could write. */
import {
  along,
  broadcast,
  byRootMeanSquare,
  contract,
  maxOver,
  meanOver,
  sumOver,
  transpose,
} from '../expressions/arrays.js';
import { add, type Expr, mul, pad, parameter, reshaped, slice, sub } from '../expressions/expression.js';
import type { Node } from '../grammar.js';
import type { Enlarged, Shape, Strided } from '../shape.js';
import { layer } from './defined.js';
import { glorotUniform, normalInitializer, ones, zeros } from './initializer.js';

type Image<H extends number = number, W extends number = number, C extends number = number> = readonly [
  H,
  W,
  C,
];

/** The greatest of each window of size × size. [h,w,c] → [h/size,w/size,c]; size divides h and w. */
export const maxPool = <const K extends number, H extends number, W extends number, C extends number>(
  size: K,
) =>
  layer(
    'maxPool',
    (x: Expr<Image<H, W, C>>, [h, w, c]: Image<H, W, C>): Expr<Image<Strided<H, K>, Strided<W, K>, C>> => {
      const windows: Node = maxOver(reshaped(x, h / size, size, w / size, size, c), [1, 3]);
      return windows;
    },
  );

/** Channels become pixels: [h,w,c·size²] → [h·size,w·size,c]; Shi et al. 2016. */
export const pixelShuffle = <const K extends number, H extends number, W extends number>(size: K) =>
  layer(
    'pixelShuffle',
    (x: Expr<Image<H, W>>, [h, w, c]: Image<H, W>): Expr<Image<Enlarged<H, K>, Enlarged<W, K>>> => {
      const blocks = transpose(reshaped(x, h, w, size, size, c / size ** 2), [0, 2, 1, 3, 4]);
      const image: Node = reshaped(blocks, h * size, w * size, c / size ** 2);
      return image;
    },
  );

/** (x − mean)/√(variance + ε) over an image and the channels of each group, scaled and shifted; Wu and He 2018. */
export const groupNorm = <H extends number, W extends number, C extends number>(
  groups: number,
  epsilon = 1e-5,
) =>
  layer('groupNorm', (x: Expr<Image<H, W, C>>, shape: Image<H, W, C>): Expr<Image<H, W, C>> => {
    const [h, w, c] = shape;
    const parted: Expr = reshaped(x, h, w, groups, c / groups);
    const axes: Shape = [0, 1, 3];
    const centred = sub(parted, along(meanOver(parted, axes), parted, axes));
    const normal = byRootMeanSquare(centred, axes, epsilon);
    const each = (role: string, start: typeof ones): Expr<Image<H, W, C>> =>
      broadcast(parameter(role, start, c), shape, [2]);
    return add(mul(reshaped(normal, ...shape), each('gain', ones)), each('shift', zeros));
  });

type Window = {
  readonly kernel: number;
  /** Places between two that the kernel sees. Default 1: next to each other. */
  readonly dilation?: number;
};

/** x moved by an offset along the first axes, zeros coming in: element i of the result is element i + offset. */
const moved = (x: Expr, shape: Shape, offset: Shape): Expr => {
  const over = (f: (by: number) => number): Shape => shape.map((_, i) => f(offset[i] ?? 0));
  const [before, after] = [over((by) => Math.max(-by, 0)), over((by) => Math.max(by, 0))];
  return slice(pad(x, before, after), after, shape);
};

/** The offsets that a kernel sees around each place, in order. */
const offsetsOf = ({ kernel, dilation = 1 }: Window): readonly number[] =>
  Array.from({ length: kernel }, (_, i) => (i - Math.floor((kernel - 1) / 2)) * dilation);

const added = (parts: readonly Expr[]): Expr => parts.reduce((sum, part) => add(sum, part));

/** A convolution along a sequence, each place by those around it. [t,c] → [t,filters]; causal sees none after it. */
export const conv1d = <const F extends number, T extends number>(
  filters: F,
  options: Window & { readonly causal?: boolean },
) =>
  layer('conv1d', (x: Expr<readonly [T, number]>, shape: readonly [T, number]): Expr<readonly [T, F]> => {
    const [t, c] = shape;
    const { kernel, dilation = 1, causal = false } = options;
    const offsets = causal
      ? Array.from({ length: kernel }, (_, i) => (i + 1 - kernel) * dilation)
      : offsetsOf(options);
    const start = normalInitializer(1 / Math.sqrt(kernel * c));
    const seen = offsets.map((by, i) =>
      contract('tc,cf->tf', moved(x, shape, [by, 0]), parameter(`kernel${i}`, start, c, filters)),
    );
    const sum: Node = add(added(seen), broadcast(parameter('bias', zeros, filters), [t, filters], [1]));
    return sum;
  });

/** Every place of a kernel k × k with its offset from the middle. */
const placesOf = (window: Window): readonly (readonly [row: number, column: number])[] =>
  offsetsOf(window).flatMap((row) => offsetsOf(window).map((column) => [row, column] as const));

/** A convolution whose kernel sees pixels that are apart; Yu and Koltun 2016. [h,w,c] → [h,w,filters]. */
export const dilatedConv = <const F extends number, H extends number, W extends number>(
  filters: F,
  options: Window,
) =>
  layer('dilatedConv', (x: Expr<Image<H, W>>, shape: Image<H, W>): Expr<Image<H, W, F>> => {
    const [h, w, c] = shape;
    const start = normalInitializer(1 / Math.sqrt(options.kernel ** 2 * c));
    const seen = placesOf(options).map(([row, column], i) =>
      contract('hwc,cf->hwf', moved(x, shape, [row, column, 0]), parameter(`kernel${i}`, start, c, filters)),
    );
    const sum: Node = add(added(seen), broadcast(parameter('bias', zeros, filters), [h, w, filters], [2]));
    return sum;
  });

/** A kernel of its own for each channel; Chollet 2017. [h,w,c] → [h,w,c]. */
export const depthwiseConv = <H extends number, W extends number, C extends number>(options: Window) =>
  layer('depthwiseConv', (x: Expr<Image<H, W, C>>, shape: Image<H, W, C>): Expr<Image<H, W, C>> => {
    const [, , c] = shape;
    const kernel = parameter('kernel', glorotUniform, options.kernel ** 2, c);
    const each = (of: Expr): Expr<Image<H, W, C>> => broadcast(of, shape, [2]);
    const seen = placesOf(options).map(([row, column], i) =>
      mul<Shape>(moved(x, shape, [row, column, 0]), each(sumOver(slice(kernel, [i, 0], [1, c]), [0]))),
    );
    const sum: Node = add(added(seen), each(parameter('bias', zeros, c)));
    return sum;
  });
