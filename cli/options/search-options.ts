/** The options that say what a sweep varies. */
import { atLeast } from '../../dsl/lookup.js';
import * as E from 'fp-ts/lib/Either.js';
import type { Problem } from '../../dsl/index.js';
import { problem } from '../../dsl/index.js';
import { type Distribution, distributionCodec, type Sweep, trialCountProblems } from '../../runs/index.js';
import { HELD_OUT_PART } from '../../runs/run/hold-out.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import { type Arguments, naturalOption, type Option } from './arguments.js';

export const searchOptions: readonly Option[] = [
  {
    name: 'grid',
    value: 'NAME=A,B,…',
    summary: 'values of a hyper-parameter, a field or a path; repeatable',
  },
  {
    name: 'random',
    value: 'NAME=KIND:A:B',
    summary: 'KIND uniform, log or integer, or choice:A:B:…; repeatable',
  },
  { name: 'samples', value: 'N', summary: 'how often --random is drawn (10)' },
  { name: 'search-seed', value: 'N', summary: 'seed of these draws (0)' },
  { name: 'seeds', value: 'N', summary: 'each configuration with the seeds 0 … N−1 (1)' },
  {
    name: 'held-out',
    value: 'PART',
    summary: `part of the training data to validate on, or how many examples (${HELD_OUT_PART}; 0: the test data is used)`,
  },
];

type Checked<A> = E.Either<readonly Problem[], A>;

/** A number where the text is one. */
const valueOf = (text: string): number | string =>
  text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;

const kinds: Readonly<Record<string, string>> = {
  uniform: 'uniform',
  log: 'logUniform',
  integer: 'integer',
  choice: 'choice',
};

const named = <A>(
  texts: readonly string[],
  flag: string,
  expected: string,
  read: (text: string) => Checked<A> | undefined,
): Checked<Readonly<Record<string, A>>> => {
  const pairs = texts.map((text): Checked<readonly [string, A]> => {
    const at = text.lastIndexOf('=');
    const value = at < 1 ? undefined : read(text.slice(at + 1));
    return value === undefined
      ? E.left([problem(flag, JSON.stringify(text), expected)])
      : E.map((one: A) => [text.slice(0, at), one] as const)(value);
  });
  const problems = pairs.flatMap((pair) => (E.isLeft(pair) ? pair.left : []));
  return problems.length > 0
    ? E.left(problems)
    : E.right(Object.fromEntries(pairs.flatMap((pair) => (E.isRight(pair) ? [pair.right] : []))));
};

const distributionOf = (text: string): Checked<Distribution> | undefined => {
  const [kind, ...values] = atLeast(1, text.split(':'));
  if (!Object.hasOwn(kinds, kind) || values.length === 0) return undefined;
  const tag = kinds[kind];
  if (tag !== 'choice' && values.length !== 2) return undefined;
  const [from, to] = values.map(valueOf);
  const json = tag === 'choice' ? { tag, of: values.map(valueOf) } : { tag, from, to };
  return E.mapLeft((errors: Parameters<typeof problemsOf>[0]) =>
    problemsOf(errors, contextPath).map((one) => ({ ...one, path: `--random ${text}` })),
  )(distributionCodec.decode(json));
};

const partOption = (given: Arguments, fallback: number): Checked<number> => {
  const text = given.last('held-out');
  if (text === undefined) return E.right(fallback);
  const part = text.trim() === '' ? NaN : Number(text);
  return (part >= 0 && part < 1) || (Number.isSafeInteger(part) && part > 0)
    ? E.right(part)
    : E.left([problem('--held-out', JSON.stringify(text), 'a part below 1 or a number of examples')]);
};

const count = (given: Arguments, name: string, least: number, fallback: number): Checked<number> => {
  const value = naturalOption(given, name, fallback);
  return E.isRight(value) && value.right < least
    ? E.left([problem(`--${name}`, JSON.stringify(given.last(name)), 'a positive integer')])
    : value;
};

/** The sweep with what the command line varies besides. */
export const searchOf = <Evaluation>(
  sweep: Sweep<Evaluation>,
  given: Arguments,
): Checked<Sweep<Evaluation>> => {
  const grid = named(given.all('grid'), '--grid', 'NAME=A,B,…', (text) =>
    text === '' ? undefined : E.right(text.split(',').map(valueOf)),
  );
  const random = named(
    given.all('random'),
    '--random',
    'NAME=uniform:A:B, log:A:B, integer:A:B or choice:A:B:…',
    distributionOf,
  );
  const part = partOption(given, sweep.heldOut);
  const samples = count(given, 'samples', 1, given.has('random') ? 10 : sweep.samples);
  const searchSeed = count(given, 'search-seed', 0, sweep.searchSeed);
  const seeds = count(given, 'seeds', 1, sweep.seeds.length);
  const problems = [grid, random, part, samples, searchSeed, seeds].flatMap((one) =>
    E.isLeft(one) ? one.left : [],
  );
  if (E.isLeft(grid) || E.isLeft(random) || E.isLeft(part)) return E.left(problems);
  if (E.isLeft(samples) || E.isLeft(searchSeed) || E.isLeft(seeds)) return E.left(problems);
  const axes = { ...sweep.grid, ...grid.right };
  const drawn = { ...sweep.random, ...random.right };
  const draws = Object.keys(drawn).length === 0 ? 1 : samples.right;
  const points = Object.values(axes).reduce((product, axis) => product * axis.length, 1);
  const greatest =
    given.has('seeds') && seeds.right >= draws ? '--seeds' : draws >= points ? '--samples' : '--grid';
  const many = trialCountProblems(greatest, draws * points * seeds.right, sweep.spec);
  if (many.length > 0) return E.left(many);
  return E.right({
    ...sweep,
    grid: axes,
    random: drawn,
    samples: samples.right,
    searchSeed: searchSeed.right,
    seeds: given.has('seeds') ? Array.from({ length: seeds.right }, (_, seed) => seed) : sweep.seeds,
    heldOut: part.right,
  });
};
