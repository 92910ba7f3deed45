/** The side of an Either that a test is about; the other side fails the test. */
import * as Either from 'fp-ts/lib/Either.js';

export const right = <E, A>(either: Either.Either<E, A>): A => {
  if (Either.isLeft(either)) throw new Error(JSON.stringify(either.left));
  return either.right;
};

export const left = <E, A>(either: Either.Either<E, A>): E => {
  if (Either.isRight(either)) throw new Error('a problem was expected');
  return either.left;
};
