/** Examples as they are: the features of tables with few columns. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { Source } from '../../data/index.js';
import { type Problem, problem, sizeOf } from '../../dsl/index.js';
import { EXAMPLES_PER_FEATURE, type FeatureMap } from './feature-map.js';

/** What is wrong with scoring samples of so many examples as they are. */
export const rawProblems = ({ name, shape }: Source, samples: number): readonly Problem[] => {
  const width = sizeOf(shape);
  const most = Math.floor(samples / EXAMPLES_PER_FEATURE);
  return width <= most
    ? []
    : [
        problem(
          'features',
          `"raw", the ${width} numbers of an example of ${name}`,
          `at most ${most} for ${samples} examples to score against, ${EXAMPLES_PER_FEATURE} for each`,
          'use "pixels", their principal components',
        ),
      ];
};

/** Features `raw` for samples of `samples` examples; a problem where these cannot carry as many. */
export const raw = (
  train: Source,
  { samples }: { readonly samples: number },
): Either<readonly Problem[], FeatureMap> => {
  const problems = rawProblems(train, samples);
  const size = sizeOf(train.shape);
  return problems.length > 0
    ? left(problems)
    : right({ name: 'raw', size, apply: (all) => Promise.resolve(all), dispose: () => undefined });
};
