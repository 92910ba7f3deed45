/** Loop nests as they will be emitted: axes merged, reordered, blocked and split, each step an equation between loop kernels. */
import type { Access, Instruction, LoopKernel, Store } from '../loop.js';
import { planContraction } from './tiling.js';

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
};

export const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

const at = (values: readonly number[], index: number): number => values[index] ?? 0;

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

const accesses = (nest: Nest): readonly Access[] => [...nest.loads, ...nest.stores];

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

/** Whether an access surely meets no element twice, over the given axes: sorted by stride, each step passes all smaller ones. */
const injective = (strides: readonly number[], extents: readonly number[]): boolean => {
  const axes = strides
    .map((stride, axis) => ({ stride: Math.abs(stride), extent: at(extents, axis) }))
    .filter(({ extent }) => extent > 1)
    .sort((a, b) => a.stride - b.stride);
  let reach = 0;
  for (const { stride, extent } of axes) {
    if (stride <= reach) return false;
    reach += stride * (extent - 1);
  }
  return true;
};

const kept = (store: Store, extents: readonly number[]): { strides: number[]; extents: number[] } => {
  const axes = extents.flatMap((_, axis) => (at(store.strides, axis) === 0 ? [] : [axis]));
  return { strides: axes.map((a) => at(store.strides, a)), extents: axes.map((a) => at(extents, a)) };
};

/** Whether two accesses with the same strides, injective together, can meet: is the distance of their offsets a sum of strides? */
const meets = (distance: number, strides: readonly number[], extents: readonly number[]): boolean => {
  const order = strides.map((_, i) => i).sort((a, b) => Math.abs(at(strides, b)) - Math.abs(at(strides, a)));
  const search = (rest: number, position: number): boolean => {
    const axis = order[position];
    if (axis === undefined) return rest === 0;
    const stride = Math.abs(at(strides, axis));
    const low = Math.floor(rest / stride);
    return [low, low + 1].some(
      (steps) => Math.abs(steps) < at(extents, axis) && search(rest - steps * stride, position + 1),
    );
  };
  return search(distance, 0);
};

/** The two accesses' lowest and highest elements do not overlap. */
const apart = (a: Store, b: Store, extents: readonly number[]): boolean => {
  const range = (s: Store): readonly [number, number] => {
    const ends = s.strides.map((stride, axis) => stride * (at(extents, axis) - 1));
    return [
      s.offset + ends.reduce((sum, e) => sum + Math.min(e, 0), 0),
      s.offset + ends.reduce((sum, e) => sum + Math.max(e, 0), 0),
    ];
  };
  const [lowA, highA] = range(a);
  const [lowB, highB] = range(b);
  return highA < lowB || highB < lowA;
};

const disjoint = (a: Store, b: Store, extents: readonly number[]): boolean => {
  if (a.buffer !== b.buffer || apart(a, b, extents)) return true;
  if (a.strides.some((stride, axis) => stride !== at(b.strides, axis))) return false;
  const axes = kept(a, extents);
  return injective(axes.strides, axes.extents) && !meets(b.offset - a.offset, axes.strides, axes.extents);
};

/** Whether the loops may run in any order: every `set` meets an element once, and no other store meets it. */
const reorderable = (nest: Nest): boolean =>
  nest.stores.every(
    (store, i) =>
      (store.mode === 'sum' || injective(store.strides, nest.extents)) &&
      nest.stores.every(
        (other, j) =>
          j <= i || (store.mode === 'sum' && other.mode === 'sum') || disjoint(store, other, nest.extents),
      ),
  );

const expensive: ReadonlySet<string> = new Set([
  'exp',
  'log',
  'tanh',
  'sigmoid',
  'softplus',
  'elu',
  'erf',
  'pow',
]);

/** Rough cycles of an instruction on four lanes. */
export const weight = (instruction: Instruction): number =>
  instruction.op === 'load' || instruction.op === 'constant'
    ? 0
    : expensive.has(instruction.op)
      ? 20
      : instruction.op === 'div' || instruction.op === 'divNoNan' || instruction.op === 'sqrt'
        ? 5
        : 1;

