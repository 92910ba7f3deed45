/** What each column of a table is for: an element of the examples, a class, a field, or nothing. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../../../dsl/problem.js';
import type { Preprocessing } from '../../preprocessing/preprocessing.js';

type Problems = readonly Problem[];

export type Role = 'number' | 'category' | 'label' | 'field' | 'none';

/** Names by settings: `labels` and `fields` are lists, `categories` too unless it is `refuse` or `onehot`. */
export type ColumnOptions = {
  readonly labels: string;
  readonly fields: string;
  readonly categories: string;
};

/** Names that differ, as pandas makes them: a, a.1; a column without a name is called by its number. */
export const distinctNames = (names: readonly string[]): readonly string[] => {
  const taken = new Set<string>();
  return names.map((given, i) => {
    const name = given === '' ? String(i + 1) : given;
    let distinct = name;
    for (let copy = 1; taken.has(distinct); copy++) distinct = `${name}.${copy}`;
    taken.add(distinct);
    return distinct;
  });
};

/** Some names, each as far as it is short. */
const shown = (names: readonly string[]): string => {
  const some = names.slice(0, 12).map((name) => (name.length > 60 ? `${name.slice(0, 59)}…` : name));
  return names.length > 12 ? `${some.join(', ')} and ${names.length - 12} more` : some.join(', ');
};

/** The columns that a setting names: one, or several between commas; by name, or by number from 1. */
export const columnsNamed = (
  path: string,
  wanted: string,
  names: readonly string[],
): Either<Problems, readonly number[]> => {
  if (wanted === '') return right([]);
  const single = names.indexOf(wanted);
  if (single >= 0) return right([single]);
  const found = wanted.split(',').map((word): number | Problem => {
    const name = word.trim();
    const named = names.indexOf(name);
    if (named >= 0) return named;
    const number = /^\d+$/.test(name) ? Number(name) : NaN;
    if (number >= 1 && number <= names.length) return number - 1;
    const expected = `one of ${shown(names)}`;
    return problem(path, JSON.stringify(name), expected, didYouMean(name, names));
  });
  const problems = found.flatMap((one) => (typeof one === 'number' ? [] : [one]));
  return problems.length > 0
    ? left(problems)
    : right([...new Set(found.flatMap((one) => (typeof one === 'number' ? [one] : [])))]);
};

/** The columns of examples that a model knows, by name; those that it does not know are nothing. */
const fittedRoles = (
  path: string,
  names: readonly string[],
  { columns = [], labels }: Preprocessing,
): Either<Problems, readonly Role[]> => {
  const missing = columns.filter(({ name }) => !names.includes(name));
  if (missing.length > 0)
    return left(
      missing
        .slice(0, 5)
        .map(({ name }) =>
          problem(
            path,
            `no column ${JSON.stringify(name)}`,
            `the columns of the model`,
            didYouMean(name, names),
          ),
        ),
    );
  const kinds = new Map<string, Role>([
    ...labels.map(({ field }) => [field, 'label'] as const),
    ...columns.map(({ name, tag }) => [name, tag] as const),
  ]);
  return right(names.map((name) => kinds.get(name) ?? 'none'));
};

/** A role for each column. `texts` are the columns that hold other than numbers, known where one-hot vectors are to be made of these. */
export const rolesOf = (
  path: string,
  names: readonly string[],
  { labels, fields, categories }: ColumnOptions,
  dropped: ReadonlySet<number>,
  texts: ReadonlySet<number>,
  fitted: Preprocessing | undefined,
): Either<Problems, readonly Role[]> => {
  if (fitted !== undefined) return fittedRoles(path, names, fitted);
  const isAuto = categories === 'refuse' || categories === 'onehot';
  const [label, field, category] = [
    columnsNamed(`${path}?labels`, labels, names),
    columnsNamed(`${path}?fields`, fields, names),
    columnsNamed(`${path}?categories`, isAuto ? '' : categories, names),
  ];
  if (isLeft(label)) return label;
  if (isLeft(field)) return field;
  if (isLeft(category)) return category;
  const roles = names.map((_, i): Role =>
    label.right.includes(i)
      ? 'label'
      : field.right.includes(i)
        ? 'field'
        : dropped.has(i)
          ? 'none'
          : category.right.includes(i) || (categories === 'onehot' && texts.has(i))
            ? 'category'
            : 'number',
  );
  return roles.some((role) => role === 'number' || role === 'category')
    ? right(roles)
    : left([problem(path, 'no column besides the labels', 'at least one')]);
};

/** The columns of examples, in the order of the table or in that of a model. */
export const elementsOf = (
  names: readonly string[],
  roles: readonly Role[],
  fitted: Preprocessing | undefined,
): readonly number[] =>
  fitted?.columns === undefined
    ? [...roles.keys()].filter((i) => roles[i] === 'number' || roles[i] === 'category')
    : fitted.columns.map(({ name }) => names.indexOf(name));
