/** What a run is beside its specification and its state, as data: what it goes on with, in another process too. `run.json` in its folder. */
import { type Either, mapLeft } from 'fp-ts/lib/Either.js';
import {
  type Codec,
  list,
  mapped,
  oneOf,
  optional,
  record,
  struct,
  such,
  tagged,
  withDefault,
} from '../../dsl/codec/codec.js';
import {
  anyString,
  finite,
  nonEmptyString,
  nonNegative,
  nonNegativeInteger,
  positiveInteger,
  positiveNumber,
  truth,
} from '../../dsl/codec/primitive.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import { type Problem, SCHEMA_VERSION } from '../../dsl/index.js';
import type { Ran } from '../records/backends.js';

/** When a checkpoint is written: after so many steps, or after so many seconds since the last one. */
export type Interval =
  { readonly tag: 'steps'; readonly steps: number } | { readonly tag: 'seconds'; readonly seconds: number };

export type CheckpointPolicy = {
  readonly every: Interval;
  /** How many of the last ones are kept. */
  readonly keep: number;
  /** Keeps that of the best validation too. */
  readonly best: boolean;
};

/** What validations are judged by: `loss`, a term or a metric by its name, and whether less of it or more is better. */
export type Criterion = { readonly by: string; readonly better: 'less' | 'more' };

/** Ends training when so many validations in a row were not better by more than `least`. */
export type EarlyStopping = Criterion & { readonly patience: number; readonly least: number };

/** Multiplies the rate by `factor` when so many validations in a row were not better by more than `least`; never below `floor` of it. */
export type Plateau = EarlyStopping & { readonly factor: number; readonly floor: number };

/** What becomes of a step that is not finite: it changes nothing, or ends the run, or sends it back to the best validation, or else the last checkpoint, with half the rate. */
export type NotFinite = 'skip' | 'stop' | 'halve';

/** How a run is kept and when it ends. */
export type Policy = {
  readonly checkpoints: CheckpointPolicy;
  /** What decides which validation is the best. */
  readonly criterion: Criterion;
  readonly stopping: EarlyStopping | undefined;
  readonly plateau: Plateau | undefined;
  /** The run leaves the weights of the best validation instead of the last ones. */
  readonly restoreBest: boolean;
  readonly notFinite: NotFinite;
  /** Steps from one whose event has the metrics of its batch to the next; 0 for metrics in validations alone. */
  readonly metricsEvery: number;
  /** Most steps may be skipped, and the run still succeeds. */
  readonly tolerateSkipped: boolean;
};

/** Whether the checkpoint of the best validation is kept: because it was asked for, or because a run may go back to it. */
export const keepsBest = ({ checkpoints, restoreBest, notFinite }: Policy): boolean =>
  checkpoints.best || restoreBest || notFinite === 'halve';

/** What a run does where nothing is said: a checkpoint every 30 seconds, the last two kept. */
export const defaultPolicy: Policy = {
  checkpoints: { every: { tag: 'seconds', seconds: 30 }, keep: 2, best: false },
  criterion: { by: 'loss', better: 'less' },
  stopping: undefined,
  plateau: undefined,
  restoreBest: false,
  notFinite: 'skip',
  metricsEvery: 64,
  tolerateSkipped: false,
};

/** The data that a run was made from; it may be gone. */
export type DataNote = {
  /** A data reference, or the name of what was given in memory. */
  readonly reference: string;
  /** The folder that a path is relative to; absent for data that was given in memory. */
  readonly root: string | undefined;
  /** Whether the run's preprocessing was fitted on other data, which it was trained on before. */
  readonly fitted: boolean;
  /** Of the examples of every part, as they were trained on. */
  readonly fingerprint: string;
  readonly sizes: { readonly train: number; readonly validation: number; readonly test: number };
};

