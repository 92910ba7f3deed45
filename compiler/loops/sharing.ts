/** Which nests threads share: by ranges of an axis that touch no element in common, so that bits do not depend on who has which range. */
import { rangesApart } from './dependence.js';
import type { LoopKernel } from './loop.js';
import { weight } from './loop-cost.js';
import { at, type Nest, product } from './nest.js';

/** Operations from which on a nest is worth sharing. */
export const worthSharing = 200_000;

/** How many input buffers a kernel reads: one more than the largest it names. */
export const inputCount = (kernel: LoopKernel): number =>
  kernel.loads.reduce((count, load) => Math.max(count, load.buffer + 1), 0);

/** Rough operations, a few a cycle. */
export const costOfNest = (nest: Nest): number =>
  product(nest.extents) * nest.body.reduce((sum, instruction) => sum + weight(instruction), 1);

/** How much of the threads' time is work when an axis of this extent is theirs in ranges of about one length. */
const balance = (extent: number, threads: number): number => extent / (threads * Math.ceil(extent / threads));

/** What a balance must be for an axis to be taken before one further in, which would be shared more often. */
const goodBalance = 0.9;

/**
 * The axis whose ranges so many threads take, undefined where one thread runs all of it. It is a loop around other code: the outermost that
 * every store moves along and that is theirs in good balance, else the one of the best. The outermost is that of the examples, most often,
 * so that a thread finds what it made itself in its cache. Loops around it, over which sums go on, are run by each thread for its range.
 */
export const sharedAxis = (nest: Nest, threads = 4): number | undefined => {
  if (nest.mode === 'scalar' || costOfNest(nest) < worthSharing) return undefined;
  const loops = nest.extents.length - (nest.mode === 'contraction' || nest.mode === 'transposed' ? 2 : 1);
  const axes = Array.from({ length: Math.max(0, loops) }, (_, axis) => axis).filter(
    (axis) => at(nest.extents, axis) > 1 && rangesApart(nest, axis),
  );
  const balanceOf = (axis: number): number => balance(at(nest.extents, axis), threads);
  return (
    axes.find((axis) => balanceOf(axis) >= goodBalance) ??
    axes.reduce<number | undefined>(
      (best, axis) => (best === undefined || balanceOf(axis) > balanceOf(best) ? axis : best),
      undefined,
    )
  );
};
