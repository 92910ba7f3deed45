/**
 * Experiments as JSON and back. In JSON, expressions refer to networks by name, and `networks` holds each structure
 * once; a TypeScript value is checked by the same codecs with the networks in place.
 */
import { elementAt } from '../lookup.js';
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts/lib/index.js';
import { densityProblems } from '../expressions/log-density.js';
import type { Experiment } from '../experiment.js';
import { experiment } from '../experiment.js';
import { turnedProblems } from '../data-shape.js';
import { mistakesIn } from '../mistake.js';
import { nameProblems, networksOf } from '../names.js';
import type { NetworkValue } from '../network.js';
import { invert, written as writtenNetwork } from '../network.js';
import type { Path } from '../path.js';
import type { Problem } from '../problem.js';
import { didYouMean, problem } from '../problem.js';
import { valueProblems } from '../values.js';
import type { Codec } from './codec.js';
import {
  checked,
  failedBefore,
  isRecord,
  mapped,
  optional,
  record,
  remembered,
  struct,
  such,
} from './codec.js';
import { languageOf } from './language.js';
import { bodyCodec, createNetworkCodec, inversionIssues } from './network.js';
import { optimizerCodec } from './optimizer.js';
import { name, nonEmptyString, nonNegativeInteger, positiveInteger } from './primitive.js';
import { recursionProblems } from './recursion.js';
import { contextPath, depthProblems, problemsOf, showFound } from './problems.js';

/** The version of the JSON form that is written here; no newer one is read. */
export const SCHEMA_VERSION = 1;

const title = 'an experiment';

const fieldsWith = (network: Codec<NetworkValue>) => {
  const expr = languageOf(network).expression;
  return {
    encoder: network,
    decoder: network,
    objective: record('an object with at least one term', name, expr, 1),
    logDensity: optional(expr),
    optimizer: optimizerCodec(expr),
    batch: positiveInteger,
    steps: positiveInteger,
    data: nonEmptyString,
    validation: optional(struct('an object with the field every', { every: nonNegativeInteger })),
  } as const;
};

type Fields = t.TypeOfProps<ReturnType<typeof fieldsWith>>;

const experimentOf = ({
  encoder,
  decoder,
  objective,
  logDensity,
  optimizer,
  batch,
  steps,
  data,
  validation,
}: Fields): Experiment =>
  experiment({
    encoder,
    decoder,
    objective,
    optimizer,
    batch,
    steps,
    data,
    ...(logDensity === undefined ? {} : { logDensity }),
    ...(validation === undefined ? {} : { validation }),
  });

/**
 * A network by its name in the table, or `{"inverse": NAME}`, and the table's own codec. A name whose structure is wrong has been
 * reported in the table.
 */
const referencesTo = (table: unknown) => {
  const written = new Map(isRecord(table) ? Object.entries(table) : []);
  const names = [...written.keys()];
  const isNetwork = (u: unknown): u is NetworkValue => isRecord(u) && name.is(u.name);
  const expected = names.length === 0 ? 'the name of a network' : `one of ${names.join(', ')}`;
  const byName: Codec<NetworkValue> = new t.Type<NetworkValue, unknown, unknown>(
    expected,
    isNetwork,
    (u, context) => {
      if (typeof u !== 'string') return t.failure(u, context);
      if (!written.has(u))
        return isRecord(table) ? t.failure(u, context, didYouMean(u, names)) : failedBefore(u, context);
      const known = referred.decode(written.get(u));
      return E.isLeft(known) ? failedBefore(u, context) : t.success({ name: u, ...known.right });
    },
    (network) => network.name,
  );
  const inverse: Codec<NetworkValue> = checked(
    mapped(
      struct(expected, { inverse: byName }),
      (reference): NetworkValue => invert(reference.inverse),
      (network) => ({ inverse: writtenNetwork(network) }),
    ),
    inversionIssues('inverse'),
  );
  const network: Codec<NetworkValue> = new t.Type<NetworkValue, unknown, unknown>(
    expected,
    isNetwork,
    (u, context) => (isRecord(u) ? inverse : byName).validate(u, context),
    (value) => (value.inverts === undefined ? byName : inverse).encode(value),
  );
  const body = bodyCodec(languageOf(network).layers);
  const referred = remembered(bodyCodec(languageOf(network).layers));
  return { network, body };
};

