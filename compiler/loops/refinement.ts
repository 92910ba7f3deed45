/** Axes cut into finer ones, so that arrays of one size and of different shapes are walked through by the same loops. */
import { elementAt } from '../../dsl/lookup.js';

/** Elements behind each axis's index: the products of the extents after it, and of all. */
const places = (shape: readonly number[]): readonly number[] => {
  const all = [1];
  for (const extent of shape.toReversed()) all.push(extent * elementAt(all, all.length - 1));
  return all;
};

/** The coarsest extents of which the axes of both shapes are made, whose sizes are equal; null where there are none, as of [2, 3] and [3, 2]. */
export const refinement = (a: readonly number[], b: readonly number[]): readonly number[] | null => {
  const cuts = [...new Set([...places(a), ...places(b)])].sort((x, y) => x - y);
  const extents: number[] = [];
  for (const [i, cut] of cuts.entries()) {
    const before = i === 0 ? 1 : elementAt(cuts, i - 1);
    if (cut === 0 || cut % before !== 0) return null;
    if (i > 0) extents.push(cut / before);
  }
  return extents.toReversed();
};

/** Strides along `extents` as strides along `finer` ones that they are made of. */
export const refined = (
  strides: readonly number[],
  extents: readonly number[],
  finer: readonly number[],
): readonly number[] => {
  const result: number[] = [];
  let axis = extents.length - 1;
  /** Of the current axis, how much its finer ones inside have. */
  let inside = 1;
  for (const extent of finer.toReversed()) {
    while (axis >= 0 && inside >= elementAt(extents, axis)) {
      axis -= 1;
      inside = 1;
    }
    result.push(axis < 0 ? 0 : elementAt(strides, axis) * inside);
    inside *= extent;
  }
  return result.toReversed();
};
