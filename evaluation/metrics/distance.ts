/** Distances between rows. */
import { floatAt, type Floats } from '../../dsl/lookup.js';

/** ‖a_i − b_j‖² of row i of a [·, d] and row j of b [·, d]. */
export const squaredDistance = (a: Floats, i: number, b: Floats, j: number, d: number): number => {
  let sum = 0;
  for (let at = 0, p = i * d, q = j * d; at < d; at++, p++, q++) {
    const difference = floatAt(a, p) - floatAt(b, q);
    sum += difference * difference;
  }
  return sum;
};
