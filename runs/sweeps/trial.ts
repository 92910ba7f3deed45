/** A trial: one run as pure data, with the key of its content. Whatever can run `immersion trial` can execute a sweep. */
import { createHash } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import { type Codec, isRecord, optional, record, struct, such, withDefault } from '../../dsl/codec/codec.js';
import { nonEmptyString, nonNegativeInteger } from '../../dsl/codec/primitive.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import {
  decodeExperiment,
  encodeExperiment,
  type Experiment,
  type Problem,
  SCHEMA_VERSION,
  type Settings,
  setValues,
} from '../../dsl/index.js';
import { fieldPath } from '../../dsl/path.js';
import { HELD_OUT_PART } from '../run/hold-out.js';
import { type Fingerprint, fingerprintCodec } from './fingerprint.js';

export type Trial<Evaluation> = {
  readonly spec: Experiment;
  /** What is changed in the specification, as `--set` does. */
  readonly settings: Settings;
  readonly seed: number;
  /** The part of the training data that is held out for validation, below 1, or how many examples; see `holdOut`. */
  readonly heldOut: number;
  /** `auto` for the best that loads. */
  readonly backend: string;
  /** `auto`, or `cpu` to leave a GPU alone. */
  readonly device: string;
  /** What is measured after training. */
  readonly evaluation: Evaluation;
  /** What it was made for; nothing is checked without them. */
  readonly fingerprint?: Fingerprint;
};

type Checked<A> = E.Either<readonly Problem[], A>;

const settingValue = such(
  'a number or a text',
  (u): u is number | string => (typeof u === 'number' && Number.isFinite(u)) || typeof u === 'string',
);

/** New values by name or path, as JSON. */
export const settingsCodec: Codec<Settings> = record(
  'an object of numbers and texts by name or path',
  nonEmptyString,
  settingValue,
  0,
);

const part = such(
  'a number in [0, 1) or a whole number',
  (u): u is number => typeof u === 'number' && u >= 0 && (u < 1 || Number.isSafeInteger(u)),
);

/** What both a trial and a sweep of trials say about how each is run. */
export const runFields = {
  heldOut: withDefault(part, HELD_OUT_PART),
  backend: withDefault(nonEmptyString, 'auto'),
  device: withDefault(nonEmptyString, 'auto'),
} as const;

const anything = such('a specification as JSON', (u): u is unknown => u !== undefined);

const trialCodec = <Evaluation>(evaluation: Codec<Evaluation>) =>
  struct('a trial', {
    schemaVersion: such(`the number ${SCHEMA_VERSION}`, (u): u is number => u === SCHEMA_VERSION),
    spec: anything,
    settings: withDefault(settingsCodec, {}),
    seed: nonNegativeInteger,
    ...runFields,
    evaluation,
    fingerprint: optional(fingerprintCodec),
  });

/** The same problems at a path further out. */
export const below =
  (base: string) =>
  (problems: readonly Problem[]): readonly Problem[] =>
    problems.map((one) => ({ ...one, path: `${fieldPath('', base)}.${one.path}` }));

/** The trial that a JSON value means, or everything that is wrong with it; `evaluation` says what can be measured. */
export const decodeTrial =
  <Evaluation>(evaluation: Codec<Evaluation>) =>
  (json: unknown): Checked<Trial<Evaluation>> => {
    const spec = E.mapLeft(below('spec'))(decodeExperiment(isRecord(json) ? json.spec : undefined));
    const fields = E.mapLeft((errors: Parameters<typeof problemsOf>[0]) =>
      problemsOf(errors, contextPath).map((one) =>
        one.path === 'experiment' ? { ...one, path: 'trial' } : one,
      ),
    )(trialCodec(evaluation).decode(json));
    if (E.isLeft(fields)) {
      const known = isRecord(json) && json.spec !== undefined && E.isLeft(spec) ? spec.left : [];
      return E.left([...fields.left, ...known]);
    }
    if (E.isLeft(spec)) return spec;
    const { schemaVersion: _, fingerprint, ...rest } = fields.right;
    return E.right({ ...rest, spec: spec.right, ...(fingerprint === undefined ? {} : { fingerprint }) });
  };

/** The JSON form of a trial, with every field written out. */
export const encodeTrial =
  <Evaluation>(evaluation: Codec<Evaluation>) =>
  (trial: Trial<Evaluation>): Checked<unknown> =>
    E.map((spec: unknown) =>
      trialCodec(evaluation).encode({
        schemaVersion: SCHEMA_VERSION,
        fingerprint: undefined,
        ...trial,
        spec,
      }),
    )(encodeExperiment(trial.spec));

/** JSON text that does not depend on the order of fields. */
export const canonical = (json: unknown): string =>
  JSON.stringify(json, (_key, value: unknown) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : value,
  );

/** What a JSON value is known by: the same content has the same key, 16 hexadecimal digits of its SHA-256. */
export const contentKey = (json: unknown): string =>
  createHash('sha256').update(canonical(json)).digest('hex').slice(0, 16);

/** The experiment that a trial trains. */
export const experimentOf = ({ spec, settings }: Trial<unknown>): Checked<Experiment> =>
  setValues(spec, settings);
