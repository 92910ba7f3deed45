/** Chooses how each loop nest runs on vectors of four: its order, the axis taken four at a time, the tiles. */
import type { LoopKernel } from '../../compiler/loops/loop.js';
import { reorderable } from '../../compiler/loops/dependence.js';
import { hasPlace, planPlaces } from '../../compiler/loops/places.js';
import {
  accesses,
  at,
  block,
  divide,
  dropUnits,
  largestDivisor,
  merge,
  permute,
  product,
  withUnitAxis,
  type Nest,
} from '../../compiler/loops/nest.js';
import { sortOuter, vectorAxis } from '../../compiler/loops/axes.js';
import { wasmTarget } from './target.js';
import { planContraction } from '../../compiler/loops/tiling.js';
import { variation, weight } from '../../compiler/loops/loop-cost.js';

/** The other axis of a register transpose: one along which some access is contiguous that is strided along the vector axis. */
const turnAxis = (nest: Nest, vectorized: number): number => {
  if (at(nest.extents, vectorized) < 4 || nest.stores.some((store) => store.mode !== 'set')) return -1;
  if (nest.loads.some(hasPlace)) return -1;
  const gain = (axis: number): number =>
    axis === vectorized || at(nest.extents, axis) < 4
      ? 0
      : accesses(nest).filter(
          ({ strides }) => at(strides, axis) === 1 && Math.abs(at(strides, vectorized)) > 1,
        ).length;
  return nest.extents.reduce((best, _, axis) => (gain(axis) > (best < 0 ? 0 : gain(best)) ? axis : best), -1);
};

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
  if (nest.extents.length === 0) return [{ ...withUnitAxis(nest), mode: 'vector' }];
  const contraction = planContraction(nest, wasmTarget, plan);
  if (contraction !== undefined) return contraction;
  const vectorized = vectorAxis(nest, 4);
  const turn = turnAxis(nest, vectorized);
  if (turn >= 0) return planTransposed(nest, turn, vectorized);
  const ordered = merge(permute(nest, sortOuter(nest, [vectorized])));
  const last = ordered.extents.length - 1;
  const inner = at(ordered.extents, last);
  const rows = at(ordered.extents, last - 1);
  if (last > 0 && rows >= 4) {
    const summed = ordered.stores.some(
      ({ mode, strides }) => mode !== 'set' && at(strides, last) === 1 && at(strides, last - 1) === 0,
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
  // A long sum is cut into blocks: rounding errors grow with the length of a run. So is a long single axis: threads take some blocks each.
  if (
    inner > longRun &&
    (last === 0 || ordered.stores.some(({ mode, strides }) => mode !== 'set' && at(strides, last) === 0))
  ) {
    const [main, rest] = divide(ordered, last, runBlock);
    return [
      { ...block(main, last, runBlock), mode: 'vector' },
      ...(rest === undefined ? [] : [{ ...rest, mode: 'vector' } as const]),
    ];
  }
  return [{ ...ordered, mode: 'vector' }];
};
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
  if (reorderable(whole)) return whole.stores.some(hasPlace) ? planPlaces(whole) : plan(whole);
  return [whole.extents.length === 0 ? withUnitAxis(whole) : whole];
};
