/** From the parts that a file has to a split: what is missing is held out, and what was asked for is standardised. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../dsl/problem.js';
import { partsOf, type Source, type Split, split } from './dataset.js';
import { flag, integer, type ValuesOf } from './settings.js';
import { plainPreprocessing } from './preprocessing/preprocessing.js';
import { preprocessSplit } from './preprocessing/source.js';

type Problems = readonly Problem[];

/** A file that is its own test set gives up every sixth example, as the bundled digits do. */
export const HELD_OUT = 6;

/** `holdOut`: every how manieth example is held out for testing where there is no test set; `standardize`: mean 0 and deviation 1 in every element. */
export const splitSettings = {
  holdOut: integer(HELD_OUT, 2),
  standardize: flag(false),
} as const;

type Parts =
  | { readonly all: Source | undefined }
  | {
      readonly train: Source | undefined;
      readonly test: Source | undefined;
      readonly validation?: Source | undefined;
    };

/** Every n-th example becomes the test set. */
export const holdOutEvery = (path: string, all: Source, every: number): Either<Problems, Split<Source>> =>
  all.size >= every
    ? right(split(all, every))
    : left([problem(path, `${all.size} examples`, `at least ${every}, since every ${every}th is held out`)]);

/** The parts of a split hold examples of one shape. */
export const sameShapes = (path: string, given: Split<Source>): Either<Problems, Split<Source>> => {
  const expected = given.train.shape.join(', ');
  const other = partsOf(given).find((part) => part.shape.join(', ') !== expected);
  return other === undefined
    ? right(given)
    : left([
        problem(
          path,
          `${other.name} of shape [${other.shape.join(', ')}]`,
          `[${expected}], as the training set`,
        ),
      ]);
};

const assembled = (path: string, parts: Parts, every: number): Either<Problems, Split<Source>> => {
  const train = 'all' in parts ? parts.all : parts.train;
  if (train === undefined) return left([problem(path, 'no examples to train on', 'a training set')]);
  const { test, validation } = 'all' in parts ? {} : parts;
  const whole = test === undefined ? holdOutEvery(path, train, every) : right({ train, test });
  if (isLeft(whole) || validation === undefined) return whole;
  return right({ ...whole.right, validation });
};

/** A split of the parts there are. */
export const withParts =
  (path: string, { holdOut, standardize }: ValuesOf<typeof splitSettings>) =>
  (parts: Parts): TaskEither.TaskEither<Problems, Split<Source>> =>
    pipe(
      TaskEither.fromEither(assembled(path, parts, holdOut)),
      TaskEither.chainEitherK((given) => sameShapes(path, given)),
      TaskEither.chain((given) =>
        preprocessSplit(path, plainPreprocessing(given.train.shape), standardize, given),
      ),
    );
