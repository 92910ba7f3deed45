/**
 * Convolutions, their two transposes and matrix multiplications as loop kernels: each one sum of products over strided buffers,
 * after copies that pad and pack its operands.
 *
 * Measured on 4x4 kernels at 64 examples, copies included, 28x28x1 to 4x4x128 (GF/s; tfjs's matmul of 1024 in the same process: 26). As loops, all three
 * forms: 28 to 33 with separate multiply and add, 34 to 42 fused; with one channel in the result, 19 and 22. tfjs's Conv2D (XNNPACK): 13 to 27, its
 * Conv2DBackpropInput: 2 to 4.5; it has no Conv2DBackpropFilter. So no shape is left to the kernels of tfjs; what differs by shape is the packing.
 */
import type { Operand, PlanBuilder } from './plan.js';
import { blocked, copy, dimensions, packing, sumOfProducts, window } from './packing.js';

export type ConvParams = {
  readonly strides: readonly [number, number];
  /** Of the forward convolution. */
  readonly padding: readonly [top: number, bottom: number, left: number, right: number];
};

type Extent = readonly [height: number, width: number];

/** What a convolution reads of its input: as many rows and columns as its windows cover, from the padding on. */
const covered = (
  builder: PlanBuilder,
  x: Operand,
  kernel: Extent,
  windows: Extent,
  { strides, padding }: ConvParams,
): { readonly padded: Operand; readonly rows: number; readonly columns: number } => {
  const rows = (windows[0] - 1) * strides[0] + kernel[0];
  const columns = (windows[1] - 1) * strides[1] + kernel[1];
  return { padded: window(builder, x, [-padding[0], -padding[2]], [rows, columns]), rows, columns };
};

/** A matrix [terms, features] by blocks of features, as products read it; itself where it is packed already: one block, or one feature. */
const inBlocks = (
  builder: PlanBuilder,
  matrix: Operand,
  terms: number,
  features: number,
): { readonly packed: Operand; readonly block: number } => {
  const [outer, inner, block] = packing(builder, features, 1, terms);
  const axes = [outer, { extent: terms, from: [features], to: block }, inner];
  return {
    packed: block === features ? matrix : copy(builder, matrix, axes, [features / block, terms, block]),
    block,
  };
};

export const lowerConv = (
  builder: PlanBuilder,
  x: Operand,
  w: Operand,
  { strides, padding }: ConvParams,
  outShape: readonly number[],
): Operand => {
  const [n, , , channels] = dimensions(x);
  const [kernelHeight, kernelWidth, , features] = dimensions(w);
  const [, height = 1, width = 1] = outShape;
  const { padded, rows, columns } = covered(builder, x, [kernelHeight, kernelWidth], [height, width], {
    strides,
    padding,
  });
  const terms = kernelHeight * kernelWidth * channels;
  const { packed, block } = inBlocks(builder, w, terms, features);
  const line = columns * channels;
  return sumOfProducts(
    builder,
    [padded, packed],
    [
      { extent: n, from: [rows * line, 0], to: height * width * features },
      { extent: height, from: [strides[0] * line, 0], to: width * features },
      { extent: width, from: [strides[1] * channels, 0], to: features },
      ...blocked(builder, features, 1, terms),
      { extent: kernelHeight, from: [line, kernelWidth * channels * block], to: 0 },
      { extent: kernelWidth, from: [channels, channels * block], to: 0 },
      { extent: channels, from: [1, block], to: 0 },
    ],
    outShape,
  );
};

/**
 * One spatial axis of the input transpose by residues: row h = stride·i + r - shift takes kernel rows first + slope·r + stride·t, t < taps,
 * from output rows i + base + step·r - t. With stride 1 or 2 first and base are linear in r for any padding; beyond, the rows are shifted
 * so that they are. A kernel that is no multiple of the stride is filled up with zeros, rows beyond the input are dropped.
 */
type Residues = {
  readonly stride: number;
  readonly shift: number;
  readonly count: number;
  readonly taps: number;
  readonly first: number;
  readonly slope: number;
  readonly base: number;
  readonly step: number;
};

const residues = (extent: number, kernel: number, stride: number, padding: number): Residues => {
  const shift = stride <= 2 ? 0 : padding % stride;
  const from = padding - shift;
  const first = from % stride;
  const slope = stride === 1 ? 0 : ((from + 1) % stride) - first;
  const base = Math.floor(from / stride);
  const step = stride === 1 ? 0 : Math.floor((from + 1) / stride) - base;
  const taps = Math.ceil(kernel / stride);
  return { stride, shift, count: Math.ceil((extent + shift) / stride), taps, first, slope, base, step };
};

/** The first output row needed, and how many from there. */
const needed = ({ stride, count, taps, base, step }: Residues): readonly [number, number] => {
  const first = base - (taps - 1) + Math.min(0, step * (stride - 1));
  const last = count - 1 + base + Math.max(0, step * (stride - 1));
  return [first, last - first + 1];
};

