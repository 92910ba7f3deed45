/** Settings of a reader or a generator: named values with a default and a check, given as text (`circle?kappa=2&count=100`) or as an object. */
import { atLeast } from '../dsl/lookup.js';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { mapWithIndex } from 'fp-ts/lib/Record.js';
import { didYouMean, type Problem, problem } from '../dsl/problem.js';

export type Setting<A> = {
  readonly fallback: A;
  /** What is accepted, in words. */
  readonly expected: string;
  /** The value that a text stands for; whatever `accepts` then refuses is a problem. */
  readonly parse: (text: string) => unknown;
  readonly accepts: (value: unknown) => value is A;
};

export type Settings = Readonly<Record<string, Setting<unknown>>>;

export type ValuesOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer A> ? A : never;
};

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

const numeric = (
  fallback: number,
  expected: string,
  accepts: (value: number) => boolean,
): Setting<number> => ({
  fallback,
  expected,
  parse: (text) => (text.trim() === '' ? NaN : Number(text)),
  accepts: (value): value is number => isNumber(value) && accepts(value),
});

export const real = (fallback: number): Setting<number> => numeric(fallback, 'a finite number', () => true);

export const positive = (fallback: number): Setting<number> =>
  numeric(fallback, 'a positive number', (value) => value > 0);

/** From `least` to `most`, both included. */
export const between = (fallback: number, least: number, most: number): Setting<number> =>
  numeric(fallback, `a number from ${least} to ${most}`, (value) => value >= least && value <= most);

/** An integer from `least` to `most`, both included. */
export const integer = (fallback: number, least: number, most = 2 ** 31 - 1): Setting<number> =>
  numeric(
    fallback,
    `an integer from ${least} to ${most}`,
    (value) => Number.isInteger(value) && value >= least && value <= most,
  );

/** One of a few words. */
export const word = <const W extends string>(fallback: NoInfer<W>, ...words: readonly W[]): Setting<W> => ({
  fallback,
  expected: `one of ${words.join(', ')}`,
  parse: (text) => text,
  accepts: (value): value is W => words.some((known) => known === value),
});

/** Any text; empty where nothing is given. */
export const text = (expected: string): Setting<string> => ({
  fallback: '',
  expected,
  parse: (given) => given,
  accepts: (value): value is string => typeof value === 'string',
});

/** `name`, `name=yes` or `name=no`. */
export const flag = (fallback: boolean): Setting<boolean> => ({
  fallback,
  expected: 'yes or no',
  parse: (given) => (given === 'yes' || given === '' ? true : given === 'no' ? false : given),
  accepts: (value): value is boolean => typeof value === 'boolean',
});

const showValue = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : String(value);

const checked = <S extends Settings>(
  path: string,
  settings: S,
  given: ReadonlyMap<string, unknown>,
  others: readonly string[],
): Either<readonly Problem[], ValuesOf<S>> => {
  const names = [...others, ...Object.keys(settings)];
  const problems = [...given].flatMap(([name, value]) => {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (setting === undefined)
      return [
        problem(
          path,
          `the setting ${JSON.stringify(name)}`,
          names.length === 0 ? 'no settings' : `one of ${names.join(', ')}`,
          didYouMean(name, names),
        ),
      ];
    return setting.accepts(typeof value === 'string' ? setting.parse(value) : value)
      ? []
      : [problem(`${path}?${name}`, showValue(value), setting.expected)];
  });
  if (problems.length > 0) return left(problems);
  const values = mapWithIndex((name: string, setting: Setting<unknown>) => {
    const value = given.get(name);
    return value === undefined ? setting.fallback : typeof value === 'string' ? setting.parse(value) : value;
  })(settings);
  return right(valuesOf(values));
};

/** What the settings' own predicates have accepted, under the type that they promise. */
const valuesOf = <S extends Settings>(values: Readonly<Record<string, unknown>>): ValuesOf<S> =>
  Object.fromEntries(Object.entries(values).map((entry): readonly unknown[] => entry));

/** Values given in TypeScript over the defaults. */
export const withDefaults = <S extends Settings>(
  path: string,
  settings: S,
  given: Partial<ValuesOf<S>>,
): Either<readonly Problem[], ValuesOf<S>> =>
  checked(path, settings, new Map(Object.entries(given).filter(([, value]) => value !== undefined)), []);

/** A reference's name and what follows its `?`, by name; a setting without `=` has the value ''. */
export type Reference = { readonly name: string; readonly given: ReadonlyMap<string, string> };

export const parseReference = (reference: string): Reference => {
  const [name, ...rest] = atLeast(1, reference.split('?'));
  const pairs = rest.join('?').split('&');
  return {
    name,
    given: new Map(
      pairs
        .filter((pair) => pair !== '')
        .map((pair) => {
          const at = pair.indexOf('=');
          return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
        }),
    ),
  };
};

/** The settings in a reference over the defaults; `others` are names that would have been right as well. */
export const readSettings = <S extends Settings>(
  { name, given }: Reference,
  settings: S,
  others: readonly string[] = [],
): Either<readonly Problem[], ValuesOf<S>> => checked(name, settings, given, others);
