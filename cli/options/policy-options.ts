/** The options that say how a run is kept and when it ends: `--checkpoints every=100,keep=3,best` and others of that form. */
import * as E from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../../dsl/index.js';
import {
  type CheckpointPolicy,
  defaultPolicy,
  type EarlyStopping,
  type Interval,
  type Plateau,
  type PolicyOptions,
} from '../../runs/index.js';
import type { Arguments, Option } from './arguments.js';

type Checked<A> = E.Either<readonly Problem[], A>;

export const heldOutOption: Option = {
  name: 'held-out',
  value: 'PART',
  summary:
    'training examples to validate on where the data has no such part: below 1 a part of them, else how many (0.1)',
};

export const checkpointsOption: Option = {
  name: 'checkpoints',
  value: 'every=N,keep=K,best',
  summary:
    'a checkpoint every N steps or, as 30s, seconds; the last K are kept, and that of the best validation (every=30s,keep=2)',
};

export const policyOptions: readonly Option[] = [
  checkpointsOption,
  {
    name: 'stop-early',
    value: 'by=NAME,patience=N',
    summary:
      'ends when loss, a term or a metric was not better by more than least=X (0) in N validations (5); more: where more is better',
  },
  {
    name: 'reduce-on-plateau',
    value: 'by=NAME,patience=N,factor=F',
    summary: 'multiplies the rate by F (0.5) in the same case, down to floor=X of it (0)',
  },
  { name: 'restore-best', summary: 'leaves the weights of the best validation' },
  {
    name: 'not-finite',
    value: 'WHAT',
    summary:
      'a step that is not finite is skipped (skip), ends the run (stop), or sends it back to a checkpoint with half the rate (halve)',
  },
  { name: 'tolerate-skipped', summary: 'succeeds also where most steps were skipped' },
];

type Field = { readonly name: string; readonly value: string | undefined };

/** `a=1,b` as fields; one that is not known is a problem, and so is one without a value that needs one. */
const fieldsOf = (
  option: string,
  text: string,
  known: readonly string[],
  flags: readonly string[],
): Checked<ReadonlyMap<string, string>> => {
  const fields = text.split(',').map((part): Field => {
    const at = part.indexOf('=');
    return at < 0
      ? { name: part.trim(), value: undefined }
      : { name: part.slice(0, at).trim(), value: part.slice(at + 1).trim() };
  });
  const all = [...known.map((name) => `${name}=…`), ...flags];
  const problems = fields.flatMap(({ name, value }) => {
    const right = value === undefined ? flags.includes(name) : known.includes(name) && value !== '';
    return right
      ? []
      : [
          problem(
            `--${option}`,
            JSON.stringify(value === undefined ? name : `${name}=${value}`),
            `some of ${all.join(', ')}`,
            didYouMean(name, [...known, ...flags]),
          ),
        ];
  });
  return problems.length > 0
    ? E.left(problems)
    : E.right(new Map(fields.map(({ name, value }) => [name, value ?? ''])));
};

const numberField = (
  option: string,
  fields: ReadonlyMap<string, string>,
  name: string,
  fallback: number,
  expected: string,
  holds: (value: number) => boolean,
): Checked<number> => {
  const text = fields.get(name);
  if (text === undefined) return E.right(fallback);
  const value = Number(text);
  return holds(value)
    ? E.right(value)
    : E.left([problem(`--${option} ${name}`, JSON.stringify(text), expected)]);
};

const isPositiveInteger = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
const isNonNegative = (value: number): boolean => Number.isFinite(value) && value >= 0;

const problemsOf = (all: readonly Checked<unknown>[]): readonly Problem[] =>
  all.flatMap((one) => (E.isLeft(one) ? one.left : []));

const intervalOf = (text: string | undefined): Checked<Interval> => {
  if (text === undefined) return E.right(defaultPolicy.checkpoints.every);
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(text)?.[1];
  if (seconds !== undefined && Number(seconds) > 0)
    return E.right({ tag: 'seconds', seconds: Number(seconds) });
  return isPositiveInteger(Number(text))
    ? E.right({ tag: 'steps', steps: Number(text) })
    : E.left([
        problem('--checkpoints every', JSON.stringify(text), 'a number of steps, or of seconds such as 30s'),
      ]);
};

const checkpointsOf = (text: string): Checked<CheckpointPolicy> => {
  const fields = fieldsOf('checkpoints', text, ['every', 'keep'], ['best']);
  if (E.isLeft(fields)) return fields;
  const every = intervalOf(fields.right.get('every'));
  const keep = numberField(
    'checkpoints',
    fields.right,
    'keep',
    defaultPolicy.checkpoints.keep,
    'a positive integer',
    isPositiveInteger,
  );
  if (E.isLeft(every) || E.isLeft(keep)) return E.left(problemsOf([every, keep]));
  return E.right({ every: every.right, keep: keep.right, best: fields.right.has('best') });
};