/** Per instruction, the axes it varies along. */
export const variation = (nest: Nest): readonly ReadonlySet<number>[] => {
  const sets: ReadonlySet<number>[] = [];
  for (const instruction of nest.body) {
    const axes = new Set<number>();
    if (instruction.op === 'load') {
      nest.loads[instruction.load]?.strides.forEach((stride, axis) => {
        if (stride !== 0) axes.add(axis);
      });
    }
    for (const operand of operandsOf(instruction)) for (const axis of sets[operand] ?? []) axes.add(axis);
    sets.push(axes);
  }
  return sets;
};

export const operandsOf = (instruction: Instruction): readonly number[] => {
  if (instruction.op === 'load' || instruction.op === 'constant') return [];
  if (instruction.op === 'select') return [instruction.a, instruction.b, instruction.c];
  return 'b' in instruction ? [instruction.a, instruction.b] : [instruction.a];
};

/** The axis to run four at a time: the one with the least work per element, lanes that go unused included. */
const vectorAxis = (nest: Nest): number => {
  const varies = variation(nest);
  const cost = (axis: number): number => {
    const extent = at(nest.extents, axis);
    const waste = (4 * Math.ceil(extent / 4)) / extent;
    const body = nest.body.reduce(
      (sum, ins, i) => sum + (varies[i]?.has(axis) === true ? weight(ins) : 0),
      0,
    );
    return accesses(nest).reduce((sum, { strides }) => {
      const stride = Math.abs(at(strides, axis));
      return sum + (stride === 0 ? 0 : stride === 1 ? waste : 6);
    }, body * waste);
  };
  return nest.extents.reduce((best, _, axis) => (best < 0 || cost(axis) <= cost(best) ? axis : best), -1);
};

/** The other axis of a register transpose: one along which some access is contiguous that is strided along the vector axis. */
const turnAxis = (nest: Nest, vectorized: number): number => {
  if (at(nest.extents, vectorized) < 4 || nest.stores.some((store) => store.mode === 'sum')) return -1;
  const gain = (axis: number): number =>
    axis === vectorized || at(nest.extents, axis) < 4
      ? 0
      : accesses(nest).filter(
          ({ strides }) => at(strides, axis) === 1 && Math.abs(at(strides, vectorized)) > 1,
        ).length;
  return nest.extents.reduce((best, _, axis) => (gain(axis) > (best < 0 ? 0 : gain(best)) ? axis : best), -1);
};

/** Axes other than the innermost, the farthest steps outermost. */
const sortOuter = (nest: Nest, innermost: readonly number[]): readonly number[] => {
  const key = (axis: number): number =>
    accesses(nest).reduce((sum, { strides }) => sum + Math.abs(at(strides, axis)), 0);
  const outer = nest.extents.flatMap((_, axis) => (innermost.includes(axis) ? [] : [axis]));
  return [...outer.sort((a, b) => key(b) - key(a) || a - b), ...innermost];
};

/** The main part of an axis, a multiple of `size`, and what is left. */
export const divide = (nest: Nest, axis: number, size: number): readonly [main: Nest, rest: Nest | undefined] => {
  const extent = at(nest.extents, axis);
  const main = extent - (extent % size);
  return main === extent
    ? [nest, undefined]
    : [slice(nest, axis, 0, main), slice(nest, axis, main, extent - main)];
};

export const largestDivisor = (extent: number, candidates: readonly number[]): number =>
  candidates.find((size) => extent % size === 0) ?? extent;

