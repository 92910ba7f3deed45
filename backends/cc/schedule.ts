/** How each loop of a kernel runs in C: products in tiles of registers, everything else on vectors along one axis. */
import { sortOuter, vectorAxis } from '../../compiler/loops/axes.js';
import { reorderable } from '../../compiler/loops/dependence.js';
import { hasPlace, planPlaces } from '../../compiler/loops/places.js';
import type { LoopKernel, Store } from '../../compiler/loops/loop.js';
import {
  at,
  block,
  divide,
  dropUnits,
  merge,
  type Nest,
  permute,
  product,
  withUnitAxis,
} from '../../compiler/loops/nest.js';
import { elementAt } from '../../dsl/lookup.js';
import type { Target } from '../../compiler/loops/target.js';
import { planContraction } from '../../compiler/loops/tiling.js';

/** A run longer than this is cut: sums stay accurate, and threads get parts of it. */
const longRun = 4096;
const runBlock = 2048;

const rowBlock = 256;

/** Whether a store adds up rows of the last axis, one by one along the axis before: the sums then have a row of their own. */
export const sumsRows = ({ extents, mode }: Nest, store: Store): boolean => {
  const last = extents.length - 1;
  return (
    mode === 'vector' &&
    store.mode === 'add' &&
    store.place === undefined &&
    at(extents, last - 1) > 1 &&
    at(store.strides, last) === 1 &&
    at(store.strides, last - 1) === 0
  );
};

const plan =
  (target: Target) =>
  (source: Nest): readonly Nest[] => {
    const nest = merge(dropUnits(source));
    if (nest.extents.length === 0) return [{ ...withUnitAxis(nest), mode: 'vector' }];
    const contraction = planContraction(nest, target, plan(target));
    if (contraction !== undefined) return contraction;
    const vectorized = vectorAxis(nest, elementAt(target.lanes, 0));
    const ordered: Nest = { ...merge(permute(nest, sortOuter(nest, [vectorized]))), mode: 'vector' };
    const last = ordered.extents.length - 1;
    if (at(ordered.extents, last) > longRun) {
      const [main, rest] = divide(ordered, last, runBlock);
      return [block(main, last, runBlock), ...(rest === undefined ? [] : [rest])];
    }
    const rows = at(ordered.extents, last - 1);
    if (rows > 2 * rowBlock && ordered.stores.some((store) => sumsRows(ordered, store))) {
      const [main, rest] = divide(ordered, last - 1, rowBlock);
      return [block(main, last - 1, rowBlock), ...(rest === undefined ? [] : [rest])];
    }
    return [ordered];
  };

/** The nests that compute a kernel, in order. */
export const nestsOf = (kernel: LoopKernel, target: Target): readonly Nest[] => {
  if (product(kernel.extents) === 0) return [];
  const { extents, loads, body, stores } = kernel;
  const whole: Nest = dropUnits({ extents, loads, body, stores, mode: 'scalar' });
  if (reorderable(whole)) return whole.stores.some(hasPlace) ? planPlaces(whole) : plan(target)(whole);
  return [whole.extents.length === 0 ? withUnitAxis(whole) : whole];
};

/** Lanes of the vectors along an axis: no more than it fills, but for the last. */
export const lanesFor = (extent: number, { lanes }: Target): number =>
  [...lanes].reverse().find((n) => n >= extent) ?? elementAt(lanes, 0);
