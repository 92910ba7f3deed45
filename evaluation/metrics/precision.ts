/** Precision and recall of samples by nearest neighbours (Kynkäänniemi et al., Improved Precision and Recall Metric, 2019, eqs. 1–3). */
import { float64At } from '../../dsl/lookup.js';
import { squaredDistance } from './distance.js';
import type { Metric } from './metric.js';

/** The paper's k. */
const NEIGHBOURS = 3;

/** Squared distance of each row from its k-th nearest other row; of the farthest where there are fewer. */
const radii = (rows: Float32Array, d: number, k: number): Float64Array => {
  const count = rows.length / d;
  const nearest = new Float64Array(k);
  return Float64Array.from({ length: count }, (_, i) => {
    nearest.fill(Infinity);
    for (let j = 0; j < count; j++) {
      const distance = i === j ? Infinity : squaredDistance(rows, i, rows, j, d);
      // Insertion into the k least so far, in order.
      let at = k;
      while (at > 0 && float64At(nearest, at - 1) > distance) at--;
      if (at < k) {
        nearest.copyWithin(at + 1, at, k - 1);
        nearest[at] = distance;
      }
    }
    return nearest.findLast(Number.isFinite) ?? 0;
  });
};

/** Share of the rows that lie in at least one ball around a centre that reaches its k-th nearest other centre. */
export const coverage = (rows: Float32Array, centres: Float32Array, d: number, k = NEIGHBOURS): number => {
  const reach = radii(centres, d, k);
  const isCovered = (row: number): boolean =>
    reach.some((radius, centre) => squaredDistance(rows, row, centres, centre, d) <= radius);
  const count = rows.length / d;
  return Array.from({ length: count }, (_, row) => row).filter(isCovered).length / count;
};

/** Share of the samples that look like the reference. */
export const precision: Metric = {
  name: 'precision',
  better: 'more',
  of: ({ samples, reference, size }) => coverage(samples, reference, size),
};

/** Share of the reference that the samples reach. */
export const recall: Metric = {
  name: 'recall',
  better: 'more',
  of: ({ samples, reference, size }) => coverage(reference, samples, size),
};
