/**
 * Laws checked: in one world, in many, and for all that an arbitrary gives. What fails throws an error whose message is a counterexample,
 * which is how tests fail in vitest, jest and plain Node alike.
 */
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import { showProblem } from '../dsl/problem.js';
import { counterexampleText } from './counterexample.js';
import type { Claim, Law } from './laws.js';
import type { Behaviour } from './meaning.js';
import { verdictOf } from './verdict.js';
import { type World, worlds } from './world.js';

export type CheckOptions = {
  /** How many cases are tried. Default 100. */
  readonly runs?: number;
  /** Of the cases: the same seed, the same cases. Default fast-check's own, which the message tells. */
  readonly seed?: number;
  /** How networks behave. Default `evaluation`; gradients are those of training. */
  readonly behaviour?: Behaviour;
  /** Examples at once, up to which batches are tried. Default 3. */
  readonly examples?: number;
};

type Case = { readonly law: Law; readonly world: World };

const verdict = ({ law, world }: Case, behaviour: Behaviour) => {
  const found = verdictOf(law, behaviour, world);
  if (isLeft(found)) throw new Error(found.left.map(showProblem).join('\n'));
  return found.right;
};

const message = (claim: Claim, why: string, behaviour: Behaviour, world: World, how: string): string =>
  [why, ...(how === '' ? [] : [how]), '', counterexampleText(claim, behaviour, world)].join('\n');

/** A law in one world: throws where it does not hold there, or says nothing. */
const checkAt = (law: Law, world: World, behaviour: Behaviour): void => {
  const found = verdict({ law, world }, behaviour);
  if (found.tag === 'fails') throw new Error(message(found.claim, found.why, behaviour, world, ''));
  if (found.tag === 'open') throw new Error('there is nothing to compare with in this world');
};

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/**
 * A law for everything that an arbitrary gives: `forAll(autoencoders(), ({ decoder }) => upperBounds(…))`. Throws for the smallest
 * counterexample that is found, with TypeScript that makes it again.
 */
export const forAll = <A>(of: fc.Arbitrary<A>, law: (value: A) => Law, options: CheckOptions = {}): void => {
  const { runs = 100, seed, behaviour = 'evaluation', examples = 3 } = options;
  const property = fc.property(
    of,
    worlds({ least: behaviour === 'training' ? 2 : 1, most: examples }),
    (value, world) => {
      const found = verdict({ law: law(value), world }, behaviour);
      fc.pre(found.tag !== 'open');
      return found.tag === 'holds';
    },
  );
  const {
    failed,
    counterexample,
    numShrinks,
    numSkips,
    seed: used,
  } = fc.check(property, {
    numRuns: runs,
    ...(seed === undefined ? {} : { seed }),
  });
  if (!failed) return;
  if (counterexample === null)
    throw new Error(`there was nothing to compare with in ${plural(numSkips, 'case')}: too many to go on`);
  const [value, world] = counterexample;
  // What is ill-formed, or what makes the law, throws here as it did there.
  const own = law(value);
  const found = verdict({ law: own, world }, behaviour);
  if (found.tag !== 'fails') throw new Error('a case that failed holds when it is looked at again');
  const how = `the smallest counterexample after ${plural(numShrinks, 'step')} of shrinking, of seed ${used}`;
  throw new Error(message(found.claim, found.why, behaviour, world, how));
};

/** A law of expressions as they are: in the world `at`, or in many. */
export const check = (law: Law, options: CheckOptions & { readonly at?: World } = {}): void => {
  const { at, ...rest } = options;
  if (at === undefined) forAll(fc.constant(law), (own) => own, rest);
  else checkAt(law, at, rest.behaviour ?? 'evaluation');
};
