/** Distances between rows. */

/** ‖a_i − b_j‖² of row i of a [·, d] and row j of b [·, d]. */
export const squaredDistance = (
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
  d: number,
): number => {
  let sum = 0;
  for (let at = 0, p = i * d, q = j * d; at < d; at++, p++, q++) {
    const difference = a[p] - b[q];
    sum += difference * difference;
  }
  return sum;
};
