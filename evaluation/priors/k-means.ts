/** Groups of codes by k-means (Lloyd 1982) from k-means++ centres (Arthur and Vassilvitskii 2007): where a mixture starts from. */
import { elementAt, float32At, float64At, last } from '../../dsl/lookup.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import { squaredDistance } from '../metrics/distance.js';

/**
 * Rows of the first centres: each further one is drawn with probability proportional to the squared distance from the
 * nearest that is there. Fewer than k where the codes have fewer different values.
 */
export const centreRows = (
  codes: Float32Array,
  d: number,
  k: number,
  uniform: ArrayLike<number>,
): readonly number[] => {
  const n = codes.length / d;
  const nearest = new Float64Array(n).fill(Infinity);
  const rows = [Math.floor(elementAt(uniform, 0) * n)];
  while (rows.length < k) {
    const centre = last(rows);
    const total = nearest.reduce((sum, _, row) => {
      nearest[row] = Math.min(float64At(nearest, row), squaredDistance(codes, row, codes, centre, d));
      return sum + nearest[row];
    }, 0);
    if (total === 0) break;
    let left = elementAt(uniform, rows.length) * total;
    const next = nearest.findIndex((distance) => (left -= distance) < 0);
    // Rounding may leave a little after the last row: take the farthest then.
    rows.push(next >= 0 ? next : nearest.indexOf(nearest.reduce((a, b) => Math.max(a, b))));
  }
  return rows;
};

const LLOYD = 10;

/** A group from 0 to k − 1 for each of the codes [n, d]; some may be empty. */
export const kMeans = (
  codes: Float32Array,
  d: number,
  k: number,
  { seed, restart = 0 }: { readonly seed: number; readonly restart?: number },
): Uint16Array => {
  const n = codes.length / d;
  const rows = centreRows(codes, d, k, uniforms(deriveKey(seed, 'k-means'), [0, 0, restart], k));
  const centres = Float64Array.from(rows.flatMap((row) => [...codes.subarray(row * d, (row + 1) * d)]));
  const groups = new Uint16Array(n);
  const counts = new Float64Array(rows.length);
  const assign = (): boolean => {
    let changed = false;
    for (let row = 0; row < n; row++) {
      let best = 0;
      let least = Infinity;
      for (let group = 0; group < rows.length; group++) {
        const distance = squaredDistance(codes, row, centres, group, d);
        if (distance < least) {
          least = distance;
          best = group;
        }
      }
      changed ||= groups[row] !== best;
      groups[row] = best;
    }
    return changed;
  };
  const centre = (): void => {
    const sums = new Float64Array(centres.length);
    counts.fill(0);
    groups.forEach((group, row) => {
      counts[group] = float64At(counts, group) + 1;
      for (let i = 0; i < d; i++)
        sums[group * d + i] = float64At(sums, group * d + i) + float32At(codes, row * d + i);
    });
    sums.forEach((sum, at) => {
      const count = float64At(counts, Math.floor(at / d));
      if (count > 0) centres[at] = sum / count;
    });
  };
  for (let round = 0; round < LLOYD && assign(); round++) centre();
  return groups;
};