const planTransposed = (nest: Nest, turn: number, vectorized: number): readonly Nest[] => {
  for (const axis of [turn, vectorized]) {
    const [main, rest] = divide(nest, axis, 4);
    if (rest !== undefined) return [...planTransposed(main, turn, vectorized), ...plan(rest)];
  }
  const ordered = permute(nest, sortOuter(nest, [turn, vectorized]));
  const last = ordered.extents.length - 1;
  // Tiles of about 16x16 keep both sides' cache lines alive until all of each is used.
  const tile = [32, 28, 24, 20, 16, 12, 8, 4];
  const a = largestDivisor(at(ordered.extents, last - 1), tile);
  const b = largestDivisor(at(ordered.extents, last), tile);
  const split = block(block(block(block(ordered, last, b), last + 1, 4), last - 1, a), last, 4);
  // [.., A/a, a/4, 4, B/b, b/4, 4] becomes [.., B/b, A/a, a/4, b/4, 4, 4].
  const outer = ordered.extents.slice(0, -2).map((_, i) => i);
  const n = last - 1;
  return [{ ...permute(split, [...outer, n + 3, n, n + 1, n + 4, n + 2, n + 5]), mode: 'transposed' }];
};

const registerTile = 32;
const rowsPerBlock = 256;

/** A last axis of a register tile, under an axis over which sums stay in registers. */
const planUnrolled = (nest: Nest, tile: number): readonly Nest[] => {
  const last = nest.extents.length - 1;
  const extent = at(nest.extents, last);
  if (extent > tile + 3) {
    const [main, rest] = divide(nest, last, tile);
    if (rest !== undefined) return [...planUnrolled(main, tile), ...planUnrolled(rest, tile)];
    // Rows in blocks, so that all tiles of a block are read while it is in cache and partial sums stay short.
    const rows = at(nest.extents, last - 1);
    if (rows > 2 * rowsPerBlock) {
      const [whole, left] = divide(nest, last - 1, rowsPerBlock);
      if (left !== undefined) return [...planUnrolled(whole, tile), ...planUnrolled(left, tile)];
    }
    const blocked = block(block(nest, last, tile), last - 1, rows > 2 * rowsPerBlock ? rowsPerBlock : rows);
    const outer = nest.extents.slice(0, -2).map((_, i) => i);
    const n = last - 1;
    return [{ ...dropOuterUnits(permute(blocked, [...outer, n, n + 2, n + 1, n + 3])), mode: 'unrolled' }];
  }
  const rows = at(nest.extents, last - 1);
  if (rows <= 2 * rowsPerBlock) return [{ ...nest, mode: 'unrolled' }];
  const [whole, left] = divide(nest, last - 1, rowsPerBlock);
  return [
    { ...block(whole, last - 1, rowsPerBlock), mode: 'unrolled' },
    ...(left === undefined ? [] : planUnrolled(left, tile)),
  ];
};

/** Units are dropped except among the last two axes, whose places have meaning. */
const dropOuterUnits = (nest: Nest): Nest =>
  permute(
    nest,
    nest.extents.flatMap((extent, axis) => (extent === 1 && axis < nest.extents.length - 2 ? [] : [axis])),
  );

const longRun = 8192;
const runBlock = 2048;

const plan = (source: Nest): readonly Nest[] => {
  const nest = merge(dropUnits(source));
  if (nest.extents.length === 0)
    return [{ ...withUnitAxis(nest), mode: 'vector' }];
  const contraction = planContraction(nest, plan);
  if (contraction !== undefined) return contraction;
  const vectorized = vectorAxis(nest);
  const turn = turnAxis(nest, vectorized);
  if (turn >= 0) return planTransposed(nest, turn, vectorized);
  const ordered = merge(permute(nest, sortOuter(nest, [vectorized])));
  const last = ordered.extents.length - 1;
  const inner = at(ordered.extents, last);
  const rows = at(ordered.extents, last - 1);
  if (last > 0 && rows >= 4) {
    const summed = ordered.stores.some(
      ({ mode, strides }) => mode === 'sum' && at(strides, last) === 1 && at(strides, last - 1) === 0,
    );
    const varies = variation(ordered);
    const hoisted = ordered.body.reduce((sum, instruction, i) => {
      const axes = varies[i];
      return axes !== undefined && axes.has(last) && !axes.has(last - 1) ? sum + weight(instruction) : sum;
    }, 0);
    const work = ordered.body.reduce((sum, instruction) => sum + weight(instruction), 0);
    if (summed) return planUnrolled(ordered, work > 8 ? registerTile / 2 : registerTile);
    if (hoisted >= 5) return planUnrolled(ordered, registerTile / 2);
  }
  // A long sum is cut into blocks: rounding errors grow with the length of a run.
  if (
    inner > longRun &&
    ordered.stores.some(({ mode, strides }) => mode === 'sum' && at(strides, last) === 0)
  ) {
    const [main, rest] = divide(ordered, last, runBlock);
    return [
      { ...block(main, last, runBlock), mode: 'vector' },
      ...(rest === undefined ? [] : [{ ...rest, mode: 'vector' } as const]),
    ];
  }
  return [{ ...ordered, mode: 'vector' }];
};

