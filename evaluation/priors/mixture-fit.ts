/** Fitting a mixture by expectation-maximization: from several starts, of which the likelier go on, to where rounds gain nothing more. */
import { atLeast, elementAt, float32At, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { optionProblems, type Problem, problem } from '../../dsl/index.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import { thinned } from './moments.js';
import { type Codes, type Component, firstComponents, round } from './expectation-maximization.js';
import { fitGaussian, type Gaussian, gaussianOf } from './gaussian.js';
import { kMeans } from './k-means.js';
import { type Mixture, mixtureOf } from './mixture.js';
import { triangularInverse } from './triangular.js';
import { unitsOfRows } from './units.js';

export type FittedMixture = Mixture & {
  /** Mean ln p(z) of the codes after each round, from the start that was chosen; the last is that of the mixture. */
  readonly logLikelihoods: readonly number[];
  /** Rounds of the start that was chosen, those on a part of the codes included. */
  readonly rounds: number;
  /** Whether the last rounds gained less than the tolerance. */
  readonly converged: boolean;
  /**
   * Directions in which a variance was raised to a floor, over all components, and those of the Gaussian that the codes are
   * measured by. 0: nothing held the likelihood down.
   */
  readonly floored: number;
};

export type MixtureOptions = {
  /** At most this many; fewer where there are fewer different codes. 10 unless given. */
  readonly components?: number;
  readonly seed?: number;
  /** Starts. All are tried for a few rounds, the likelier half of them for twice as many more, and so on. 12 unless given. */
  readonly restarts?: number;
  /** Rounds of a start at most, 2000 unless given. */
  readonly rounds?: number;
  /**
   * The fit ends where ten rounds together gain less than this part of 1 + |ln p|, ln p in nats a code where the codes' own
   * Gaussian has unit variances, so that units of the codes do not matter. 1e-6 unless given.
   */
  readonly tolerance?: number;
  /**
   * No component's variance is below this part of all codes' variance, in whatever direction. 1e-3 unless given: without a
   * floor a component that shrinks onto one code has an infinite likelihood.
   */
  readonly floor?: number;
};

/**
 * Rounds of a start before the starts are compared for the first time (the short runs of Biernacki, Celeux and Govaert 2003), and
 * multiplications that they may take where those allow more rounds: few codes are fitted to the end from every start.
 */
const SHORT = 16;
const WORK = 2e7;

/** Codes at most on which starts are tried. */
const STARTS_SEE = 10_000;

/** Rounds whose gain is looked at together: one alone may gain little on the way between two plateaus. */
const WINDOW = 10;

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

/** Rounds until the last few gain less than the tolerance, or until there were `rounds` of them. */
const refine = (from: Fit, rounds: number, tolerance: number, floor: number): Fit => {
  const all = [...from.logLikelihoods];
  let { components, next, converged } = from;
  while (all.length < rounds && !converged) {
    const { logLikelihood, next: after } = round(from.codes, next, floor);
    const before = all.at(-WINDOW) ?? -Infinity;
    all.push(logLikelihood);
    converged = logLikelihood - before <= tolerance * (1 + Math.abs(logLikelihood));
    components = next;
    next = after;
  }
  return { codes: from.codes, components, next, logLikelihoods: all, converged };
};

/** The likeliest of some starts: all go on for some rounds, the likelier half of them for twice as many, until one is left. */
const likeliest = (starts: readonly Fit[], rounds: number, tolerance: number, floor: number): Fit => {
  let fits = starts;
  const [{ codes, components }] = atLeast(1, starts);
  const affordable = Math.floor(WORK / (components.length * codes.values.length * codes.d));
  for (let most = Math.max(SHORT, affordable); fits.length > 1; most *= 2)
    fits = fits
      .map((fit) => refine(fit, Math.min(most, rounds), tolerance, floor))
      .sort((a, b) => last(b) - last(a))
      .slice(0, Math.ceil(fits.length / 2));
  return elementAt(fits, 0);
};

const isCount = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= most;

const valueProblems = (options: Required<MixtureOptions>): readonly Problem[] => {
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

const defaults = { components: 10, seed: 0, restarts: 12, rounds: 2000, tolerance: 1e-6, floor: 1e-3 };

/** Fits a mixture to codes [n, d], n ≥ 1. One component is the Gaussian of `fitGaussian`. */
export const fitMixture = (
  codes: Float32Array,
  d: number,
  options: MixtureOptions = {},
): Either<readonly Problem[], FittedMixture> => {
  const all = { ...defaults, ...options };
  const problems = [...optionProblems('fitMixture', options, Object.keys(defaults)), ...valueProblems(all)];
  if (problems.length > 0) return left(problems);
  const gaussian = fitGaussian(codes, d);
  if (isLeft(gaussian)) return gaussian;
  const { components: k, seed, rounds, tolerance, floor } = all;
  const some = thinned(codes, d, STARTS_SEE);
  const values = whitened(some, gaussian.right);
  const units = unitsOfRows(some, d);
  const scaled = Float64Array.from(some, (x, at) => x / float64At(units, at % d));
  const starts = Array.from({ length: k === 1 ? 1 : all.restarts }, (_, restart): Fit => {
    // Groups far apart are found where coordinates have unit variances, groups that overlap along an axis of all where every direction has;
    // from groups at random the likelihood alone says what is a group.
    const [round, kind] = [Math.floor(restart / 3), restart % 3];
    const groups =
      kind === 2
        ? Uint16Array.from(uniforms(deriveKey(seed, 'groups'), [0, 0, round], some.length / d), (u) =>
            Math.floor(u * k),
          )
        : kMeans(kind === 0 ? scaled : values, d, k, { seed, restart: 2 * round + kind });
    const white = { d, values, likeliest: groups };
    return start(white, firstComponents(white, floor));
  });
  const best = likeliest(starts, rounds, tolerance, floor);
  const isWhole = some.length === codes.length;
  const whole = (): Codes => ({
    d,
    values: whitened(codes, gaussian.right),
    likeliest: new Uint16Array(codes.length / d),
  });
  const fit = refine(isWhole ? best : start(whole(), best.components), rounds, tolerance, floor);
  // Whitening is a change of variables: densities of codes have its Jacobian in them.
  const jacobian = gaussian.right.factor.diagonal().reduce((sum, length) => sum + Math.log(length), 0);
  return right({
    ...mixtureOf(
      fit.components.map(({ weight }) => weight),
      fit.components.map((component) => coloured(component, gaussian.right)),
    ),
    logLikelihoods: fit.logLikelihoods.map((value) => value - jacobian),
    rounds: fit.logLikelihoods.length + (isWhole ? 0 : best.logLikelihoods.length),
    converged: fit.converged,
    floored: fit.components.reduce((sum, { raised }) => sum + raised, gaussian.right.floored),
  });
};
