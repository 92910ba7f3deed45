/** The Fréchet distance between Gaussians fitted to two samples (Dowson and Landau 1982; of Inception features, the FID of Heusel et al. 2017). */
import { elementAt } from '../../dsl/lookup.js';
import type { Matrix } from 'ml-matrix';
import { eigen, momentsOf, spectralMap } from '../priors/moments.js';
import type { Metric } from './metric.js';

type Moments = { readonly mean: ArrayLike<number>; readonly covariance: Matrix };

const root = (x: number): number => Math.sqrt(Math.max(x, 0));

/** ‖m₁ − m₂‖² + tr(C₁ + C₂ − 2(C₁^½ C₂ C₁^½)^½): squared, as is the custom. Covariances need no full rank. */
export const frechetDistance = (a: Moments, b: Moments): number => {
  const shift = Array.from(a.mean).reduce((sum, x, i) => sum + (x - elementAt(b.mean, i)) ** 2, 0);
  const half = spectralMap(a.covariance, root);
  const product = half.mmul(b.covariance).mmul(half);
  const { values } = eigen(product.add(product.transpose()).mul(0.5));
  const shared = values.reduce((sum, eigenvalue) => sum + root(eigenvalue), 0);
  return shift + a.covariance.trace() + b.covariance.trace() - 2 * shared;
};

/** With unbiased covariances. Its expectation falls with the number of examples, so only scores of equal numbers compare. */
export const frechet: Metric = {
  name: 'frechet',
  of: ({ samples, reference, size }) =>
    frechetDistance(momentsOf(samples, size, 'n − 1'), momentsOf(reference, size, 'n − 1')),
};