const versionProblems = (json: unknown): readonly Problem[] =>
  isRecord(json) && typeof json.schemaVersion === 'number' && json.schemaVersion > SCHEMA_VERSION
    ? [
        problem(
          'schemaVersion',
          showFound(json.schemaVersion),
          `at most ${SCHEMA_VERSION}`,
          'it was written by a newer version of immersion',
        ),
      ]
    : [];

const version = such(`the number ${SCHEMA_VERSION}`, (u): u is typeof SCHEMA_VERSION => u === SCHEMA_VERSION);

/** Well-formed parts first, then names, each with one meaning, and numbers that cannot work. */
const finished = (
  fields: t.Validation<Fields>,
  pathOf: (context: t.Context) => Path = contextPath,
): E.Either<readonly Problem[], Experiment> => {
  if (E.isLeft(fields)) return E.left(problemsOf(fields.left, pathOf));
  const value = experimentOf(fields.right);
  const networks = networksOf(value);
  const problems = [
    ...(E.isLeft(networks) ? networks.left : []),
    ...nameProblems(value),
    ...turnedProblems(value),
    ...densityProblems(value),
    ...valueProblems(value),
  ];
  return problems.length > 0 ? E.left(problems) : E.right(value);
};

/** The experiment that a JSON value means, or everything that is wrong with it. */
export const decodeExperiment = (json: unknown): E.Either<readonly Problem[], Experiment> => {
  const early = [...depthProblems(json), ...versionProblems(json)];
  if (early.length > 0) return E.left(early);
  const table = isRecord(json) ? json.networks : undefined;
  const circles = recursionProblems(table);
  if (circles.length > 0) return E.left(circles);
  const { network, body } = referencesTo(table);
  const networks = record('an object of named networks', name, body, 0);
  return finished(struct(title, { schemaVersion: version, networks, ...fieldsWith(network) }).decode(json));
};

/** The path of a part; inside a network that has a name, `networks.NAME…` as in JSON, wherever the network stands. */
const pathAmong =
  (network: Codec<NetworkValue>) =>
  (context: t.Context): Path => {
    const path = contextPath(context);
    const at = context.findLastIndex(({ type }) => type === network);
    const found = at < 0 ? undefined : elementAt(context, at).actual;
    return isRecord(found) && name.is(found.name) && at < path.length
      ? ['networks', found.name, ...path.slice(at)]
      : path;
  };

/** A value built in TypeScript, or everything that is wrong with it, at the paths that its JSON form would have. */
export const checkExperiment = (value: unknown): E.Either<readonly Problem[], Experiment> => {
  const deep = depthProblems(value);
  const early = deep.length > 0 ? deep : mistakesIn(value);
  if (early.length > 0) return E.left(early);
  const network = createNetworkCodec();
  return finished(struct(title, fieldsWith(network)).decode(value), pathAmong(network));
};

const encoded = (value: Experiment, networks: ReadonlyMap<string, NetworkValue>): unknown => {
  const { network, body } = referencesTo({});
  const table = Object.fromEntries(
    [...networks].map(([key, { input, layers }]) => [key, body.encode({ input, layers })]),
  );
  const fields = struct(title, fieldsWith(network)).encode({ logDensity: undefined, ...value });
  return { schemaVersion: SCHEMA_VERSION, networks: table, ...(isRecord(fields) ? fields : {}) };
};

/**
 * The JSON form of an experiment, with every field written out. Fails where `checkExperiment` does, notably for two
 * structures under one name. Shared subexpressions are shared objects in it, and written repeatedly in its text.
 */
export const encodeExperiment = (value: Experiment): E.Either<readonly Problem[], unknown> =>
  E.chain((checked: Experiment) =>
    E.map((networks: ReadonlyMap<string, NetworkValue>) => encoded(checked, networks))(networksOf(checked)),
  )(checkExperiment(value));
