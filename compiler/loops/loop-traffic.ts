/** What a loop computes and moves, whatever runs it. */
import { elementAt } from '../../dsl/lookup.js';
import { product } from './nest.js';
import type { Access, LoopKernel } from './loop.js';
import { placeVaries, variation, weight } from './loop-cost.js';

/** Floating-point operations of a loop, and bytes of the distinct numbers that it reads and writes. */
export type LoopTraffic = { readonly flops: number; readonly bytes: number };

const bytesPerNumber = 4;

/** One a step of the body but for loads and constants, and one a sum. A function counts as one. */
export const trafficOf = ({ extents, loads, body, stores }: LoopKernel): LoopTraffic => {
  const varies = variation({ body, loads });
  const computed = body.filter((instruction) => weight(instruction) > 0).length;
  const summed = stores.filter(({ mode }) => mode !== 'set').length;
  const touched = (access: Access): number =>
    product(
      extents.filter((_, axis) => elementAt(access.strides, axis) !== 0 || placeVaries(access, axis, varies)),
    );
  return {
    flops: product(extents) * (computed + summed),
    bytes: bytesPerNumber * [...loads, ...stores].reduce((sum, access) => sum + touched(access), 0),
  };
};
