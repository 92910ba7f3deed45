/** The options of a measurement; a wrong one ends the process with one line. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { type Either, isRight } from 'fp-ts/lib/Either.js';
import { type Problem, showProblem } from 'immersion/dsl';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Ends with one line: what was found where, and what was expected. */
export const refuse = (path: string, found: string, expected: string): never => {
  console.error(`bench: ${path}: found ${found}, expected ${expected}`);
  process.exit(1);
};

/** What was made; ends with a line for each problem where there is none. */
export const accepted = <A>(checked: Either<readonly Problem[], A>): A => {
  if (isRight(checked)) return checked.right;
  console.error(checked.left.map(showProblem).join('\n'));
  process.exit(1);
};

const parsed = <const O extends Options>(options: O) =>
  parseArgs({
    args: process.argv.slice(2).filter((word, i) => i > 0 || word.startsWith('-')),
    allowNegative: true,
    options,
  }).values;

/** The options that stand behind the name of the measurement. */
export const optionsOf = <const O extends Options>(options: O) => {
  try {
    return parsed(options);
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/);
    const names = Object.keys(options).map((name) => `--${name}`);
    return refuse('options', reason, names.join(', '));
  }
};

/** The words behind the name of a measurement that takes no options, at least as many as have names here. */
export const wordsOf = <const N extends readonly string[]>(
  ...names: N
): readonly [...{ readonly [I in keyof N]: string }, ...(readonly string[])] => {
  const words = process.argv.slice(3);
  const hasAll = (given: readonly string[]): given is readonly [...{ readonly [I in keyof N]: string }] =>
    given.length >= names.length;
  const option = words.find((word) => word.startsWith('-'));
  if (option !== undefined) return refuse('options', option, `none, but ${names.join(' ')}`);
  return hasAll(words) ? words : refuse(names[words.length] ?? '', 'nothing', names.join(' '));
};

/** An option that is a number above 0. */
export const numberOf = <K extends string>(values: { readonly [P in K]: string }, name: K): number => {
  const value = Number(values[name]);
  return value > 0 && value < Infinity ? value : refuse(`--${name}`, values[name], 'a number above 0');
};

/** `wall`, or the processor's clock. */
export const clockOf = ({ clock }: { readonly clock: string }): 'wall' | 'cpu' =>
  clock === 'cpu' || clock === 'wall' ? clock : refuse('--clock', clock, 'wall or cpu');

/** The command that this process was started by, as it is typed in a checkout. */
export const commandLine = (): string => ['npm run bench --', ...process.argv.slice(2)].join(' ');
