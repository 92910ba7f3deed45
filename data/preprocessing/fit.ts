/** Fitting: means and deviations of the training part, in double precision from whatever the file holds. */
import { elementAt, float64At, int32At } from '../../dsl/lookup.js';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import type { Source } from '../dataset.js';
import { deviationsOf, type Survey, survey } from '../survey.js';
import { elementsOf, type Preprocessing, type Scaling } from './preprocessing.js';

type Problems = readonly Problem[];

/** A place of an example in words: `column 2 (age)`, or `element 2 of 7`. */
export const placeOf = ({ columns, shape }: Preprocessing, raw: number): string => {
  if (columns === undefined)
    return `element ${raw + 1} of ${shape.reduce((product, one) => product * one, 1)}`;
  const { name } = elementAt(columns, raw);
  return name === String(raw + 1) ? `column ${name}` : `column ${raw + 1} (${name})`;
};

/** Means and deviations of the elements that are numbers; 0 and 1 for those of categories. */
const scalingOf = (path: string, plan: Preprocessing, found: Survey): Either<Problems, Scaling> => {
  const { from, category } = elementsOf(plan);
  const deviations = deviationsOf(found);
  const { least, most } = plan.range ?? { least: 0, most: 1 };
  const constant = from.findIndex((raw, i) => int32At(category, i) < 0 && !(float64At(deviations, raw) > 0));
  if (constant >= 0) {
    const raw = int32At(from, constant);
    const what = found.present[raw] === 0 ? 'missing' : String(found.least[raw]);
    return left([
      problem(
        path,
        `${placeOf(plan, raw)} is ${what} in every training example`,
        'elements that vary, since each is divided by its standard deviation',
        'leave it out',
      ),
    ]);
  }
  const each = (number: (raw: number) => number, otherwise: number): readonly number[] =>
    Array.from(from, (raw, i) => (int32At(category, i) < 0 ? number(raw) : otherwise));
  return right({
    // + 0, since JSON has no −0.
    mean: each((raw) => (float64At(found.mean, raw) - least) / (most - least) + 0, 0),
    deviation: each((raw) => float64At(deviations, raw) / (most - least), 1),
  });
};

/** A plan with the means and deviations of `train`, whose rows are as they were read. `path` names the data in problems. */
export const fitPreprocessing = (
  path: string,
  plan: Preprocessing,
  train: Source,
): TaskEither.TaskEither<Problems, Preprocessing> =>
  pipe(
    survey(train),
    TaskEither.chainEitherK((found) => scalingOf(path, plan, found)),
    TaskEither.map((scaling): Preprocessing => ({ ...plan, scaling })),
  );
