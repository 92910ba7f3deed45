/** Which nests threads share: by ranges of an axis that touch no element in common, so that bits do not depend on who has which range. */
import { rangesApart } from './dependence.js';
import type { LoopKernel } from './loop.js';
import { weight } from './loop-cost.js';
import { at, type Nest, product } from './nest.js';

/** Operations from which on a nest is worth sharing. */
const worthSharing = 40_000;

/** How many input buffers a kernel reads: one more than the largest it names. */
export const inputCount = (kernel: LoopKernel): number =>
  kernel.loads.reduce((count, load) => Math.max(count, load.buffer + 1), 0);

const costOfNest = (nest: Nest): number =>
  product(nest.extents) * nest.body.reduce((sum, instruction) => sum + weight(instruction), 1);

/** Indices from which on an axis is long enough for as many threads as there may be; one further in would be shared more often. */
const longEnough = 8;

/**
 * The axis whose ranges threads take, undefined where one thread runs all of it. It is a loop around other code: the first that every store
 * moves along, if it is long enough, else the longest of them. Loops around it, over which sums go on, are run by each thread for its range.
 */
export const sharedAxis = (nest: Nest): number | undefined => {
  if (nest.mode === 'scalar' || costOfNest(nest) < worthSharing) return undefined;
  const loops = nest.extents.length - (nest.mode === 'contraction' || nest.mode === 'transposed' ? 2 : 1);
  const axes = Array.from({ length: Math.max(0, loops) }, (_, axis) => axis).filter(
    (axis) => at(nest.extents, axis) > 1 && rangesApart(nest, axis),
  );
  return (
    axes.find((axis) => at(nest.extents, axis) >= longEnough) ??
    axes.reduce<number | undefined>(
      (best, axis) => (best === undefined || at(nest.extents, axis) > at(nest.extents, best) ? axis : best),
      undefined,
    )
  );
};
