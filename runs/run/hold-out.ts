/** The parts of the data that a run is trained on, chosen by and reported on. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Dataset, inMemory, type Source, type Split, withValidation } from '../../data/index.js';
import { type Problem, problem } from '../../dsl/index.js';

/** A split whose validation part may be its test part. */
export type Validated = Split<Source> & { readonly validation: Source };

/** What is trained on may lie elsewhere; what is scored is in memory, as the samples are that it is compared with. */
export type Parts = Validated & { readonly validation: Dataset; readonly test: Dataset };

/** The part of the training examples that is held out where nobody says otherwise. */
export const HELD_OUT_PART = 0.1;

/**
 * Holds out a part of the training examples below one, or so many of them, the same for every run; a validation part that the
 * data has stays as it is. With 0, the test part validates where the data names no other.
 */
export const holdOut = (split: Split<Source>, part: number): Either<readonly Problem[], Validated> =>
  part === 0
    ? right({ ...split, validation: split.validation ?? split.test })
    : withValidation(split, { part });

/** A split and what was held out of its training examples to make its validation part; undefined where nothing was. */
export type HeldOut = { readonly split: Split<Source>; readonly heldOut: number | undefined };

/**
 * The data with a validation part for a run that validates. Where nobody asked for one, it is held out only if enough is left for a batch:
 * a run that can train does.
 */
export const withHeldOut = (
  split: Split<Source>,
  asked: number | undefined,
  { validates, batch }: { readonly validates: boolean; readonly batch: number },
): Either<readonly Problem[], HeldOut> => {
  if (split.validation !== undefined || (!validates && asked === undefined))
    return right({ split, heldOut: undefined });
  const held = holdOut(split, asked ?? HELD_OUT_PART);
  const leaves = isLeft(held) ? 0 : held.right.train.size;
  if (leaves >= batch && !isLeft(held)) return right({ split: held.right, heldOut: asked ?? HELD_OUT_PART });
  if (asked === undefined) return right({ split, heldOut: undefined });
  if (isLeft(held)) return held;
  return left([
    problem(
      'held-out',
      `${asked} of ${split.train.size} training examples, which leaves ${leaves}`,
      `at least a batch of ${batch} to train on`,
    ),
  ]);
};

/** Brings what is scored into memory. */
export const scoredInMemory = async (split: Validated): Promise<Either<readonly Problem[], Parts>> => {
  const test = await inMemory(split.test)();
  if (isLeft(test)) return test;
  const validation = split.validation === split.test ? test : await inMemory(split.validation)();
  return isLeft(validation)
    ? validation
    : right({ ...split, validation: validation.right, test: test.right });
};
