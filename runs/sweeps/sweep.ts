/** A sweep: the trials of a grid, of a random search, or of both, over any named number or path of a specification, as pure data. */
import { elementAt } from '../../dsl/lookup.js';
import * as E from 'fp-ts/lib/Either.js';
import {
  checked,
  type Codec,
  isRecord,
  list,
  record,
  type Rows,
  struct,
  such,
  tagged,
  withDefault,
} from '../../dsl/codec/codec.js';
import { finite, nonEmptyString, nonNegativeInteger, positiveInteger } from '../../dsl/codec/primitive.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import {
  decodeExperiment,
  encodeExperiment,
  type Problem,
  SCHEMA_VERSION,
  type Settings,
} from '../../dsl/index.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import { below, runFields, settingsCodec, type Trial } from './trial.js';

type Value = number | string;

type Interval<Tag extends string> = { readonly tag: Tag; readonly from: number; readonly to: number };

/** How a random search draws a value: uniformly between two numbers, the same for its logarithm, a whole number, or one of several. */
export type Distribution =
  | Interval<'uniform'>
  | Interval<'logUniform'>
  | Interval<'integer'>
  | { readonly tag: 'choice'; readonly of: readonly Value[] };

export type Sweep<Evaluation> = Omit<Trial<Evaluation>, 'seed' | 'fingerprint'> & {
  /** Values by name or path; every combination is tried. */
  readonly grid: Readonly<Record<string, readonly Value[]>>;
  /** What is drawn at random, `samples` times; each draw meets every combination of the grid. */
  readonly random: Readonly<Record<string, Distribution>>;
  readonly samples: number;
  /** Of the random search. */
  readonly searchSeed: number;
  /** Each configuration is tried with each of these. */
  readonly seeds: readonly number[];
};

const value = such(
  'a number or a text',
  (u): u is Value => (typeof u === 'number' && Number.isFinite(u)) || typeof u === 'string',
);
const values = list('a list with at least one number or text', () => value, 1);

const integer = such('an integer', (u): u is number => Number.isSafeInteger(u));

const interval = <Tag extends 'uniform' | 'logUniform' | 'integer'>(tag: Tag): Codec<Interval<Tag>> =>
  checked(
    struct(tag, {
      tag: such(JSON.stringify(tag), (u): u is Tag => u === tag),
      from: tag === 'integer' ? integer : finite,
      to: tag === 'integer' ? integer : finite,
    }),
    ({ from, to }) => [
      ...(from > to ? [{ key: 'to', found: to, expected: `a number of at least ${from}` }] : []),
      ...(tag === 'logUniform' && from <= 0
        ? [{ key: 'from', found: from, expected: 'a positive number' }]
        : []),
    ],
  );

const rows: Rows<Distribution> = {
  uniform: interval('uniform'),
  logUniform: interval('logUniform'),
  integer: interval('integer'),
  choice: struct('choice', {
    tag: such('"choice"', (u): u is 'choice' => u === 'choice'),
    of: values,
  }),
};

/** The JSON form of a distribution that a random search draws from. */
export const distributionCodec: Codec<Distribution> = tagged<Distribution>('a distribution', rows);

const anything = such('a specification as JSON', (u): u is unknown => u !== undefined);

const sweepCodec = <Evaluation>(evaluation: Codec<Evaluation>) =>
  struct('a sweep', {
    schemaVersion: such(`the number ${SCHEMA_VERSION}`, (u): u is number => u === SCHEMA_VERSION),
    spec: anything,
    settings: withDefault(settingsCodec, {}),
    grid: withDefault(record('an object of lists by name or path', nonEmptyString, values, 0), {}),
    random: withDefault(
      record('an object of distributions by name or path', nonEmptyString, distributionCodec, 0),
      {},
    ),
    samples: withDefault(positiveInteger, 1),
    searchSeed: withDefault(nonNegativeInteger, 0),
    seeds: withDefault(
      list('a list with at least one seed', () => nonNegativeInteger, 1),
      [0],
    ),
    ...runFields,
    evaluation,
  });

/** The sweep that a JSON value means, or everything that is wrong with it. */
export const decodeSweep =
  <Evaluation>(evaluation: Codec<Evaluation>) =>
  (json: unknown): E.Either<readonly Problem[], Sweep<Evaluation>> => {
    const fields = sweepCodec(evaluation).decode(json);
    const spec = E.mapLeft(below('spec'))(decodeExperiment(isRecord(json) ? json.spec : undefined));
    if (E.isLeft(fields)) return E.left(problemsOf(fields.left, contextPath));
    if (E.isLeft(spec)) return spec;
    const { schemaVersion: _, ...rest } = fields.right;
    return E.right({ ...rest, spec: spec.right });
  };

/** The JSON form of a sweep, with every field written out. */
export const encodeSweep =
  <Evaluation>(evaluation: Codec<Evaluation>) =>
  (sweep: Sweep<Evaluation>): E.Either<readonly Problem[], unknown> =>
    E.map((spec: unknown) =>
      sweepCodec(evaluation).encode({ schemaVersion: SCHEMA_VERSION, ...sweep, spec }),
    )(encodeExperiment(sweep.spec));

const drawn = (distribution: Distribution, u: number): Value => {
  switch (distribution.tag) {
    case 'choice':
      return elementAt(distribution.of, Math.floor(u * distribution.of.length));
    case 'integer':
      return distribution.from + Math.floor(u * (distribution.to - distribution.from + 1));
    case 'uniform':
      return distribution.from + u * (distribution.to - distribution.from);
    case 'logUniform':
      return distribution.from * (distribution.to / distribution.from) ** u;
  }
};

/** Each name's draws depend on the search's seed and the name alone: more samples, or another name, change none of them. */
const randomSettings = ({ random, samples, searchSeed }: Sweep<unknown>): readonly Settings[] => {
  const columns = Object.entries(random).map(([name, distribution]) => {
    const draws = uniforms(deriveKey(searchSeed, `sweep/${name}`), [0, 0, 0], samples);
    return [name, Array.from(draws, (u) => drawn(distribution, u))] as const;
  });
  return columns.length === 0
    ? [{}]
    : Array.from({ length: samples }, (_, i) =>
        Object.fromEntries(columns.map(([name, column]) => [name, elementAt(column, i)])),
      );
};

/** Every combination of a grid, the last name varying fastest. */
export const gridSettings = (grid: Sweep<unknown>['grid']): readonly Settings[] =>
  Object.entries(grid).reduce<readonly Settings[]>(
    (before, [name, axis]) => before.flatMap((settings) => axis.map((one) => ({ ...settings, [name]: one }))),
    [{}],
  );

/** The settings that a sweep tries, each once for each seed. */
export const configurationsOf = (sweep: Sweep<unknown>): readonly Settings[] =>
  randomSettings(sweep).flatMap((sample) =>
    gridSettings(sweep.grid).map((point) => ({ ...sweep.settings, ...sample, ...point })),
  );

/** The trials of a sweep: draws × grid × seeds, the seed varying fastest. */
export const trialsOf = <Evaluation>(sweep: Sweep<Evaluation>): readonly Trial<Evaluation>[] => {
  const { spec, heldOut, backend, device, evaluation, seeds } = sweep;
  return configurationsOf(sweep).flatMap((settings) =>
    seeds.map((seed) => ({ spec, settings, seed, heldOut, backend, device, evaluation })),
  );
};

/** What tells the trials of a sweep apart: the names that the grid and the search set. */
export const axesOf = ({ grid, random }: Sweep<unknown>): readonly string[] => [
  ...new Set([...Object.keys(random), ...Object.keys(grid)]),
];
