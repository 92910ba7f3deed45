/** A validation part: some of the training examples, chosen by a seed and taken out of training. */
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../dsl/problem.js';
import { deriveKey, uniforms } from '../dsl/random.js';
import { permutation } from './batches.js';
import { select, type Source, type Split } from './dataset.js';

type Validated<S extends Source> = Split<S> & { readonly validation: S };

export type ValidationOptions = {
  /** How many examples, or, below one, which part of the training set; a tenth unless given. */
  readonly part?: number;
  readonly seed?: number;
};

/** Holds out a part of the training set. A split that has a validation part stays as it is. */
export function withValidation(
  split: Split,
  options?: ValidationOptions,
): Either<readonly Problem[], Validated<Split['train']>>;
export function withValidation(
  split: Split<Source>,
  options?: ValidationOptions,
): Either<readonly Problem[], Validated<Source>>;
export function withValidation(
  split: Split<Source>,
  { part = 0.1, seed = 0 }: ValidationOptions = {},
): Either<readonly Problem[], Validated<Source>> {
  const { train, validation } = split;
  if (validation !== undefined) return right({ ...split, validation });
  const count = part < 1 ? Math.round(part * train.size) : part;
  if (!Number.isInteger(count) || count < 1 || count >= train.size)
    return left([
      problem(
        'validation',
        `${part} of ${train.size} training examples`,
        'at least one, and at least one left to train on',
      ),
    ]);
  const key = deriveKey(seed, 'data/validation');
  const order = permutation(train.size, 0, (epoch, size) => uniforms(key, [0, 0, epoch], size));
  // In the order of the file, so that labels and pictures stay easy to follow.
  const held = order.slice(0, count).sort();
  const kept = order.slice(count).sort();
  return right({
    ...split,
    train: select(train, train.name, kept),
    validation: select(train, `${train.name.replace(/ \(train\)$/, '')} (validation)`, held),
  });
}