const PATIENCE = 5;

const waitingOf = (option: string, fields: ReadonlyMap<string, string>): Checked<EarlyStopping> => {
  const patience = numberField(option, fields, 'patience', PATIENCE, 'a positive integer', isPositiveInteger);
  const least = numberField(option, fields, 'least', 0, 'a non-negative number', isNonNegative);
  if (E.isLeft(patience) || E.isLeft(least)) return E.left(problemsOf([patience, least]));
  return E.right({
    by: fields.get('by') ?? 'loss',
    better: fields.has('more') ? 'more' : 'less',
    patience: patience.right,
    least: least.right,
  });
};

const stoppingOf = (text: string): Checked<EarlyStopping> =>
  E.chain((fields: ReadonlyMap<string, string>) => waitingOf('stop-early', fields))(
    fieldsOf('stop-early', text, ['by', 'patience', 'least'], ['more']),
  );

const plateauOf = (text: string): Checked<Plateau> => {
  const option = 'reduce-on-plateau';
  const fields = fieldsOf(option, text, ['by', 'patience', 'least', 'factor', 'floor'], ['more']);
  if (E.isLeft(fields)) return fields;
  const waiting = waitingOf(option, fields.right);
  const factor = numberField(
    option,
    fields.right,
    'factor',
    0.5,
    'a number between 0 and 1',
    (value) => value > 0 && value < 1,
  );
  const floor = numberField(option, fields.right, 'floor', 0, 'a non-negative number', isNonNegative);
  if (E.isLeft(waiting) || E.isLeft(factor) || E.isLeft(floor))
    return E.left(problemsOf([waiting, factor, floor]));
  return E.right({ ...waiting.right, factor: factor.right, floor: floor.right });
};

const notFiniteOf = (text: string): Checked<'skip' | 'stop' | 'halve'> => {
  const known = ['skip', 'stop', 'halve'] as const;
  const found = known.find((one) => one === text);
  return found === undefined
    ? E.left([
        problem('--not-finite', JSON.stringify(text), `one of ${known.join(', ')}`, didYouMean(text, known)),
      ])
    : E.right(found);
};

export type RunPolicy = { readonly heldOut: number | undefined; readonly policy: PolicyOptions };

const heldOutOf = (text: string): Checked<number> => {
  const value = Number(text);
  return text.trim() !== '' && value >= 0 && (value < 1 || Number.isSafeInteger(value))
    ? E.right(value)
    : E.left([problem('--held-out', JSON.stringify(text), 'a number in [0, 1) or a whole number')]);
};

/** `--checkpoints` alone: when they are written changes nothing of what a run comes to. */
export const checkpointsGiven = (given: Arguments): Checked<CheckpointPolicy | undefined> => {
  const text = given.last(checkpointsOption.name);
  return text === undefined ? E.right(undefined) : checkpointsOf(text);
};

/** What the command line says of a run's keeping and ending; what it does not say is absent. All problems at once. */
export const policyOf = (given: Arguments): Checked<RunPolicy> => {
  const option = <A>(name: string, of: (text: string) => Checked<A>): Checked<A | undefined> => {
    const text = given.last(name);
    return text === undefined ? E.right(undefined) : of(text);
  };
  const heldOut = option('held-out', heldOutOf);
  const checkpoints = checkpointsGiven(given);
  const stopping = option('stop-early', stoppingOf);
  const plateau = option('reduce-on-plateau', plateauOf);
  const notFinite = option('not-finite', notFiniteOf);
  if (
    E.isLeft(heldOut) ||
    E.isLeft(checkpoints) ||
    E.isLeft(stopping) ||
    E.isLeft(plateau) ||
    E.isLeft(notFinite)
  )
    return E.left(problemsOf([heldOut, checkpoints, stopping, plateau, notFinite]));
  const criterion = stopping.right ?? plateau.right;
  return E.right({
    heldOut: heldOut.right,
    policy: {
      ...(checkpoints.right === undefined ? {} : { checkpoints: checkpoints.right }),
      ...(stopping.right === undefined ? {} : { stopping: stopping.right }),
      ...(plateau.right === undefined ? {} : { plateau: plateau.right }),
      ...(notFinite.right === undefined ? {} : { notFinite: notFinite.right }),
      ...(criterion === undefined ? {} : { criterion: { by: criterion.by, better: criterion.better } }),
      ...(given.has('restore-best') ? { restoreBest: true } : {}),
      ...(given.has('tolerate-skipped') ? { tolerateSkipped: true } : {}),
    },
  });
};
