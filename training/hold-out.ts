/** The parts of the data that a trial is trained on, chosen by and reported on. */
import { type Either, right } from 'fp-ts/lib/Either.js';
import { type Dataset, type Split, withValidation } from '../data/index.js';
import type { Problem } from '../dsl/index.js';

/** Every split has a training and a test part; of these, the latter validates where nothing else does. */
export type Parts = Split & { readonly validation: Dataset };

/**
 * Holds out a part of the training examples below one, or so many of them, the same for every trial. With 0, validation is what the
 * data names so, or the test part.
 */
export const holdOut = (split: Split, part: number): Either<readonly Problem[], Parts> =>
  part === 0
    ? right({ ...split, validation: split.validation ?? split.test })
    : withValidation(split, { part });
