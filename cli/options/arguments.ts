/** From the words of a command line to a command's options; every mistake at once, unknown names with the nearest known one. */
import { parseArgs } from 'node:util';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../../dsl/index.js';

export type Option = {
  readonly name: string;
  /** One letter, for `-n` beside `--number`. */
  readonly short?: string;
  /** The placeholder of its value in the usage text; absent for a flag. */
  readonly value?: string;
  readonly summary: string;
};

export type Arguments = {
  readonly positionals: readonly string[];
  /** Values of an option, in the order given. */
  readonly all: (name: string) => readonly string[];
  /** The last value of an option. */
  readonly last: (name: string) => string | undefined;
  readonly has: (name: string) => boolean;
};

export const jsonOption: Option = { name: 'json', summary: 'one JSON result on stdout, all else on stderr' };
export const helpOption: Option = { name: 'help', summary: 'these words' };

/** Whether `--json` was asked for, known before the rest is understood. */
export const wantsJson = (args: readonly string[]): boolean => args.includes('--json');

const flag = (name: string): string => `--${name}`;

type Given = { readonly name: string; readonly value?: string };

const valueProblem = (name: string, placeholder: string): Problem =>
  problem(flag(name), 'no value', `${flag(name)} ${placeholder}`);

/** Reads options and positional words; `names` are those of the positional words, `[NAME]` one that may be left out, `[NAME…]` any number of them. */
export const readArguments = (
  args: readonly string[],
  options: readonly Option[],
  names: readonly string[],
): Either<readonly Problem[], Arguments> => {
  const known = new Map([...options, jsonOption, helpOption].map((option) => [option.name, option]));
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      [...known.values()].map(({ name, short, value }) => [
        name,
        {
          type: value === undefined ? ('boolean' as const) : ('string' as const),
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
  });
  const problems: Problem[] = [];
  const given: Given[] = [];
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = known.get(token.name);
    if (option === undefined) {
      const guess = didYouMean(token.rawName, [...known.keys()].map(flag));
      problems.push(
        problem(token.rawName, 'an unknown option', [...known.keys()].map(flag).join(', '), guess),
      );
    } else if (option.value === undefined) {
      if (token.value === undefined) given.push({ name: token.name });
      else problems.push(problem(flag(token.name), JSON.stringify(token.value), 'no value'));
    } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))) {
      problems.push(valueProblem(token.name, option.value));
    } else given.push({ name: token.name, value: token.value });
  }
  names
    .slice(positionals.length)
    .filter((name) => !name.startsWith('['))
    .forEach((name) => problems.push(problem(name, 'nothing', `immersion … ${names.join(' ')}`)));
  positionals
    .slice(names.at(-1)?.endsWith('…]') === true ? positionals.length : names.length)
    .forEach((word) =>
      problems.push(
        problem(word, 'one word too many', names.length === 0 ? 'options only' : names.join(' ')),
      ),
    );
  const all = (name: string): readonly string[] =>
    given.flatMap((one) => (one.name === name && one.value !== undefined ? [one.value] : []));
  return problems.length > 0
    ? left(problems)
    : right({
        positionals,
        all,
        last: (name) => all(name).at(-1),
        has: (name) => given.some((one) => one.name === name),
      });
};

/** A whole number from 0 on; `fallback` where the option is not given. */
export const naturalOption = (
  args: Arguments,
  name: string,
  fallback: number,
): Either<readonly Problem[], number> => {
  const text = args.last(name);
  if (text === undefined) return right(fallback);
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value)
    ? right(value)
    : left([problem(flag(name), JSON.stringify(text), 'a non-negative integer')]);
};

/** `--set NAME=VALUE` as pairs. */
export const assignments = (
  texts: readonly string[],
  option = '--set',
): Either<readonly Problem[], readonly (readonly [string, string])[]> => {
  const problems = texts
    .filter((text) => !/^[^=]+=[^]+$/.test(text))
    .map((text) => problem(option, JSON.stringify(text), 'NAME=VALUE'));
  return problems.length > 0
    ? left(problems)
    : right(texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
};