export type RunSettings = {
  readonly name: string;
  readonly seed: number;
  /** The part of the training examples that was held out for validation, below 1, or how many; undefined where none was. */
  readonly heldOut: number | undefined;
  /** The one that the run is on. */
  readonly backend: string;
  /** What was asked for: a name, or `auto` where others may follow one that fails; undefined where nobody said. */
  readonly asked: string | undefined;
  /** Which steps were taken on which backend. */
  readonly ran: readonly Ran[];
  readonly device: string;
  readonly data: DataNote;
  readonly policy: Policy;
  /** The steps after which it came to its end, with all that is done there; undefined for a run that trains, or was ended before that. */
  readonly finished: number | undefined;
  /** ISO 8601, in UTC. */
  readonly started: string;
  readonly versions: Readonly<Record<string, string>>;
};

const interval: Codec<Interval> = tagged<Interval>('an interval', {
  steps: struct('steps', {
    tag: such('"steps"', (u): u is 'steps' => u === 'steps'),
    steps: positiveInteger,
  }),
  seconds: struct('seconds', {
    tag: such('"seconds"', (u): u is 'seconds' => u === 'seconds'),
    seconds: positiveNumber,
  }),
});

const criterionFields = { by: nonEmptyString, better: withDefault(oneOf('less', 'more'), 'less') } as const;

const stoppingFields = {
  ...criterionFields,
  patience: positiveInteger,
  least: withDefault(nonNegative, 0),
} as const;

const policy: Codec<Policy> = struct('how a run is kept and when it ends', {
  checkpoints: struct('when checkpoints are written', {
    every: interval,
    keep: positiveInteger,
    best: truth,
  }),
  criterion: struct('what validations are judged by', criterionFields),
  stopping: optional(struct('when training ends early', stoppingFields)),
  plateau: optional(
    struct('when the rate is reduced', {
      ...stoppingFields,
      factor: such('a number in (0, 1)', (u): u is number => typeof u === 'number' && u > 0 && u < 1),
      floor: withDefault(nonNegative, 0),
    }),
  ),
  restoreBest: truth,
  notFinite: oneOf('skip', 'stop', 'halve'),
  metricsEvery: withDefault(nonNegativeInteger, 64),
  tolerateSkipped: truth,
});

/** A policy that was put together, or every problem of it: types are not there for every caller. */
export const checkPolicy = (value: Policy): Either<readonly Problem[], Policy> =>
  mapLeft((errors: Parameters<typeof problemsOf>[0]) =>
    problemsOf(errors, contextPath).map((one) => ({ ...one, path: `policy.${one.path}` })),
  )(policy.decode(value));

const ran: Codec<Ran> = struct('the backend of steps', { step: nonNegativeInteger, backend: nonEmptyString });

const settings = struct('a run', {
  schemaVersion: such(`the number ${SCHEMA_VERSION}`, (u): u is number => u === SCHEMA_VERSION),
  name: anyString,
  seed: finite,
  heldOut: optional(nonNegative),
  backend: nonEmptyString,
  asked: optional(nonEmptyString),
  ran: withDefault(
    list('which steps were taken on which backend', () => ran),
    [],
  ),
  device: nonEmptyString,
  data: struct('the data of a run', {
    reference: nonEmptyString,
    root: optional(anyString),
    fitted: withDefault(truth, false),
    fingerprint: anyString,
    sizes: struct('sizes', {
      train: nonNegativeInteger,
      validation: nonNegativeInteger,
      test: nonNegativeInteger,
    }),
  }),
  policy,
  finished: optional(nonNegativeInteger),
  started: anyString,
  versions: record('versions by name', anyString, anyString, 0),
});

const runCodec: Codec<RunSettings> = mapped(
  settings,
  ({ schemaVersion: _, ...rest }): RunSettings => ({ ...rest, finished: rest.finished, asked: rest.asked }),
  (value) => ({ schemaVersion: SCHEMA_VERSION, ...value }),
);

/** A run's settings as JSON. */
export const encodeSettings = (value: RunSettings): unknown => runCodec.encode(value);

/** What JSON says, or every problem of it. */
export const decodeSettings = (json: unknown): Either<readonly Problem[], RunSettings> =>
  mapLeft((errors: Parameters<typeof problemsOf>[0]) => problemsOf(errors, contextPath))(
    runCodec.decode(json),
  );

/** What is known of a policy where a user says a part of it. */
export type PolicyOptions = Partial<Policy>;
