/** What a metric is: a name and a function of two samples that may be compared. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import { EXAMPLES_PER_FEATURE } from '../features/feature-map.js';

/** Rows of `size` finite features each. */
export type Features = { readonly size: number; readonly values: Float32Array };

const checked: unique symbol = Symbol('checked');

/** Two samples of one kind of features, as many of one as of the other, and enough for their number. Only checks make one. */
export type Comparable = {
  readonly count: number;
  readonly size: number;
  /** Row-major [count, size]. */
  readonly samples: Float32Array;
  /** Row-major [count, size]. */
  readonly reference: Float32Array;
  readonly [checked]: true;
};

export type Metric = {
  readonly name: string;
  /** Less is better unless it says so. */
  readonly better?: 'more';
  /**
   * Whether row i of the samples belongs to row i of the reference, which makes it a metric of the examples themselves, without
   * features, and of any number of them.
   */
  readonly paired?: true;
  readonly of: (pair: Comparable) => number;
};

const rowsOf = ({ size, values }: Features): number => values.length / size;

const notFinite = (path: string, { size, values }: Features): readonly Problem[] => {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  return bad < 0
    ? []
    : [problem(`${path}[${Math.floor(bad / size)}]`, String(values[bad]), 'finite numbers')];
};

const misfits = (samples: Features, reference: Features): readonly Problem[] => {
  const [count, wanted] = [rowsOf(samples), rowsOf(reference)];
  if (samples.size !== reference.size)
    return [problem('samples', `${samples.size} features`, `${reference.size}, as in the reference`)];
  if (count !== wanted || !Number.isInteger(count) || count === 0) {
    const why = 'a score of another number of samples is biased by another amount';
    return [problem('samples', `${count} rows`, `${wanted || 'some'}, as many as in the reference`, why)];
  }
  return [...notFinite('samples', samples), ...notFinite('reference', reference)];
};

/** Two sets of the same examples, row by row. */
export const matched = (samples: Features, reference: Features): Either<readonly Problem[], Comparable> => {
  const problems = misfits(samples, reference);
  return problems.length > 0
    ? left(problems)
    : right({
        count: rowsOf(samples),
        size: samples.size,
        samples: samples.values,
        reference: reference.values,
        [checked]: true,
      });
};

/** Two samples with at least `fewest` examples, nine for each feature unless given. */
export const comparable = (
  samples: Features,
  reference: Features,
  fewest: number = EXAMPLES_PER_FEATURE * samples.size,
): Either<readonly Problem[], Comparable> => {
  const fitting = matched(samples, reference);
  if (isLeft(fitting) || fitting.right.count >= fewest) return fitting;
  const { count, size } = fitting.right;
  return left([
    problem(
      'samples',
      `${count} examples of ${size} features`,
      `at least ${fewest} examples`,
      `${count} can carry ${Math.floor(count / EXAMPLES_PER_FEATURE)} features`,
    ),
  ]);
};
