/** Loop nests as they will be emitted, and the equations between them: axes dropped, merged, reordered, blocked, cut. */
import { elementAt } from '../../dsl/lookup.js';
import type { Access, Instruction, Store } from './loop.js';

/**
 * How the innermost axes run. `scalar`: element by element in the order written. `vector`: the last axis four at a time.
 * `unrolled`: the last axis without a loop, so that sums over the axis before it stay in registers.
 * `transposed`: the last two axes are a 4x4 tile, turned in registers.
 * `contraction`: the last two axes are a tile of sums of products, held in registers over the reduced axes before them.
 */
export type Mode = 'scalar' | 'vector' | 'unrolled' | 'transposed' | 'contraction';

export type Nest = {
  readonly extents: readonly number[];
  readonly loads: readonly Access[];
  readonly body: readonly Instruction[];
  readonly stores: readonly Store[];
  readonly mode: Mode;
  /** Of a contraction: elements of one of its vectors. */
  readonly lanes?: number;
};

export const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

/** The stride or extent along an axis; 0 along −1, which stands for none. */
export const at = (values: readonly number[], axis: number): number =>
  axis < 0 ? 0 : elementAt(values, axis);

/** The nest with every access's strides (and the offset) rewritten. */
const mapAccesses = (
  nest: Nest,
  extents: readonly number[],
  map: (access: Access) => { readonly offset: number; readonly strides: readonly number[] },
): Nest => ({
  ...nest,
  extents,
  loads: nest.loads.map((load) => ({ ...load, ...map(load) })),
  stores: nest.stores.map((store) => ({ ...store, ...map(store) })),
});

export const permute = (nest: Nest, order: readonly number[]): Nest =>
  mapAccesses(
    nest,
    order.map((axis) => at(nest.extents, axis)),
    ({ offset, strides }) => ({ offset, strides: order.map((axis) => at(strides, axis)) }),
  );

/** `count` indices of an axis, starting at `from`. */
export const slice = (nest: Nest, axis: number, from: number, count: number): Nest =>
  mapAccesses(nest, nest.extents.with(axis, count), ({ offset, strides }) => ({
    offset: offset + from * at(strides, axis),
    strides,
  }));

/** An axis as an outer axis of blocks and an inner one of `size`, which divides it. */
export const block = (nest: Nest, axis: number, size: number): Nest => {
  const replace = (values: readonly number[], outer: number, inner: number): readonly number[] => [
    ...values.slice(0, axis),
    outer,
    inner,
    ...values.slice(axis + 1),
  ];
  return mapAccesses(
    nest,
    replace(nest.extents, at(nest.extents, axis) / size, size),
    ({ offset, strides }) => ({
      offset,
      strides: replace(strides, at(strides, axis) * size, at(strides, axis)),
    }),
  );
};

export const accesses = (nest: Nest): readonly Access[] => [...nest.loads, ...nest.stores];

export const dropUnits = (nest: Nest): Nest =>
  permute(
    nest,
    nest.extents.flatMap((extent, axis) => (extent === 1 ? [] : [axis])),
  );

/** Joins neighbouring axes that every access walks as one. */
export const merge = (nest: Nest): Nest => {
  const axis = nest.extents.findIndex(
    (_, i) =>
      i + 1 < nest.extents.length &&
      accesses(nest).every(({ strides }) => at(strides, i) === at(strides, i + 1) * at(nest.extents, i + 1)),
  );
  if (axis < 0) return nest;
  const join = (values: readonly number[], value: number): readonly number[] => [
    ...values.slice(0, axis),
    value,
    ...values.slice(axis + 2),
  ];
  return merge(
    mapAccesses(
      nest,
      join(nest.extents, at(nest.extents, axis) * at(nest.extents, axis + 1)),
      ({ offset, strides }) => ({
        offset,
        strides: join(strides, at(strides, axis + 1)),
      }),
    ),
  );
};
/** The main part of an axis, a multiple of `size`, and what is left. */
export const divide = (
  nest: Nest,
  axis: number,
  size: number,
): readonly [main: Nest, rest: Nest | undefined] => {
  const extent = at(nest.extents, axis);
  const main = extent - (extent % size);
  return main === extent
    ? [nest, undefined]
    : [slice(nest, axis, 0, main), slice(nest, axis, main, extent - main)];
};

export const largestDivisor = (extent: number, candidates: readonly number[]): number =>
  candidates.find((size) => extent % size === 0) ?? extent;
/** A nest without axes, as one of a single index. */
export const withUnitAxis = (nest: Nest): Nest =>
  mapAccesses(nest, [1], ({ offset }) => ({ offset, strides: [0] }));

/** A nest with one more axis, last, of a single index. */
export const withAxis = (nest: Nest): Nest =>
  mapAccesses(nest, [...nest.extents, 1], ({ offset, strides }) => ({ offset, strides: [...strides, 0] }));
/** The axes over which a store's sum stays in registers: a run of reduced axes that ends at the last, or the one before an unrolled last. */
export const registerAxes = (nest: Nest, store: Store): readonly number[] => {
  const last = nest.extents.length - 1;
  if (store.mode === 'set' || nest.mode === 'scalar' || nest.mode === 'transposed') return [];
  if (store.place !== undefined) return [];
  if (nest.mode === 'contraction') {
    const run = at(store.strides, last) === 0 ? [last] : [];
    for (let axis = last - 2; axis >= 0 && at(store.strides, axis) === 0; axis -= 1) run.unshift(axis);
    return run;
  }
  if (at(store.strides, last) !== 0) {
    const held =
      nest.mode === 'unrolled' && at(store.strides, last) === 1 && at(store.strides, last - 1) === 0;
    return held && last > 0 ? [last - 1] : [];
  }
  const run: number[] = [];
  for (let axis = last; axis >= 0 && at(store.strides, axis) === 0; axis -= 1) run.unshift(axis);
  return run;
};
