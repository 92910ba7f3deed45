/** Feature maps by name, or by the path of a graph, made for the data at hand. */
import { entryOf } from '../../dsl/lookup.js';
import { existsSync } from 'node:fs';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { labelsOf, type Source } from '../../data/index.js';
import { didYouMean, type Problem, problem } from '../../dsl/index.js';
import type { Backend } from '../../runs/index.js';
import { classifier } from './classifier.js';
import type { FeatureMap } from './feature-map.js';
import { graphFeatures } from './graph.js';
import { pixels } from './pixels.js';
import { raw, rawProblems } from './raw.js';

type Opened = Either<readonly Problem[], FeatureMap>;

export type FeatureContext = {
  readonly train: Source;
  /** Examples in the samples that will be scored. */
  readonly samples: number;
  readonly backend: Backend;
};

const known: Readonly<Record<string, (context: FeatureContext) => Promise<Opened>>> = {
  pixels: ({ train, samples }) => pixels(train, { samples }),
  raw: ({ train, samples }) => Promise.resolve(raw(train, { samples })),
  // One seed for all models, or their scores could not be compared.
  classifier: ({ train, samples, backend }) => classifier(train, { backend, samples }),
};

/** Words are names; whatever has a slash or a dot in it is a path. */
export const isPath = (name: string): boolean => /[./\\]/.test(name);

const unknown = (name: string): readonly Problem[] => {
  const names = Object.keys(known);
  const expected = `${names.join(', ')}, or the path of a graph`;
  return [problem('features', JSON.stringify(name), expected, didYouMean(name, names))];
};

/**
 * What is wrong before any is made: a name that is none, a file that is not there, a classifier of data without labels, examples of
 * more numbers than samples of so many can carry.
 */
export const featureProblems = (
  names: readonly string[],
  train: Source,
  samples: number,
): readonly Problem[] =>
  names.flatMap((name) => {
    if (isPath(name)) return existsSync(name) ? [] : [problem(name, 'nothing there', 'a graph of features')];
    if (!Object.hasOwn(known, name)) return unknown(name);
    if (name === 'raw') return rawProblems(train, samples);
    return name === 'classifier' && labelsOf(train) === undefined
      ? [problem('features', `no labels in ${train.name}`, 'labels for "classifier"', 'use "pixels"')]
      : [];
  });

const openOne = (name: string, context: FeatureContext): Promise<Opened> => {
  if (isPath(name)) return graphFeatures(name, { shape: context.train.shape });
  return Object.hasOwn(known, name) ? entryOf(known, name)(context) : Promise.resolve(left(unknown(name)));
};

/** Opens each; where one cannot be had, none stays open. */
export const openFeatures = async (
  names: readonly string[],
  context: FeatureContext,
): Promise<Either<readonly Problem[], readonly FeatureMap[]>> => {
  const maps: FeatureMap[] = [];
  for (const name of names) {
    const map = await openOne(name, context);
    if (isLeft(map)) {
      maps.forEach(({ dispose }) => dispose());
      return map;
    }
    maps.push(map.right);
  }
  return right(maps);
};
