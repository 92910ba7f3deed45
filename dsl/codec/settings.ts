/** What `--set` changes: hyper-parameters by name, the plain fields of an experiment, and any number, text or truth value of its JSON form by path. */
import * as E from 'fp-ts/lib/Either.js';
import type { Codec } from './codec.js';
import { finite, nonEmptyString, nonNegativeInteger, positiveInteger } from './primitive.js';
import { type Experiment, validationInterval } from '../experiment.js';
import type { Problem } from '../problem.js';
import { didYouMean, problem } from '../problem.js';
import { hypersOf, isField } from '../names.js';
import { type Path, parsePath } from '../path.js';
import { optimizerSettings } from './optimizer-settings.js';
import { replaceAt } from './set-path.js';
import { mapExpressions } from '../expressions/rewrite.js';
import { valueProblems } from '../values.js';

/** A plain field that `--set` can change: what it accepts, and how the experiment with it is made. */
type Setting = { readonly accepts: Codec<number>; readonly set: (value: number) => Experiment };

const settings = (experiment: Experiment): ReadonlyMap<string, Setting> => {
  return new Map<string, Setting>([
    ['batch', { accepts: positiveInteger, set: (batch) => ({ ...experiment, batch }) }],
    // An interval that was a tenth of the steps stays one.
    [
      'steps',
      {
        accepts: positiveInteger,
        set: (steps) => ({
          ...experiment,
          steps,
          validation:
            experiment.validation.every === validationInterval(experiment.steps)
              ? { every: validationInterval(steps) }
              : experiment.validation,
        }),
      },
    ],
    [
      'validation.every',
      { accepts: nonNegativeInteger, set: (every) => ({ ...experiment, validation: { every } }) },
    ],
    ...[...optimizerSettings(experiment.optimizer)].map(([name, { accepts, set }]) => {
      const setting: Setting = {
        accepts,
        set: (value) => ({ ...experiment, optimizer: set(value) }),
      };
      return [`optimizer.${name}`, setting] as const;
    }),
  ]);
};

const flag = (name: string): string => `--set ${name}`;

const unknownName = (name: string, known: readonly string[]): Problem =>
  problem(
    flag(name),
    JSON.stringify(name),
    known.length === 0 ? 'no hyper-parameter: this experiment has none' : `one of ${known.join(', ')}`,
    didYouMean(name, known),
  );

/** What a number written on the command line means; NaN where it is none. */
const numberOf = (value: number | string): number =>
  typeof value === 'number' ? value : value.trim() === '' ? Number.NaN : Number(value);

const shown = (value: number | string): string =>
  typeof value === 'number' ? String(value) : JSON.stringify(value);

const accepted = (name: string, value: number | string, accepts: Codec<number>): E.Either<Problem, number> =>
  accepts.is(numberOf(value))
    ? E.right(numberOf(value))
    : E.left(problem(flag(name), shown(value), accepts.name));

/** The plain fields that have short names: `data`, `batch`, `steps`, `validation.every` and the optimizer's numbers. */
export const settablePaths = (experiment: Experiment): readonly string[] => [
  'data',
  ...settings(experiment).keys(),
];

/** A place of the JSON form by a path such as `networks.encoder.layers[1].units`; nothing for a word or a field. */
const placeOf = (path: string): Path | undefined => {
  const steps = parsePath(path) ?? [];
  return steps.length > (isField(path) ? 2 : 1) ? steps : undefined;
};

/** The experiment with one plain field or one place of its JSON form changed; `optimizer.rate` becomes a constant. */
export const setPath = (
  experiment: Experiment,
  path: string,
  value: number | string,
): E.Either<readonly Problem[], Experiment> => {
  if (path === 'data') {
    return nonEmptyString.is(value)
      ? E.right({ ...experiment, data: value })
      : E.left([problem(flag(path), shown(value), nonEmptyString.name)]);
  }
  const setting = settings(experiment).get(path);
  const place = placeOf(path);
  if (setting === undefined && place !== undefined) return replaceAt(experiment, place, value);
  if (setting === undefined) return E.left([unknownName(path, settablePaths(experiment))]);
  const number = accepted(path, value, setting.accepts);
  return E.isLeft(number) ? E.left([number.left]) : E.right(setting.set(number.right));
};

/** New values by name or path. */
export type Settings = Readonly<Record<string, number | string>>;

/** The experiment with hyper-parameters of these names set to these values; all problems at once. */
export const setHypers = (
  experiment: Experiment,
  changes: Settings,
): E.Either<readonly Problem[], Experiment> => {
  const known = [...hypersOf(experiment).keys()];
  const checked = Object.entries(changes).map(([name, value]) => ({
    name,
    value: known.includes(name) ? accepted(name, value, finite) : E.left(unknownName(name, known)),
  }));
  const problems = checked.flatMap(({ value }) => (E.isLeft(value) ? [value.left] : []));
  const values = new Map(
    checked.flatMap(({ name, value }) => (E.isRight(value) ? [[name, value.right] as const] : [])),
  );
  return problems.length > 0
    ? E.left(problems)
    : E.right(
        mapExpressions(experiment, (node) =>
          node.tag === 'hyper' ? { ...node, value: values.get(node.name) ?? node.value } : node,
        ),
      );
};

/**
 * What `--set` does: a name is a plain field, a hyper-parameter, which never has the name of a field, or a path. All problems at
 * once; where the values are acceptable one by one, also what they lead to, such as a division by zero.
 */
export const setValues = (
  experiment: Experiment,
  changes: Settings,
): E.Either<readonly Problem[], Experiment> => {
  const hypers = hypersOf(experiment);
  const fields = settablePaths(experiment);
  const known = [...hypers.keys(), ...fields];
  const steps = Object.entries(changes).map(
    ([name, value]) =>
      (current: Experiment): E.Either<readonly Problem[], Experiment> =>
        fields.includes(name)
          ? setPath(current, name, value)
          : hypers.has(name)
            ? setHypers(current, { [name]: value })
            : placeOf(name) !== undefined
              ? setPath(current, name, value)
              : E.left([unknownName(name, known)]),
  );
  const { problems, value } = steps.reduce<{
    readonly problems: readonly Problem[];
    readonly value: Experiment;
  }>(
    (state, change) => {
      const next = change(state.value);
      return E.isLeft(next)
        ? { ...state, problems: [...state.problems, ...next.left] }
        : { ...state, value: next.right };
    },
    { problems: [], value: experiment },
  );
  const all = problems.length > 0 ? problems : valueProblems(value);
  return all.length > 0 ? E.left(all) : E.right(value);
};
