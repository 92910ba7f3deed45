/** What a claim comes to, and how two numbers are compared: shared by claims in one world and on the average. */
import type { Either } from 'fp-ts/lib/Either.js';
import { constant } from '../dsl/expressions/expression.js';
import type { Node } from '../dsl/grammar.js';
import { floatAt, internalError } from '../dsl/lookup.js';
import { type Problem, problem } from '../dsl/problem.js';
import type { Claim, Side } from './laws.js';
import { type Behaviour, type Calculation, valuesOf } from './meaning.js';
import { inputsIn, type World } from './world.js';

/** `open`: there is nothing to compare with in this world. */
export type Verdict =
  | { readonly tag: 'holds' }
  | { readonly tag: 'open' }
  | { readonly tag: 'fails'; readonly claim: Claim; readonly why: string };

export type Checked<A> = Either<readonly Problem[], A>;
export type Inputs = ReadonlyMap<string, Float64Array>;
export type Comparison = Extract<Claim, { readonly tag: 'atLeast' | 'equal' }>;

export const holds: Verdict = { tag: 'holds' };
export const open: Verdict = { tag: 'open' };

const isMean = (side: Side): side is Extract<Side, { readonly tag: 'inMean' }> =>
  typeof side !== 'number' && side.tag === 'inMean';

/** The expression of a side. */
export const nodeOf = (side: Side): Node =>
  typeof side === 'number' ? constant(side) : isMean(side) ? side.of : side;

export const isInMean = ({ left, right }: Comparison): boolean => isMean(left) || isMean(right);

/** Expressions and behaviour that a claim is about. */
export const askedOf = (claim: Claim): Readonly<Record<string, Node>> =>
  claim.tag === 'gradient' ? { left: claim.of } : { left: nodeOf(claim.left), right: nodeOf(claim.right) };

/** A gradient is that of training, where a statistic of one example would be none; a claim in mean is about one example. */
export const settingOf = (
  claim: Claim,
  behaviour: Behaviour,
  batch = 1,
): { readonly behaviour: Behaviour; readonly batch: number } =>
  claim.tag === 'gradient'
    ? { behaviour: 'training', batch: Math.max(2, batch) }
    : { behaviour, batch: isInMean(claim) ? 1 : batch };

export const shown = (value: number): string => String(Number(value.toPrecision(7)));

/** Which of several elements, in words. */
export const whichOf = (i: number, count: number): string =>
  count === 1 ? '' : ` (element ${i} of ${count})`;

/** The values of a side, example by example. */
export const sideOf = (calculation: Calculation, inputs: Inputs, side: 'left' | 'right'): Float64Array =>
  valuesOf(calculation.program, inputs).get(side) ?? internalError(`no value of the ${side} side`);

/** Element i of `count`: a scalar of an example stands for all elements of it. */
export const elementOf = (values: Float64Array, i: number, count: number): number =>
  floatAt(values, Math.floor((i * values.length) / count));

/** How far a number may be off. */
export const margin = (right: number, tolerance: number): number => tolerance * Math.max(1, Math.abs(right));

/** The inputs of a calculation in a world, or the problem with those given. */
export const givenIn = (calculation: Calculation, world: World): Inputs | readonly Problem[] => {
  const inputs = inputsIn(calculation, world);
  return typeof inputs === 'string'
    ? [problem('world.values', inputs, 'as many numbers as it takes')]
    : inputs;
};

export const isProblems = (found: Inputs | readonly Problem[]): found is readonly Problem[] =>
  Array.isArray(found);
