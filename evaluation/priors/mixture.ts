/** Mixtures of full-covariance Gaussians over codes, fitted by expectation-maximization: the prior behind the GMM scores of Ghosh et al. (2020) and Kumar, Poole and Murphy (2020). */
import { elementAt, float32At, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import type { Prior } from '../../runs/index.js';
import { thinned } from './moments.js';
import { type Codes, type Component, firstComponents, round } from './expectation-maximization.js';
import { type CodePrior, colour, fitGaussian, type Gaussian, gaussianOf, noise } from './gaussian.js';
import { kMeans } from './k-means.js';
import { triangularInverse } from './triangular.js';

export type Mixture = CodePrior & {
  /** Positive, with sum 1. */
  readonly weights: readonly number[];
  readonly components: readonly Gaussian[];
};

export type FittedMixture = Mixture & {
  /** Mean ln p(z) of the codes after each round, from the start that was chosen; the last is that of the mixture. */
  readonly logLikelihoods: readonly number[];
  /** Whether the last round gained less than the tolerance. */
  readonly converged: boolean;
};

export type MixtureOptions = {
  /** At most this many; fewer where there are fewer different codes. 10 unless given. */
  readonly components?: number;
  readonly seed?: number;
  /** Starts that are tried for a few rounds, the likeliest of which goes on. 4 unless given. */
  readonly restarts?: number;
  /** Rounds at most, 200 unless given. */
  readonly rounds?: number;
  /** Gain of a round in nats a code below which the fit ends. 1e-4 unless given. */
  readonly tolerance?: number;
  /**
   * No component's variance is below this part of all codes' variance, in whatever direction. 1e-3 unless given: without a
   * floor a component that shrinks onto one code has an infinite likelihood.
   */
  readonly floor?: number;
};

/** Rounds of a start before the starts are compared (the short runs of Biernacki, Celeux and Govaert 2003). */
const SHORT = 8;

/** Codes at most on which starts are tried. */
const STARTS_SEE = 10_000;

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

/** Codes as multiples of all codes' spread, L⁻¹(z − m), so that a floor on a variance means the same in every direction. */
const whitened = (codes: Float32Array, { size, mean, factor }: Gaussian): Float64Array => {
  const { stride, values: inverse } = triangularInverse(factor);
  const values = new Float64Array(codes.length);
  for (let at = 0; at < codes.length; at += size) {
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j <= i; j++)
        sum += float64At(inverse, i * stride + j) * (float32At(codes, at + j) - float64At(mean, j));
      values[at + i] = sum;
    }
  }
  return values;
};

/** The inverse of `whitened` for a Gaussian. */
const coloured = (component: Component, { mean, factor }: Gaussian): Gaussian =>
  gaussianOf(
    mean.map((x, i) => component.mean.reduce((sum, y, j) => sum + factor.get(i, j) * y, x)),
    factor.mmul(component.factor),
  );

/** A fit on its way. */
type Fit = {
  readonly codes: Codes;
  /** Those of the last likelihood. */
  readonly components: readonly Component[];
  readonly next: readonly Component[];
  readonly logLikelihoods: readonly number[];
  readonly converged: boolean;
};

const start = (codes: Codes, components: readonly Component[]): Fit => ({
  codes,
  components,
  next: components,
  logLikelihoods: [],
  converged: false,
});

const last = ({ logLikelihoods }: Fit): number => logLikelihoods.at(-1) ?? -Infinity;

/** Rounds until one gains less than the tolerance, or until there were `rounds` of them. */
const refine = (from: Fit, rounds: number, tolerance: number, floor: number): Fit => {
  let fit = from;
  while (fit.logLikelihoods.length < rounds && !fit.converged) {
    const { logLikelihood, next } = round(fit.codes, fit.next, floor);
    fit = {
      codes: fit.codes,
      components: fit.next,
      next,
      logLikelihoods: [...fit.logLikelihoods, logLikelihood],
      converged: logLikelihood - last(fit) < tolerance,
    };
  }
  return fit;
};

const isCount = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= most;

const optionProblems = (options: Required<MixtureOptions>): readonly Problem[] => {
  const { components, restarts, rounds, tolerance, floor } = options;
  const wrong = (path: string, value: number, expected: string): Problem =>
    problem(path, String(value), expected);
  return [
    ...(isCount(components, 65_536) ? [] : [wrong('components', components, 'an integer from 1 to 65,536')]),
    ...(isCount(restarts, Infinity) ? [] : [wrong('restarts', restarts, 'a positive integer')]),
    ...(isCount(rounds, Infinity) ? [] : [wrong('rounds', rounds, 'a positive integer')]),
    ...(tolerance >= 0 ? [] : [wrong('tolerance', tolerance, 'a number of at least 0')]),
    ...(floor > 0 && floor <= 1 ? [] : [wrong('floor', floor, 'a number above 0 and at most 1')]),
  ];
};

const defaults = { components: 10, seed: 0, restarts: 4, rounds: 200, tolerance: 1e-4, floor: 1e-3 };

/** Fits a mixture to codes [n, d], n ≥ 1. One component is the Gaussian of `fitGaussian`. */
export const fitMixture = (
  codes: Float32Array,
  d: number,
  options: MixtureOptions = {},
): Either<readonly Problem[], FittedMixture> => {
  const all = { ...defaults, ...options };
  const problems = optionProblems(all);
  if (problems.length > 0) return left(problems);
  const gaussian = fitGaussian(codes, d);
  if (isLeft(gaussian)) return gaussian;
  const { components: k, seed, rounds, tolerance, floor } = all;
  const some = thinned(codes, d, STARTS_SEE);
  const values = whitened(some, gaussian.right);
  const starts = Array.from({ length: k === 1 ? 1 : all.restarts }, (_, restart): Fit => {
    const white = { d, values, likeliest: kMeans(some, d, k, { seed, restart }) };
    return refine(start(white, firstComponents(white, floor)), Math.min(SHORT, rounds), tolerance, floor);
  });
  const best = starts.reduce((a, b) => (last(b) > last(a) ? b : a));
  const whole = { d, values: whitened(codes, gaussian.right), likeliest: new Uint16Array(codes.length / d) };
  const fit = refine(start(whole, best.components), rounds, tolerance, floor);
  // Whitening is a change of variables: densities of codes have its Jacobian in them.
  const jacobian = gaussian.right.factor.diagonal().reduce((sum, length) => sum + Math.log(length), 0);
  return right({
    ...mixtureOf(
      fit.components.map(({ weight }) => weight),
      fit.components.map((component) => coloured(component, gaussian.right)),
    ),
    logLikelihoods: fit.logLikelihoods.map((value) => value - jacobian),
    converged: fit.converged,
  });
};
