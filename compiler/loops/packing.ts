/** Copies and sums of products over strided buffers, as steps of a plan: padding, packing, contracting. */
import { elementAt } from '../../dsl/lookup.js';
import type { Access, Instruction, LoopKernel } from './loop.js';
import { product } from './nest.js';
import type { Operand, PlanBuilder } from './plan.js';

export const dimensions = ({ shape }: Operand): readonly [number, number, number, number] => {
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
export type Axis = { readonly extent: number; readonly from: readonly number[]; readonly to: number };

const access = (axes: readonly Axis[], buffer: number, offset: number): Access => ({
  buffer,
  offset,
  strides: axes.map(({ from }) => elementAt(from, buffer)),
});

const emit = (
  builder: PlanBuilder,
  loop: LoopKernel,
  inputs: readonly Operand[],
  shape: readonly number[],
): Operand => {
  const [output] = builder.loop(loop, inputs, [shape]);
  // A loop kernel with one output always gives one.
  return output ?? builder.constant([], [0]);
};

/** Copies `source` into a buffer of the given shape, zero where nothing lands. */
export const copy = (
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

export const sumOfProducts = (
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
      stores: [{ buffer: 0, offset: 0, strides: axes.map(({ to }) => to), value: 2, mode: 'add' }],
      outputs: [product(shape)],
    },
    inputs,
    shape,
  );

/** Element by element, the second operand repeated along the leading axes that it lacks. */
export const multiplied = (
  builder: PlanBuilder,
  a: Operand,
  b: Operand,
  shape: readonly number[],
): Operand => {
  const width = product(b.shape);
  const rows = product(shape) / width;
  return emit(
    builder,
    {
      extents: [rows, width],
      loads: [
        { buffer: 0, offset: 0, strides: [width, 1] },
        { buffer: 1, offset: 0, strides: [0, 1] },
      ],
      body: productBody,
      stores: [{ buffer: 0, offset: 0, strides: [width, 1], value: 2, mode: 'set' }],
      outputs: [rows * width],
    },
    [a, b],
    shape,
  );
};

/** Rows `first` to `first + rows` of the two middle axes of [N, H, W, C]: those outside are zero. A window that is the whole is the operand itself. */
export const window = (
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
export const blockOf = ({ blocks }: Pick<PlanBuilder, 'blocks'>, extent: number): number =>
  extent < 4 ? 1 : (blocks.find((block) => extent % block === 0 && extent > 2 * block) ?? extent);

/** The kept axis of the second operand, packed in blocks of `terms` rows, as two axes; the result is `to` apart along it. */
export const blocked = (
  builder: PlanBuilder,
  extent: number,
  to: number,
  terms: number,
): readonly [Axis, Axis] => {
  const block = blockOf(builder, extent);
  return [
    { extent: extent / block, from: [0, block * terms], to: to * block },
    { extent: block, from: [0, 1], to },
  ];
};

/** The first and last axes of a copy that packs `extent` columns, `stride` apart, over `terms` rows. */
export const packing = (
  builder: PlanBuilder,
  extent: number,
  stride: number,
  terms: number,
): readonly [Axis, Axis, number] => {
  const block = blockOf(builder, extent);
  return [
    { extent: extent / block, from: [block * stride], to: block * terms },
    { extent: block, from: [stride], to: 1 },
    block,
  ];
};
