/** Whether a law holds in one world: its claims looked at one by one. */
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../dsl/problem.js';
import { showShape } from '../dsl/shape.js';
import {
  askedOf,
  type Checked,
  type Comparison,
  elementOf,
  givenIn,
  holds,
  type Inputs,
  isInMean,
  isProblems,
  margin,
  open,
  settingOf,
  shown,
  sideOf,
  type Verdict,
  whichOf,
} from './comparison.js';
import { comparedInMean } from './in-mean.js';
import type { Node } from '../dsl/grammar.js';
import type { Claim, Law } from './laws.js';
import { type Behaviour, type Calculation, calculationOf, valuesOf } from './meaning.js';
import { sloped } from './slope.js';
import type { World } from './world.js';

/** Element by element, in one world. */
const compared = (claim: Comparison, calculation: Calculation, inputs: Inputs): Verdict => {
  const [a, b] = [sideOf(calculation, inputs, 'left'), sideOf(calculation, inputs, 'right')];
  const count = Math.max(a.length, b.length);
  const [first, second] = claim.names;
  const isEqual = claim.tag === 'equal';
  const wrongAt = (i: number): boolean => {
    const [x, y] = [elementOf(a, i, count), elementOf(b, i, count)];
    const by = margin(y, claim.tolerance);
    return !Number.isNaN(y) && x !== y && !(isEqual ? Math.abs(x - y) <= by : x >= y - by);
  };
  const wrong = Array.from({ length: count }, (_, i) => i).find(wrongAt);
  if (wrong === undefined) return b.every(Number.isNaN) ? open : holds;
  const [x, y] = [elementOf(a, wrong, count), elementOf(b, wrong, count)];
  const expected = isEqual ? 'the same' : 'at least that';
  const why =
    typeof claim.right === 'number'
      ? `${first} is ${shown(x)}, expected ${isEqual ? '' : 'at least '}${shown(y)}`
      : `${first} is ${shown(x)} where ${second} is ${shown(y)}, expected ${expected}`;
  return { tag: 'fails', claim, why: `${why}${whichOf(wrong, count)}` };
};

/** The sides of a comparison have one shape, or one of them is a scalar. */
const misfit = (claim: Claim, { shapes }: Calculation): readonly Problem[] => {
  const [a, b] = [shapes.get('left') ?? [], shapes.get('right') ?? []];
  if (claim.tag === 'gradient')
    return a.length === 0
      ? []
      : [problem('loss', showShape(a), 'a scalar', 'reduce it with sum, sqNorm or norm')];
  return a.length === 0 || b.length === 0 || a.join() === b.join()
    ? []
    : [problem(claim.names[1], showShape(b), `${showShape(a)}, the shape of ${claim.names[0]}`)];
};

/** Whether what a claim is made under holds in a world. */
const isGiven = (
  condition: Node,
  { behaviour, batch }: ReturnType<typeof settingOf>,
  world: World,
): Checked<boolean> => {
  const calculation = calculationOf({ condition }, behaviour, batch);
  if (isLeft(calculation)) return calculation;
  const inputs = givenIn(calculation.right, world);
  if (isProblems(inputs)) return left(inputs);
  return right(
    valuesOf(calculation.right.program, inputs)
      .get('condition')
      ?.every((value) => value > 0) ?? false,
  );
};

const decided = (claim: Claim, behaviour: Behaviour, world: World): Checked<Verdict> => {
  const setting = settingOf(claim, behaviour, world.batch);
  const holdsHere = claim.given === undefined ? right(true) : isGiven(claim.given, setting, world);
  if (isLeft(holdsHere)) return holdsHere;
  if (!holdsHere.right) return right(open);
  const law = (batch: number): Checked<Calculation> => {
    const calculation = calculationOf(askedOf(claim), setting.behaviour, batch);
    if (isLeft(calculation)) return calculation;
    const wrong = misfit(claim, calculation.right);
    return wrong.length > 0 ? left(wrong) : calculation;
  };
  if (claim.tag !== 'gradient' && isInMean(claim)) return comparedInMean(claim, law, world);
  const calculation = law(setting.batch);
  if (isLeft(calculation)) return calculation;
  const inputs = givenIn(calculation.right, world);
  if (isProblems(inputs)) return left(inputs);
  return right(
    claim.tag === 'gradient'
      ? sloped(claim, calculation.right, inputs, world.seed ?? 0)
      : compared(claim, calculation.right, inputs),
  );
};

/** The first claim that fails; open where none fails and none says anything. */
export const verdictOf = (law: Law, behaviour: Behaviour, world: World): Checked<Verdict> => {
  let said = false;
  for (const claim of law) {
    const verdict = decided(claim, behaviour, world);
    if (isLeft(verdict) || verdict.right.tag === 'fails') return verdict;
    said ||= verdict.right.tag === 'holds';
  }
  return right(said ? holds : open);
};
