/** Choices read from a tape of numbers: what a generator makes of a shorter tape is smaller, so counterexamples shrink. */
import { elementAt } from '../../dsl/lookup.js';
import fc from 'fast-check';

export type Tape = {
  /** A number below `bound`; 0 when the tape has ended. */
  readonly below: (bound: number) => number;
  readonly pick: <A>(options: readonly A[]) => A;
  /** How many choices are left. */
  readonly left: () => number;
};

const readingFrom = (numbers: readonly number[]): Tape => {
  let at = 0;
  const below = (bound: number): number => (at < numbers.length ? elementAt(numbers, at++) % bound : 0);
  return {
    below,
    pick: (options) => elementAt(options, below(options.length)),
    left: () => numbers.length - at,
  };
};

/** Whatever `make` makes of a random tape of at most `length` choices. */
export const fromTape = <A>(make: (tape: Tape) => A, length: number): fc.Arbitrary<A> =>
  fc
    .array(fc.noBias(fc.nat(5039)), { minLength: Math.floor(length / 4), maxLength: length, size: 'max' })
    .map((numbers) => make(readingFrom(numbers)));
