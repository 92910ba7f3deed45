/**
 * Convolutions, their two transposes and matrix multiplications as loop kernels: each one sum of products over strided buffers,
 * after copies that pad and pack its operands.
 *
 * Measured at 64 examples on the networks of the spec (GF/s; a 1024^3 matmul of tfjs in the same process: 26): these loops run at 28 to 34, with fused
 * multiply-adds at 35 to 42, in all three forms; XNNPACK's Conv2D at 20 to 23, im2col with BatchMatMul below that by its copies, and tfjs's
 * Conv2DBackpropInput at 2 to 3. So no shape is left to the kernels of tfjs.
 */
import type { Access, Instruction, LoopKernel } from '../loop.js';
import type { Operand, PlanBuilder } from '../plan.js';

export type ConvParams = {
  readonly strides: readonly [number, number];
  /** Of the forward convolution. */
  readonly padding: readonly [top: number, bottom: number, left: number, right: number];
};

const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

const dimensions = ({ shape }: Operand): readonly [number, number, number, number] => {
  const [a = 1, b = 1, c = 1, d = 1] = shape;
  return [a, b, c, d];
};

const copyBody: readonly Instruction[] = [{ op: 'load', load: 0 }];
const productBody: readonly Instruction[] = [
  { op: 'load', load: 0 },
  { op: 'load', load: 1 },
  { op: 'mul', a: 0, b: 1 },
];

/** An axis of a loop: its extent, and the stride of each access along it. */
type Axis = { readonly extent: number; readonly from: readonly number[]; readonly to: number };

const access = (axes: readonly Axis[], buffer: number, offset: number): Access => ({
  buffer,
  offset,
  strides: axes.map(({ from }) => from[buffer] ?? 0),
});

const emit = (builder: PlanBuilder, loop: LoopKernel, inputs: readonly Operand[], shape: readonly number[]): Operand => {
  const [output] = builder.loop(loop, inputs, [shape]);
  // A loop kernel with one output always gives one.
  return output ?? builder.constant([], [0]);
};

/** Copies `source` into a buffer of the given shape, zero where nothing lands. */
const copy = (
  builder: PlanBuilder,
  source: Operand,
  axes: readonly Axis[],
  shape: readonly number[],
  offsets: { readonly from: number; readonly to: number } = { from: 0, to: 0 },
): Operand =>
  emit(
    builder,
    {
      extents: axes.map(({ extent }) => extent),
      loads: [access(axes, 0, offsets.from)],
      body: copyBody,
      stores: [{ buffer: 0, offset: offsets.to, strides: axes.map(({ to }) => to), value: 0, mode: 'set' }],
      outputs: [product(shape)],
    },
    [source],
    shape,
  );

const sumOfProducts = (
  builder: PlanBuilder,
  inputs: readonly [Operand, Operand],
  axes: readonly Axis[],
  shape: readonly number[],
  offsets: readonly [number, number] = [0, 0],
): Operand =>
  emit(
    builder,
    {
      extents: axes.map(({ extent }) => extent),
      loads: [access(axes, 0, offsets[0]), access(axes, 1, offsets[1])],
      body: productBody,
      stores: [{ buffer: 0, offset: 0, strides: axes.map(({ to }) => to), value: 2, mode: 'sum' }],
      outputs: [product(shape)],
    },
    inputs,
    shape,
  );

/** Rows `first` to `first + rows` of the two middle axes of [N, H, W, C]: those outside are zero. A window that is the whole is the operand itself. */
const window = (
  builder: PlanBuilder,
  source: Operand,
  first: readonly [number, number],
  size: readonly [number, number],
): Operand => {
  const [n, height, width, channels] = dimensions(source);
  if (first[0] === 0 && first[1] === 0 && size[0] === height && size[1] === width) return source;
  const span = (start: number, length: number, extent: number): readonly [number, number] => [
    Math.max(0, start),
    Math.max(0, Math.min(extent, start + length) - Math.max(0, start)),
  ];
  const [row, rows] = span(first[0], size[0], height);
  const [column, columns] = span(first[1], size[1], width);
  const line = size[1] * channels;
  return copy(
    builder,
    source,
    [
      { extent: n, from: [height * width * channels], to: size[0] * line },
      { extent: rows, from: [width * channels], to: line },
      { extent: columns, from: [channels], to: channels },
      { extent: channels, from: [1], to: 1 },
    ],
    [n, size[0], size[1], channels],
    {
      from: (row * width + column) * channels,
      to: (row - first[0]) * line + (column - first[1]) * channels,
    },
  );
};

/**
 * How the second operand's kept axis is laid out: in blocks of `block`, each with all its terms one after another, so that a register
 * tile reads contiguous memory. Without that, terms lie a power of two apart and share a few sets of the cache.
 */
const blockOf = (extent: number): number => (extent < 4 ? 1 : extent % 8 === 0 && extent > 8 ? 8 : extent);

