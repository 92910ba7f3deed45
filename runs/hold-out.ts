/** The parts of the data that a trial is trained on, chosen by and reported on. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { type Dataset, inMemory, type Source, type Split, withValidation } from '../data/index.js';
import type { Problem } from '../dsl/index.js';

/** A split whose validation part may be its test part. */
export type Validated = Split<Source> & { readonly validation: Source };

/** What is trained on may lie elsewhere; what is scored is in memory, as the samples are that it is compared with. */
export type Parts = Validated & { readonly validation: Dataset; readonly test: Dataset };

/** The part of the training examples that is held out where nobody says otherwise. */
export const HELD_OUT_PART = 0.1;

/**
 * Holds out a part of the training examples below one, or so many of them, the same for every trial; a validation part that the
 * data has stays as it is. With 0, the test part validates where the data names no other.
 */
export const holdOut = (split: Split<Source>, part: number): Either<readonly Problem[], Validated> =>
  part === 0
    ? right({ ...split, validation: split.validation ?? split.test })
    : withValidation(split, { part });

/** Brings what is scored into memory. */
export const scoredInMemory = async (split: Validated): Promise<Either<readonly Problem[], Parts>> => {
  const test = await inMemory(split.test)();
  if (isLeft(test)) return test;
  const validation = split.validation === split.test ? test : await inMemory(split.validation)();
  return isLeft(validation)
    ? validation
    : right({ ...split, validation: validation.right, test: test.right });
};