export const lowerConvInput = (
  builder: PlanBuilder,
  ct: Operand,
  w: Operand,
  { strides, padding }: ConvParams,
  outShape: readonly number[],
): Operand => {
  const [n, , , features] = dimensions(ct);
  const [kernelHeight, kernelWidth, channels] = dimensions(w);
  const [, height = 1, width = 1] = outShape;
  const vertical = residues(height, kernelHeight, strides[0], padding[0]);
  const horizontal = residues(width, kernelWidth, strides[1], padding[2]);
  const [top, rows] = needed(vertical);
  const [left, columns] = needed(horizontal);
  const padded = window(builder, ct, [top, left], [rows, columns]);

  // The filter with features innermost among the terms: [channels / block, kh, kw, features, block].
  const tall = vertical.taps * strides[0];
  const broad = horizontal.taps * strides[1];
  const terms = tall * broad * features;
  const [outer, inner, block] = packing(builder, channels, features, terms);
  const whole = tall === kernelHeight && broad === kernelWidth;
  const packed =
    whole && channels === 1
      ? w
      : copy(
          builder,
          w,
          [
            outer,
            { extent: kernelHeight, from: [kernelWidth * channels * features], to: broad * features * block },
            { extent: kernelWidth, from: [channels * features], to: features * block },
            { extent: features, from: [1], to: block },
            inner,
          ],
          [channels / block, tall, broad, features, block],
        );

  const line = columns * features;
  const fullHeight = vertical.count * strides[0];
  const fullWidth = horizontal.count * strides[1];
  const tap = features * block;
  const full = sumOfProducts(
    builder,
    [padded, packed],
    [
      { extent: n, from: [rows * line, 0], to: fullHeight * fullWidth * channels },
      { extent: vertical.count, from: [line, 0], to: strides[0] * fullWidth * channels },
      {
        extent: strides[0],
        from: [vertical.step * line, vertical.slope * broad * tap],
        to: fullWidth * channels,
      },
      { extent: horizontal.count, from: [features, 0], to: strides[1] * channels },
      { extent: strides[1], from: [horizontal.step * features, horizontal.slope * tap], to: channels },
      ...blocked(builder, channels, 1, terms),
      { extent: vertical.taps, from: [-line, strides[0] * broad * tap], to: 0 },
      { extent: horizontal.taps, from: [-features, strides[1] * tap], to: 0 },
      { extent: features, from: [1, block], to: 0 },
    ],
    [n, fullHeight, fullWidth, channels],
    [
      (vertical.base - top) * line + (horizontal.base - left) * features,
      (vertical.first * broad + horizontal.first) * tap,
    ],
  );
  return window(builder, full, [vertical.shift, horizontal.shift], [height, width]);
};

export const lowerConvFilter = (
  builder: PlanBuilder,
  x: Operand,
  ct: Operand,
  { strides, padding }: ConvParams,
  outShape: readonly number[],
): Operand => {
  const [n, inputHeight, inputWidth, channels] = dimensions(x);
  const [, height, width, features] = dimensions(ct);
  const [kernelHeight = 1, kernelWidth = 1] = outShape;
  if (features < 4 && channels >= 4 && strides[0] === 1 && strides[1] === 1) {
    // Few features: rather the input's channels four at a time, and the cotangent padded, so that taps share the input's vectors.
    const rows = inputHeight + kernelHeight - 1;
    const columns = inputWidth + kernelWidth - 1;
    const padded = window(
      builder,
      ct,
      [padding[0] - (kernelHeight - 1), padding[2] - (kernelWidth - 1)],
      [rows, columns],
    );
    const line = columns * features;
    const turned = sumOfProducts(
      builder,
      [x, padded],
      [
        { extent: kernelHeight, from: [0, -line], to: kernelWidth * channels * features },
        { extent: kernelWidth, from: [0, -features], to: channels * features },
        { extent: features, from: [0, 1], to: channels },
        { extent: channels, from: [1, 0], to: 1 },
        { extent: n, from: [inputHeight * inputWidth * channels, rows * line], to: 0 },
        { extent: inputHeight, from: [inputWidth * channels, line], to: 0 },
        { extent: inputWidth, from: [channels, features], to: 0 },
      ],
      [kernelHeight, kernelWidth, features, channels],
      [0, (kernelHeight - 1) * line + (kernelWidth - 1) * features],
    );
    if (features === 1) return { ...turned, shape: outShape };
    return copy(
      builder,
      turned,
      [
        { extent: kernelHeight * kernelWidth, from: [channels * features], to: channels * features },
        { extent: features, from: [channels], to: 1 },
        { extent: channels, from: [1], to: features },
      ],
      outShape,
    );
  }
  const { padded, rows, columns } = covered(builder, x, [kernelHeight, kernelWidth], [height, width], {
    strides,
    padding,
  });
  const line = columns * channels;
  const terms = n * height * width;
  const { packed, block } = inBlocks(builder, ct, terms, features);
  return sumOfProducts(
    builder,
    [padded, packed],
    [
      { extent: kernelHeight, from: [line, 0], to: kernelWidth * channels * features },
      { extent: kernelWidth, from: [channels, 0], to: channels * features },
      { extent: channels, from: [1, 0], to: features },
      ...blocked(builder, features, 1, terms),
      { extent: n, from: [rows * line, height * width * block], to: 0 },
      { extent: height, from: [strides[0] * line, width * block], to: 0 },
      { extent: width, from: [strides[1] * channels, block], to: 0 },
    ],
    outShape,
  );
};
