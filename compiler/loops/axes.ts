/** The order of a nest's axes: which runs on vectors, and which lie within which. */
import { placeVaries, variation, weight } from './loop-cost.js';
import { accesses, at, type Nest } from './nest.js';

/** Loads of a vector from lanes apart, one by one, in vectors that lie together. */
const strided = 1.5;

/** The axis to run `lanes` at a time: the one with the least work per element, lanes that go unused included. */
export const vectorAxis = (nest: Nest, lanes: number): number => {
  const varies = variation(nest);
  const cost = (axis: number): number => {
    const extent = at(nest.extents, axis);
    const waste = (lanes * Math.ceil(extent / lanes)) / extent;
    const body = nest.body.reduce(
      (sum, ins, i) => sum + (varies[i]?.has(axis) === true ? weight(ins) : 0),
      0,
    );
    return accesses(nest).reduce((sum, access) => {
      const stride = Math.abs(at(access.strides, axis));
      if (placeVaries(access, axis, varies)) return sum + strided * lanes;
      return sum + (stride === 0 ? 0 : stride === 1 ? waste : strided * lanes);
    }, body * waste);
  };
  return nest.extents.reduce((best, _, axis) => (best < 0 || cost(axis) <= cost(best) ? axis : best), -1);
};

/** Axes other than the innermost, the farthest steps outermost. */
export const sortOuter = (nest: Nest, innermost: readonly number[]): readonly number[] => {
  const key = (axis: number): number =>
    accesses(nest).reduce((sum, { strides }) => sum + Math.abs(at(strides, axis)), 0);
  const outer = nest.extents.flatMap((_, axis) => (innermost.includes(axis) ? [] : [axis]));
  return [...outer.sort((a, b) => key(b) - key(a) || a - b), ...innermost];
};
