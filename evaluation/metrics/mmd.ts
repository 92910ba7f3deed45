/** Maximum mean discrepancy, squared (Gretton et al., A Kernel Two-Sample Test, 2012): ‖E k(x, ·) − E k(y, ·)‖² by its unbiased estimate, eq. 3. */
import { float32At } from '../../dsl/lookup.js';
import { squaredDistance } from './distance.js';
import { thinned } from '../priors/moments.js';
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

/** The median of the squared distances between different rows, 1 where all are equal. */
const medianSquare = (rows: Float32Array, d: number): number => {
  const some = thinned(rows, d, MOST_ROWS);
  const count = some.length / d;
  const all = Float64Array.from(
    Array.from({ length: count }, (_, i) =>
      Array.from({ length: i }, (__, j) => squaredDistance(some, i, some, j, d)),
    ).flat(),
  ).sort();
  return all[Math.floor(all.length / 2)] || 1;
};

/** With k(x, y) = exp(−‖x − y‖²/(2s²)), s² the median squared distance within the reference, so that all models are measured alike. */
export const rbfMmd = mmd('mmd-rbf', ({ reference, size }) => {
  const scale = -0.5 / medianSquare(reference, size);
  return (a, i, b, j, d) => Math.exp(scale * squaredDistance(a, i, b, j, d));
});
