/** The sliced Wasserstein distance (Rabin et al. 2011; Bonneel et al. 2015, eq. 6): the root of the mean, over directions, of the squared 2-Wasserstein distance of the samples' shadows. */
import { float32At, float64At } from '../../dsl/lookup.js';
import { fillDraw } from '../../backends/draws.js';
import type { Metric } from './metric.js';

/** Unit directions in whole orthonormal frames, whose mean over a quadratic form is exact: row-major [frames·d, d]. */
const directions = (d: number, frames: number, seed: number): Float64Array => {
  const rows = new Float32Array(frames * d * d);
  const shape = { examples: 1, probes: frames * d, size: d };
  fillDraw('orthonormal', shape, { seed, name: 'sliced-wasserstein', step: 0 }, rows);
  return Float64Array.from(rows, (x) => x / Math.sqrt(d));
};

/** ⟨x, u⟩ of every row, ascending. */
const shadow = (rows: Float32Array, u: Float64Array): Float64Array => {
  const d = u.length;
  return Float64Array.from({ length: rows.length / d }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += float32At(rows, row * d + i) * float64At(u, i);
    return sum;
  }).sort();
};

/** In units of the features. In one dimension the optimal transport joins equal ranks. */
export const slicedWasserstein = (
  options: { readonly directions?: number; readonly seed?: number } = {},
): Metric => ({
  name: 'sliced-wasserstein',
  of: ({ samples, reference, size, count }) => {
    const frames = Math.ceil((options.directions ?? 256) / size);
    const all = directions(size, frames, options.seed ?? 0);
    let total = 0;
    for (let at = 0; at < all.length; at += size) {
      const u = all.subarray(at, at + size);
      const [a, b] = [shadow(samples, u), shadow(reference, u)];
      total += a.reduce((sum, x, rank) => sum + (x - float64At(b, rank)) ** 2, 0) / count;
    }
    return Math.sqrt(total / (frames * size));
  },
});
