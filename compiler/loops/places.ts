/** Nests whose stores go to places that are read: their sums are added one after another, whatever else runs at once. */
import type { Access } from './loop.js';
import { movesAlone, variation } from './loop-cost.js';
import {
  accesses,
  at,
  block,
  divide,
  dropUnits,
  merge,
  type Nest,
  permute,
  product,
  withUnitAxis,
} from './nest.js';
import { costOfNest, worthSharing } from './sharing.js';

export const hasPlace = ({ place }: Access): boolean => place !== undefined;

/** Numbers of an entry that one thread adds up for itself, and entries of as many are cut into. */
const [leastRun, mostRuns] = [16, 16];

/** How long parts of an entry are: some for each thread, unless there is too little to do. */
const runOf = (nest: Nest, extent: number): number =>
  costOfNest(nest) < worthSharing || extent < 2 * leastRun
    ? extent
    : leastRun * Math.ceil(extent / (leastRun * mostRuns));

/**
 * Stores at places as nests: axes along which no place changes outermost, for threads to share, then those along which one does, in the order
 * written; vectors along a part of an entry. Without such an axis element by element.
 */
export const planPlaces = (source: Nest): readonly Nest[] => {
  const nest = merge(dropUnits(source));
  const varies = variation(nest);
  const placed = nest.stores.filter(hasPlace);
  const isFree = (axis: number): boolean => placed.every((store) => movesAlone(store, axis, varies));
  const free = nest.extents.flatMap((_, axis) => (isFree(axis) ? [axis] : []));
  const near = (axis: number): number =>
    accesses(nest).filter(({ strides }) => Math.abs(at(strides, axis)) === 1).length;
  const vectorized = free.reduce((best, axis) => (best < 0 || near(axis) >= near(best) ? axis : best), -1);
  if (vectorized < 0) return [{ ...(nest.extents.length === 0 ? withUnitAxis(nest) : nest), mode: 'scalar' }];
  const others = free.filter((axis) => axis !== vectorized);
  const places = nest.extents.flatMap((_, axis) => (isFree(axis) ? [] : [axis]));
  const extent = at(nest.extents, vectorized);
  const size =
    product(others.map((axis) => at(nest.extents, axis))) >= mostRuns ? extent : runOf(nest, extent);
  const ordered = permute(nest, [...others, vectorized, ...places]);
  const axis = others.length;
  const runs = (part: Nest, length: number): Nest => {
    const blocked = block(part, axis, length);
    const last = blocked.extents.length - 1;
    const inner = Array.from({ length: last - axis - 1 }, (_, i) => axis + 2 + i);
    const order = [...others.map((_, i) => i), axis, ...inner, axis + 1];
    return { ...withoutUnits(permute(blocked, order)), mode: 'vector' };
  };
  const [main, rest] = divide(ordered, axis, size);
  return [runs(main, size), ...(rest === undefined ? [] : [runs(rest, at(rest.extents, axis))])];
};

/** The last axis is that of the vectors, whatever its extent. */
const withoutUnits = (nest: Nest): Nest =>
  permute(
    nest,
    nest.extents.flatMap((extent, axis) => (extent === 1 && axis < nest.extents.length - 1 ? [] : [axis])),
  );
