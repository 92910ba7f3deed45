/** Maximum mean discrepancy, squared (Gretton et al., A Kernel Two-Sample Test, 2012): ‖E k(x, ·) − E k(y, ·)‖² by its unbiased estimate, eq. 3. */
import { float32At, float64At } from '../../dsl/lookup.js';
import { meanOf, thinned } from '../priors/moments.js';
import { variancesOf } from '../priors/units.js';
import { squaredDistance } from './distance.js';
import type { Comparable, Metric } from './metric.js';

/** k(a_i, b_j) of rows of d numbers. */
type Kernel = (a: Float32Array, i: number, b: Float32Array, j: number, d: number) => number;

/** Mean of the kernel over pairs of rows; over different rows where both are of one sample. */
const mean = (kernel: Kernel, a: Float32Array, b: Float32Array, d: number): number => {
  const count = a.length / d;
  let sum = 0;
  for (let i = 0; i < count; i++)
    for (let j = a === b ? i + 1 : 0; j < count; j++) sum += kernel(a, i, b, j, d);
  return a === b ? (2 * sum) / (count * (count - 1)) : sum / count ** 2;
};

/** The estimate may be below 0 where the distributions are equal. The kernel may depend on the reference alone. */
const mmd = (name: string, kernelOf: (pair: Comparable) => Kernel): Metric => ({
  name,
  of: (pair) => {
    const { samples, size } = pair;
    // One array for both sides would be taken for one sample.
    const reference = pair.reference === samples ? pair.reference.slice() : pair.reference;
    const kernel = kernelOf(pair);
    return (
      mean(kernel, samples, samples, size) +
      mean(kernel, reference, reference, size) -
      2 * mean(kernel, samples, reference, size)
    );
  },
});

/** With k(x, y) = (⟨x, y⟩/d + 1)³: of Inception features the KID of Bińkowski et al. (2018), but over the whole samples at once. */
export const polynomialMmd = mmd('mmd', () => (a, i, b, j, d) => {
  let sum = 0;
  for (let at = 0, p = i * d, q = j * d; at < d; at++, p++, q++) sum += float32At(a, p) * float32At(b, q);
  const base = sum / d + 1;
  return base * base * base;
});

/** Rows at most whose distances the bandwidth is the median of. */
const MOST_ROWS = 500;

/** One over the variance of each column; 0 where it is the same throughout, since nothing says how wide a kernel would be there. */
const precisionsOf = (rows: Float32Array, d: number): Float64Array =>
  variancesOf(rows, meanOf(rows, d)).map((variance) => (variance > 0 ? 1 / variance : 0));

/** Σ p_i (a_i − b_i)² of two rows. */
const weighted = (p: Float64Array, a: Float32Array, i: number, b: Float32Array, j: number): number => {
  const d = p.length;
  let sum = 0;
  for (let at = 0, x = i * d, y = j * d; at < d; at++, x++, y++)
    sum += float64At(p, at) * (float32At(a, x) - float32At(b, y)) ** 2;
  return sum;
};

/** The median of the squared distances between different rows; their mean where most are equal. */
const medianSquare = (rows: Float32Array, precisions: Float64Array): number => {
  const some = thinned(rows, precisions.length, MOST_ROWS);
  const count = some.length / precisions.length;
  const all = Float64Array.from(
    Array.from({ length: count }, (_, i) =>
      Array.from({ length: i }, (__, j) => weighted(precisions, some, i, some, j)),
    ).flat(),
  ).sort();
  return float64At(all, Math.floor(all.length / 2)) || all.reduce((sum, x) => sum + x, 0) / all.length;
};

/**
 * With k(x, y) = exp(−Σ ((x_i − y_i)/σ_i)²/(2s²)), σ_i the deviation of a feature within the reference and s² the median of the
 * squared distances there in these units: all models are measured alike, and in no unit but the features' own. Features that are
 * the same throughout the reference are left out; of a reference of equal examples k is 1 for equal examples and 0 for others.
 */
export const rbfMmd = mmd('mmd-rbf', ({ reference, size }) => {
  const precisions = precisionsOf(reference, size);
  const square = medianSquare(reference, precisions);
  if (!(square > 0)) return (a, i, b, j, d) => (squaredDistance(a, i, b, j, d) === 0 ? 1 : 0);
  const scale = -0.5 / square;
  return (a, i, b, j) => Math.exp(scale * weighted(precisions, a, i, b, j));
});
