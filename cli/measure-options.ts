/** The options that say what the trials of a sweep measure. */
import * as E from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../dsl/index.js';
import { type Evaluation, sampleMetrics } from '../evaluation/index.js';
import type { Arguments, Option } from './arguments.js';
import { outsideOption } from './train.js';

export const measureOptions: readonly Option[] = [
  {
    name: 'features',
    value: 'A,B',
    summary: 'scores reconstructions and samples over pixels, classifier, or the path of a graph',
  },
  { name: 'metrics', value: 'A,B', summary: 'by these metrics (frechet)' },
  outsideOption,
];

/** The words of a list with commas. */
export const words = (text: string | undefined): readonly string[] =>
  (text ?? '').split(',').filter((word) => word !== '');

const metricsOf = (
  given: Arguments,
  fallback: readonly string[],
): E.Either<readonly Problem[], readonly string[]> => {
  const names = words(given.last('metrics'));
  const known = sampleMetrics.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  return unknown.length === 0
    ? E.right(names.length > 0 ? names : fallback)
    : E.left(
        unknown.map((name) =>
          problem('--metrics', JSON.stringify(name), `some of ${known.join(', ')}`, didYouMean(name, known)),
        ),
      );
};

/** What is measured with what the command line asks for besides: samples of a Gaussian and of a mixture, where there are features. */
export const evaluationOf = (
  evaluation: Evaluation,
  given: Arguments,
): E.Either<readonly Problem[], Evaluation> => {
  const features = words(given.last('features'));
  const outside = given.has('outside') ? given.all('outside') : evaluation.outside;
  const asked = given.has('features') || given.has('metrics');
  const metrics = metricsOf(given, evaluation.metrics.length > 0 ? evaluation.metrics : ['frechet']);
  if (E.isLeft(metrics)) return metrics;
  if (!asked) return E.right({ ...evaluation, outside });
  return E.right({
    ...evaluation,
    outside,
    metrics: metrics.right,
    features:
      features.length > 0 ? features : evaluation.features.length > 0 ? evaluation.features : ['pixels'],
    priors: evaluation.priors.length > 0 ? evaluation.priors : ['gaussian', 'mixture'],
  });
};
