/** Mixtures of full-covariance Gaussians over codes: the prior behind the GMM scores of Ghosh et al. (2020) and Kumar, Poole and Murphy (2020). */
import { elementAt, float64At } from '../../dsl/lookup.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import type { Prior } from '../../runs/index.js';
import { type CodePrior, colour, type Gaussian, noise } from './gaussian.js';

export type Mixture = CodePrior & {
  /** Positive, with sum 1. */
  readonly weights: readonly number[];
  readonly components: readonly Gaussian[];
};

const sampler = (weights: readonly number[], components: readonly Gaussian[]): Prior => {
  const ends = weights.map((_, k) => weights.slice(0, k + 1).reduce((sum, weight) => sum + weight, 0));
  const pick = (uniform: number): Gaussian =>
    components[ends.findIndex((end) => uniform < end)] ?? elementAt(components, components.length - 1);
  return (count, seed) => {
    const { size } = elementAt(components, 0);
    const picks = uniforms(deriveKey(seed, 'mixture'), [0, 0, 0], count);
    const codes = noise(count, size, seed);
    picks.forEach((uniform, row) => colour(pick(uniform), codes, row));
    return codes;
  };
};

/** Σ w_k N(z; m_k, C_k) for positive weights with sum 1, one for each of the components. */
export const mixtureOf = (weights: readonly number[], components: readonly Gaussian[]): Mixture => ({
  size: elementAt(components, 0).size,
  weights,
  components,
  sample: sampler(weights, components),
  logDensity: (codes) => {
    const each = components.map(({ logDensity }) => logDensity(codes));
    return elementAt(each, 0).map((_, row) => {
      const logs = each.map((log, k) => Math.log(elementAt(weights, k)) + float64At(log, row));
      const most = Math.max(...logs);
      return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
    });
  },
});
