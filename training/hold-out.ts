/** A part of the training data held out for validation, the same rows for every trial. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Dataset, permutation, select, type Split } from '../data/index.js';
import { type Problem, problem } from '../dsl/index.js';
import { deriveKey, uniforms } from '../dsl/random.js';

/** Training, validation and test data. Where nothing is held out, validation is the test data. */
export type Parts = { readonly train: Dataset; readonly validation: Dataset; readonly test: Dataset };

const order = (size: number): readonly number[] => {
  const key = deriveKey(0, 'hold out');
  return [...permutation(size, 0, (_, count) => uniforms(key, [0, 0, 0], count))];
};

/** Holds out ⌊part · size⌋ examples of the training data, chosen at random by a fixed key. */
export const holdOut = ({ train, test }: Split, part: number): Either<readonly Problem[], Parts> => {
  if (part === 0) return right({ train, validation: test, test });
  const count = part < 1 ? Math.round(part * train.size) : part;
  if (count < 1 || count >= train.size) {
    const found = `${part} of ${train.size} examples`;
    return left([problem('validation', found, 'a part that is at least one example')]);
  }
  const rows = order(train.size);
  const chosen = (from: number, to?: number): readonly number[] => rows.slice(from, to).sort((a, b) => a - b);
  return right({
    train: select(train, train.name, chosen(count)),
    validation: select(train, `${train.name} (validation)`, chosen(0, count)),
    test,
  });
};