/** A nest without axes, as one of a single index. */
export const withUnitAxis = (nest: Nest): Nest => mapAccesses(nest, [1], ({ offset }) => ({ offset, strides: [0] }));

/** A nest with one more axis, last, of a single index. */
export const withAxis = (nest: Nest): Nest =>
  mapAccesses(nest, [...nest.extents, 1], ({ offset, strides }) => ({ offset, strides: [...strides, 0] }));

/** The nests that compute a kernel, in order. */
export const nestsOf = (kernel: LoopKernel): readonly Nest[] => {
  if (product(kernel.extents) === 0) return [];
  const nest: Nest = { ...dropUnits({ ...kernel, mode: 'scalar' }) };
  const whole: Nest = {
    extents: nest.extents,
    loads: nest.loads,
    body: nest.body,
    stores: nest.stores,
    mode: 'scalar',
  };
  if (reorderable(whole)) return plan(whole);
  return [whole.extents.length === 0 ? withUnitAxis(whole) : whole];
};

/** The axes over which a store's sum stays in registers: a run of reduced axes that ends at the last, or the one before an unrolled last. */
export const registerAxes = (nest: Nest, store: Store): readonly number[] => {
  const last = nest.extents.length - 1;
  if (store.mode === 'set' || nest.mode === 'scalar' || nest.mode === 'transposed') return [];
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

/**
 * Per store of the kernel, whether it may write rather than add: it is alone on its buffer, meets an element once,
 * and no nest adds to what another began.
 */
export const directStores = (kernel: LoopKernel, nests: readonly Nest[]): readonly boolean[] =>
  kernel.stores.map((store, i) => {
    if (store.mode === 'set') return true;
    const axes = kept(store, kernel.extents);
    const alone = kernel.stores.every((other, j) => i === j || other.buffer !== store.buffer);
    if (!alone || !injective(axes.strides, axes.extents)) return false;
    const count = (strides: readonly number[], extents: readonly number[]): number =>
      product(extents.filter((_, axis) => at(strides, axis) !== 0));
    const written = nests.reduce((sum, nest) => sum + count(nest.stores[i]?.strides ?? [], nest.extents), 0);
    return (
      written === count(store.strides, kernel.extents) &&
      nests.every((nest) => {
        const own = nest.stores[i];
        if (own === undefined) return false;
        const held = registerAxes(nest, own);
        return nest.extents.every(
          (extent, axis) => extent === 1 || at(own.strides, axis) !== 0 || held.includes(axis),
        );
      })
    );
  });

/** Per output buffer, whether it must be zero before the nests run: it is added to, or not surely covered. */
export const clearedOutputs = (
  kernel: LoopKernel,
  nests: readonly Nest[],
  direct: readonly boolean[],
): readonly boolean[] => {
  const ordered = nests.some((nest) => nest.mode === 'scalar');
  return kernel.outputs.map((size, buffer) => {
    const stores = kernel.stores
      .map((store, i) => ({ store, direct: direct[i] }))
      .filter(({ store }) => store.buffer === buffer);
    if (nests.length === 0 || stores.some((s) => s.direct !== true)) return true;
    if (ordered && stores.length > 1) return true;
    const covered = stores.reduce((sum, { store }) => {
      const axes = kept(store, kernel.extents);
      return injective(axes.strides, axes.extents) ? sum + product(axes.extents) : sum;
    }, 0);
    return covered < size;
  });
};
