/**
 * What a score is over several trainings that differ in their seed alone: mean, standard error and Student's interval. The
 * seeds are the sample: resampling the examples of one training would only repeat the bias of a distance like Fréchet's.
 */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';

export type AcrossSeeds = {
  readonly count: number;
  readonly mean: number;
  /** Of the mean; absent for one seed, which says nothing about the others. */
  readonly standardError?: number;
  /** Holds the mean of all trainings with the probability asked for, where the values are normal. */
  readonly interval?: readonly [number, number];
};

/** P(|T| < √n·tan θ) for Student's T with n degrees of freedom: the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4. */
const centralProbability = (theta: number, n: number): number => {
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  const odd = n % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = n === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < n; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
};

/** t with P(|T| < t) = level for n ≥ 1 degrees of freedom and 0 < level < 1, by bisection. */
export const studentQuantile = (level: number, n: number): number => {
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (centralProbability(middle, n) < level) low = middle;
    else high = middle;
  }
  return Math.sqrt(n) * Math.tan(low);
};

/** One value for each seed. For two models on the same seeds, take the differences: their interval is that of a paired comparison. */
export const acrossSeeds = (
  values: readonly number[],
  level = 0.95,
): Either<readonly Problem[], AcrossSeeds> => {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  const problems = [
    ...(values.length === 0 ? [problem('values', 'none', 'one for each seed')] : []),
    ...(bad < 0 ? [] : [problem(`values[${bad}]`, String(values[bad]), 'a finite number')]),
    ...(level > 0 && level < 1 ? [] : [problem('level', String(level), 'a probability between 0 and 1')]),
  ];
  if (problems.length > 0) return left(problems);
  const count = values.length;
  // In units of a power of 2 of their size, in which no square leaves the range of numbers.
  const greatest = Math.max(...values.map(Math.abs));
  const unit = greatest === 0 ? 1 : 2 ** Math.floor(Math.log2(greatest));
  const scaled = values.map((value) => value / unit);
  const middle = scaled.reduce((sum, value) => sum + value, 0) / count;
  const mean = middle * unit;
  if (count === 1) return right({ count, mean });
  const squares = scaled.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const error = Math.sqrt(squares / (count - 1) / count);
  const reach = studentQuantile(level, count - 1) * error;
  const interval = [(middle - reach) * unit, (middle + reach) * unit] as const;
  return right({ count, mean, standardError: error * unit, interval });
};
