/** Which row of a table names its columns, and which column is an index: told by the first rows, said by settings, or asked about. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import type { Preprocessing } from '../../preprocessing/preprocessing.js';
import { countStart, isMissing, isNumber } from './cells.js';
import { distinctNames } from './columns.js';
import { cellsOf, type Dialect } from './dialect.js';
import type { TableValues } from './settings.js';

type Problems = readonly Problem[];

/** The name that pandas gives a column without one. */
const isUnnamed = (name: string): boolean => name === '' || /^Unnamed: \d+$/.test(name);

/** Names of columns that count up, from 0 or from elsewhere: 2019, 2020, 2021; rows of integers may do so by chance, where they are short. */
const isCounted = (first: readonly string[], rows: readonly (readonly string[])[]): boolean => {
  const start = countStart(first);
  if (start === undefined || start === 0) return start === 0;
  const isInteger = (cell: string): boolean => /^-?\d+$/.test(cell);
  const [next] = rows;
  return (
    next !== undefined &&
    countStart(next) === undefined &&
    (first.length > 3 || (first.length === 3 && rows.some((row) => !row.every(isInteger))))
  );
};

/** Names of columns are no numbers, and not all of them are missing values; or they count up; or one is a word above numbers. */
const isHeader = (
  first: readonly string[],
  rows: readonly (readonly string[])[],
  hasComma: boolean,
): boolean => {
  if (first.length > 1 && isCounted(first, rows)) return true;
  const isWord = (cell: string): boolean => !isMissing(cell) && !isNumber(cell, hasComma);
  if (!first.some(isWord)) {
    // A column of one name, 0, over numbers that are none such.
    return (
      first.length === 1 &&
      first[0] === '0' &&
      rows.length > 0 &&
      rows.every(([cell = '']) => !/^-?\d+$/.test(cell))
    );
  }
  if (first.every((cell) => isWord(cell) || isMissing(cell))) return true;
  return first.some(
    (cell, i) =>
      isWord(cell) &&
      rows.length > 0 &&
      rows.every((row) => row.length > i && isNumber(elementAt(row, i), hasComma)),
  );
};

/** What is known before the first row is taken. */
export type Layout = {
  readonly names: readonly string[];
  readonly isNamed: boolean;
  /** How many of the first rows are none. */
  readonly skipped: number;
  /** Columns that are left out. */
  readonly dropped: ReadonlySet<number>;
};

const isCount = (rows: readonly (readonly string[])[], from: number): boolean =>
  rows.every(([cell], row) => cell === String(from + row));

/** Names under which an index is written that was made a column. */
const isIndexName = (name: string): boolean => /^(index|id|idx|level_0|row)$/i.test(name);

/** Whether the first column is an index: one without a name that tells the rows apart. What only may be one is asked about. */
const indexOf = (
  path: string,
  rows: readonly (readonly string[])[],
  names: readonly string[],
  isAsked: boolean,
): Either<Problems, boolean> => {
  const column = rows.map(([cell = '']) => cell);
  const width = rows[0]?.length ?? 0;
  const [name, ...others] = names;
  const ask = (found: string): Either<Problems, boolean> =>
    isAsked
      ? left([problem(`${path}?index`, found, 'index=drop if it is an index, index=keep if it is data')])
      : right(false);
  if (width < 2) return right(false);
  const counts = rows.length > 2 && (isCount(rows, 0) || isCount(rows, 1));
  if (name === undefined)
    return rows.length > 2 && isCount(rows, 0)
      ? ask('no header, and a first column that counts the rows from 0')
      : right(false);
  if (isUnnamed(name) && !others.some(isUnnamed))
    return new Set(column).size === column.length
      ? right(true)
      : ask('a first column without a name, in which values are repeated');
  return counts && isIndexName(name)
    ? ask(`a first column ${JSON.stringify(name)} that counts the rows`)
    : right(false);
};

/** The layout of a table by its first rows and the comment above them, or what is to be asked about it. */
export const layoutOf = (
  path: string,
  rows: readonly (readonly string[])[],
  comment: string | undefined,
  dialect: Dialect,
  { header, index, labels, fields }: TableValues,
  fitted: Preprocessing | undefined,
): Either<Problems, Layout> => {
  const [first, ...rest] = atLeast(1, rows);
  const commented = comment === undefined ? [] : cellsOf(comment, dialect.delimiter);
  const hasComment =
    header !== 'no' && commented.length === first.length && !commented.every((cell) => isNumber(cell, false));
  const hasRow =
    !hasComment &&
    (header === 'yes' || (header === 'auto' && isHeader(first, rest, dialect.hasDecimalComma)));
  const given = hasComment ? commented : hasRow ? first : [];
  const isNamed = given.length > 0;
  const below = hasRow ? rest : rows;
  // A model knows its columns by name, and a column that is asked for is none to ask about.
  const [name = ''] = given;
  const isChosen = name !== '' && [labels, fields].includes(name);
  const isAsked = index === 'auto' && fitted === undefined && !isChosen;
  const dropped = indexOf(path, below, given, isAsked);
  if (isLeft(dropped)) return dropped;
  return right({
    names: distinctNames(isNamed ? given : first.map((_, i) => String(i + 1))),
    isNamed,
    skipped: hasRow ? 1 : 0,
    dropped: new Set(index === 'drop' || (index === 'auto' && dropped.right) ? [0] : []),
  });
};
