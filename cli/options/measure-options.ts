/** The options that say what the trials of a sweep measure. */
import * as E from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../../dsl/index.js';
import { type Evaluation, priorNames, sampleMetrics } from '../../evaluation/index.js';
import type { Arguments, Option } from './arguments.js';
import { outsideOption } from '../train.js';

export const measureOptions: readonly Option[] = [
  {
    name: 'features',
    value: 'A,B',
    summary: 'scores reconstructions and samples over pixels, raw, classifier, or the path of a graph',
  },
  { name: 'metrics', value: 'A,B', summary: 'by these metrics (frechet)' },
  { name: 'priors', value: 'A,B', summary: `samples of these: ${priorNames.join(', ')} (gaussian,mixture)` },
  outsideOption,
];

/** The words of a list with commas. */
export const words = (text: string | undefined): readonly string[] =>
  (text ?? '').split(',').filter((word) => word !== '');

/** The names that an option lists, or else the fallback; each that is unknown is a problem. */
const namesOf = <Name extends string>(
  given: Arguments,
  option: string,
  known: readonly Name[],
  fallback: readonly Name[],
): E.Either<readonly Problem[], readonly Name[]> => {
  const asked = words(given.last(option));
  const unknown = asked.filter((word) => !known.some((name) => name === word));
  return unknown.length === 0
    ? E.right(asked.length > 0 ? known.filter((name) => asked.includes(name)) : fallback)
    : E.left(
        unknown.map((word) =>
          problem(
            `--${option}`,
            JSON.stringify(word),
            `some of ${known.join(', ')}`,
            didYouMean(word, known),
          ),
        ),
      );
};

/** A list, or another where there is nothing in it. */
const or = <A>(list: readonly A[], other: readonly A[]): readonly A[] => (list.length > 0 ? list : other);

/** What is measured with what the command line asks for besides: samples of a Gaussian and of a mixture, where there are features. */
export const evaluationOf = (
  evaluation: Evaluation,
  given: Arguments,
): E.Either<readonly Problem[], Evaluation> => {
  const { metrics, features, priors } = evaluation;
  const outside = given.has('outside') ? given.all('outside') : evaluation.outside;
  const known = sampleMetrics.map(({ name }) => name);
  const scored = namesOf(given, 'metrics', known, or(metrics, ['frechet']));
  const drawn = namesOf(given, 'priors', priorNames, or(priors, ['gaussian', 'mixture']));
  if (E.isLeft(scored) || E.isLeft(drawn))
    return E.left([scored, drawn].flatMap((one) => (E.isLeft(one) ? one.left : [])));
  const asked = ['features', 'metrics', 'priors'].some(given.has);
  if (!asked) return E.right({ ...evaluation, outside });
  return E.right({
    ...evaluation,
    outside,
    metrics: scored.right,
    features: or(words(given.last('features')), or(features, ['pixels'])),
    priors: drawn.right,
  });
};