/** A pair of axes for an extent in blocks; the second is the contiguous one. */
const blocked = (extent: number, from: readonly number[], to: number, terms: number): readonly [Axis, Axis] => {
  const block = blockOf(extent);
  return [
    { extent: extent / block, from: [from[0] ?? 0, block * terms], to: to * block },
    { extent: block, from: [from[0] ?? 0, 1], to },
  ];
};

/** The first and last axes of a copy that packs `extent` columns, `stride` apart, over `terms` rows. */
const packing = (extent: number, stride: number, terms: number): readonly [Axis, Axis, number] => {
  const block = blockOf(extent);
  return [
    { extent: extent / block, from: [block * stride], to: block * terms },
    { extent: block, from: [stride], to: 1 },
    block,
  ];
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
  const rows = (height - 1) * strides[0] + kernelHeight;
  const columns = (width - 1) * strides[1] + kernelWidth;
  const padded = window(builder, x, [-padding[0], -padding[2]], [rows, columns]);
  const terms = kernelHeight * kernelWidth * channels;
  const [outer, inner, block] = packing(features, 1, terms);
  // Packed already: one block, or one feature.
  const packed =
    block === features
      ? w
      : copy(builder, w, [outer, { extent: terms, from: [features], to: block }, inner], [features / block, terms, block]);
  const line = columns * channels;
  return sumOfProducts(
    builder,
    [padded, packed],
    [
      { extent: n, from: [rows * line, 0], to: height * width * features },
      { extent: height, from: [strides[0] * line, 0], to: width * features },
      { extent: width, from: [strides[1] * channels, 0], to: features },
      ...blocked(features, [0], 1, terms),
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
  const [outer, inner, block] = packing(channels, features, terms);
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
      { extent: strides[0], from: [vertical.step * line, vertical.slope * broad * tap], to: fullWidth * channels },
      { extent: horizontal.count, from: [features, 0], to: strides[1] * channels },
      { extent: strides[1], from: [horizontal.step * features, horizontal.slope * tap], to: channels },
      ...blocked(channels, [0], 1, terms),
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
  const rows = (height - 1) * strides[0] + kernelHeight;
  const columns = (width - 1) * strides[1] + kernelWidth;
  const padded = window(builder, x, [-padding[0], -padding[2]], [rows, columns]);
  const line = columns * channels;
  const terms = n * height * width;
  const [outer, inner, block] = packing(features, 1, terms);
  const packed =
    block === features
      ? ct
      : copy(builder, ct, [outer, { extent: terms, from: [features], to: block }, inner], [features / block, terms, block]);
  return sumOfProducts(
    builder,
    [padded, packed],
    [
      { extent: kernelHeight, from: [line, 0], to: kernelWidth * channels * features },
      { extent: kernelWidth, from: [channels, 0], to: channels * features },
      { extent: channels, from: [1, 0], to: features },
      ...blocked(features, [0], 1, terms),
      { extent: n, from: [rows * line, height * width * block], to: 0 },
      { extent: height, from: [strides[0] * line, width * block], to: 0 },
      { extent: width, from: [strides[1] * channels, block], to: 0 },
    ],
    outShape,
  );
};

/** Rank-2 a·b, either transposed. */
export const lowerMatmul = (
  builder: PlanBuilder,
  a: Operand,
  b: Operand,
  { transposeA, transposeB }: { readonly transposeA: boolean; readonly transposeB: boolean },
): Operand => {
  const [p = 1, q = 1] = a.shape;
  const [r = 1, s = 1] = b.shape;
  const [m, k] = transposeA ? [q, p] : [p, q];
  const n = transposeB ? r : s;
  // A transposed left side is read a few columns at a time: fine while its rows are short, else every term is a cache line.
  const left =
    transposeA && m > 32 && k > 32
      ? copy(
          builder,
          a,
          [
            { extent: m, from: [1], to: k },
            { extent: k, from: [m], to: 1 },
          ],
          [m, k],
        )
      : a;
  const [rowStride, termStride] = transposeA && left === a ? [1, m] : [k, 1];
  const [columnFrom, termFrom] = transposeB ? [k, 1] : [1, n];
  const block = blockOf(n);
  // Packing touches k·n numbers to save on m·k·n products. With b transposed and few rows, dot products need none.
  const pack = transposeB ? n >= 4 && (m >= 16 || k % 4 !== 0) : n > 32 && block < n && m >= 16;
  const [outer, inner] = packing(n, columnFrom, k);
  const right = pack
    ? copy(builder, b, [outer, { extent: k, from: [termFrom], to: block }, inner], [n / block, k, block])
    : b;
  const columns: readonly Axis[] = pack
    ? blocked(n, [0], 1, k)
    : [{ extent: n, from: [0, columnFrom], to: 1 }];
  return sumOfProducts(
    builder,
    [left, right],
    [
      { extent: m, from: [rowStride, 0], to: n },
      ...columns,
      { extent: k, from: [termStride, pack ? block : termFrom], to: 0 },
    ],
    [m, n],
  );
};
