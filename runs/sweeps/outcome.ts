/** What became of a trial: its figures, or what was wrong; as JSON in `result.json`. */
import * as E from 'fp-ts/lib/Either.js';
import {
  codec,
  type Codec,
  list,
  mapped,
  optional,
  record,
  struct,
  such,
  withDefault,
} from '../../dsl/codec/codec.js';
import { anyString, nonNegativeInteger, positiveNumber, truth } from '../../dsl/codec/primitive.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import { type Problem, SCHEMA_VERSION } from '../../dsl/index.js';
import type { Provenance } from '../records/provenance.js';

/** Figures by name. One that is not finite is written as text, since JSON has no word for it. */
export type Figures = Readonly<Record<string, number>>;

export type TrialResult = {
  readonly backend: string;
  readonly provenance: Provenance;
  readonly steps: number;
  /** Steps that changed nothing, since their loss or gradient was not finite. */
  readonly skipped: number;
  readonly seconds: number;
  /** The most memory that the process held, in bytes. */
  readonly memory: number;
  /** The loss of the last step and, where there was validation, its last mean of each term. */
  readonly loss: number;
  readonly validation: Figures;
  /** What was measured after training. */
  readonly measures: Figures;
  /** Why other figures that were asked for are not among them. */
  readonly missing: readonly Problem[];
};

export type Outcome = E.Either<readonly Problem[], TrialResult>;

const figure: Codec<number> = codec(
  'a number',
  (u, c) => {
    const value = typeof u === 'string' && ['NaN', 'Infinity', '-Infinity'].includes(u) ? Number(u) : u;
    return anyNumber.validate(value, c);
  },
  (value) => (Number.isFinite(value) ? value : String(value)),
);
const anyNumber = such('a number', (u): u is number => typeof u === 'number');
const figures = record('an object of numbers by name', anyString, figure, 0);

export const problemCodec: Codec<Problem> = mapped(
  struct('a problem', {
    path: anyString,
    found: anyString,
    expected: anyString,
    hint: optional(anyString),
  }),
  ({ path, found, expected, hint }): Problem => ({
    path,
    found,
    expected,
    ...(hint === undefined ? {} : { hint }),
  }),
  ({ path, found, expected, hint }) => ({ path, found, expected, hint }),
);

const version = such(`the number ${SCHEMA_VERSION}`, (u): u is number => u === SCHEMA_VERSION);

const provenance: Codec<Provenance> = mapped(
  struct('an object that says where a result comes from', {
    date: anyString,
    processor: anyString,
    versions: record('an object of versions by name', anyString, anyString, 0),
    place: optional(struct('a job of a cluster', { job: anyString, host: anyString })),
  }),
  ({ place, ...rest }): Provenance => (place === undefined ? rest : { ...rest, place }),
  (one) => ({ ...one, place: one.place }),
);

const resultFields = {
  backend: anyString,
  provenance,
  steps: nonNegativeInteger,
  skipped: nonNegativeInteger,
  seconds: anyNumber,
  memory: positiveNumber,
  loss: figure,
  validation: figures,
  measures: figures,
  missing: withDefault(
    list('a list of problems', () => problemCodec),
    [],
  ),
} as const;

const result: Codec<TrialResult> = struct('a result', resultFields);

const file = struct('the result of a trial', {
  schemaVersion: version,
  /** Of the trial. */
  key: anyString,
  ok: truth,
  result: optional(result),
  problems: optional(list('a list of problems', () => problemCodec)),
});

/** The result of the trial with this key, from JSON; nothing where it belongs to another trial or is none. */
export const decodeOutcome = (
  key: string,
  json: unknown,
): E.Either<readonly Problem[], Outcome | undefined> => {
  const decoded = file.decode(json);
  if (E.isLeft(decoded)) return E.left(problemsOf(decoded.left, contextPath));
  if (decoded.right.key !== key) return E.right(undefined);
  const { result: found, problems = [] } = decoded.right;
  return E.right(found === undefined ? E.left(problems) : E.right(found));
};

/** `{ ok: true, result }` or `{ ok: false, problems }`, with the key of the trial. */
export const encodeOutcome = (key: string, outcome: Outcome): unknown =>
  file.encode({
    schemaVersion: SCHEMA_VERSION,
    key,
    ok: E.isRight(outcome),
    result: E.isRight(outcome) ? outcome.right : undefined,
    problems: E.isLeft(outcome) ? [...outcome.left] : undefined,
  });
