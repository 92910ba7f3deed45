/** Tables as text: what is between the cells, whether the first row names the columns and which column is an index are told by the first rows, or said. */
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { basename } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import type { OpenOptions } from '../../options.js';
import { type Found, splitSettings } from '../../parts.js';
import { columnWidth, plainPreprocessing, type Preprocessing } from '../../preprocessing/preprocessing.js';
import { text, type ValuesOf, word } from '../../settings.js';
import { again, messageOf } from '../file.js';
import { countsUp, isMissing, isNumber } from './cells.js';
import { collector } from './collect.js';
import { distinctNames, elementsOf, rolesOf } from './columns.js';
import { cellsOf, type Dialect, dialectOf } from './dialect.js';
import { type RowBlock, rowBlocks, RowError } from './rows.js';
import {
  BombError,
  encodingOf,
  HEAD_BYTES,
  headOf,
  isGzip,
  piecesOf,
  type TextForm,
  unpackedHead,
} from './text.js';

type Problems = readonly Problem[];
type Loading<A> = TaskEither<Problems, A>;

/**
 * `header`: whether the first row names the columns; `delimiter`, `decimal`: what is between cells and in decimals; `index`: what
 * becomes of a first column that only counts the rows; `labels`: columns of classes; `fields`: columns of numbers that are kept beside the
 * examples; `categories`: `onehot` makes one-hot vectors of columns of words, names do so of these columns.
 */
export const tableSettings = {
  ...splitSettings,
  header: word('auto', 'auto', 'yes', 'no'),
  delimiter: word('auto', 'auto', 'comma', 'tab', 'semicolon', 'pipe', 'space'),
  decimal: word('auto', 'auto', 'point', 'comma'),
  index: word('auto', 'auto', 'keep', 'drop'),
  labels: text('names or numbers of columns'),
  fields: text('names or numbers of columns'),
  categories: { ...text('refuse, onehot, or names of columns'), fallback: 'refuse' },
} as const;
export type TableValues = ValuesOf<typeof tableSettings>;

/** Rows that are looked at before it is decided what they are. */
const ROWS_LOOKED_AT = 64;

/** The name that pandas gives a column without one. */
const isUnnamed = (name: string): boolean => name === '' || /^Unnamed: \d+$/.test(name);

/** Names of columns are no numbers, and not all of them are missing values; or they count up; or one is a word above numbers. */
const isHeader = (
  first: readonly string[],
  rows: readonly (readonly string[])[],
  hasComma: boolean,
): boolean => {
  if (first.length > 1 && countsUp(first)) return true;
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
      isWord(cell) && rows.length > 0 && rows.every((row) => row.length > i && isNumber(elementAt(row, i), hasComma)),
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

const isCount = (rows: readonly (readonly string[])[]): boolean =>
  rows.every(([cell], row) => cell === String(row));

const layoutOf = (
  path: string,
  rows: readonly (readonly string[])[],
  comment: string | undefined,
  dialect: Dialect,
  { header, index }: TableValues,
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
  const counted = below.length > 0 && first.length > 1 && isCount(below);
  if (!isNamed && counted && below.length > 2 && index === 'auto')
    return left([
      problem(
        `${path}?index`,
        'no header, and a first column that counts the rows from 0',
        'index=drop if it is an index, index=keep if it is data',
      ),
    ]);
  const isIndex = index === 'drop' || (index === 'auto' && isNamed && isUnnamed(elementAt(given, 0)) && counted);
  return right({
    names: distinctNames(isNamed ? given : first.map((_, i) => String(i + 1))),
    isNamed,
    skipped: hasRow ? 1 : 0,
    dropped: new Set(isIndex ? [0] : []),
  });
};

/** The first rows, and blocks of all rows. */
type Opened = {
  readonly first: readonly (readonly string[])[];
  readonly comment: string | undefined;
  readonly dialect: Dialect;
  readonly form: TextForm;
};

const blocksOf = (path: string, { form, dialect }: Opened): AsyncGenerator<RowBlock> =>
  rowBlocks(piecesOf(path, form), dialect);

const openText = async (path: string, values: TableValues): Promise<Opened> => {
  const bytes = await headOf(path);
  const packed = isGzip(bytes);
  const head = packed ? unpackedHead(bytes) : bytes;
  const form = { isGzip: packed, encoding: encodingOf(head) };
  const isWhole = !packed && head.length < HEAD_BYTES;
  const { comment, ...dialect } = dialectOf(new TextDecoder(form.encoding).decode(head), isWhole, values);
  const opened = { comment, dialect, form };
  const first: (readonly string[])[] = [];
  for await (const { cells } of blocksOf(path, { ...opened, first })) {
    first.push(...cells.slice(0, ROWS_LOOKED_AT - first.length));
    if (first.length >= ROWS_LOOKED_AT) break;
  }
  return { ...opened, first };
};

/** A table as rows of cells, whatever it was written in. */
export type Rows = {
  readonly layout: Layout;
  readonly hasDecimalComma: boolean;
  /** From the first row on, each time it is called. */
  readonly blocks: () => AsyncIterable<RowBlock>;
};

/** Columns with a cell that is neither missing nor a number. */
const textColumns = async ({
  layout: { skipped, names },
  blocks,
  hasDecimalComma,
}: Rows): Promise<ReadonlySet<number>> => {
  const texts = new Set<number>();
  let skip = skipped;
  for await (const { cells } of blocks())
    for (const row of cells) {
      if (skip-- > 0) continue;
      for (let i = 0; i < Math.min(row.length, names.length); i++)
        if (!texts.has(i) && !isMissing(elementAt(row, i)) && !isNumber(elementAt(row, i), hasDecimalComma)) texts.add(i);
    }
  return texts;
};

/** The names of categories and classes that were fitted before, by column. */
const knownNames = (fitted: Preprocessing | undefined): ReadonlyMap<string, readonly string[]> =>
  new Map([
    ...(fitted?.labels ?? []).map(({ field, classes }) => [field, classes] as const),
    ...(fitted?.columns ?? []).flatMap((column) =>
      column.tag === 'category' ? [[column.name, column.categories] as const] : [],
    ),
  ]);

/** Rows of cells as a data set. */
export const collectRows = async (
  path: string,
  rows: Rows,
  values: TableValues,
  { preprocessing: fitted, memory, look }: OpenOptions,
): Promise<Either<Problems, Found>> => {
  const { names, isNamed, skipped, dropped } = rows.layout;
  const isOneHot = values.categories === 'onehot' && fitted === undefined;
  const texts = isOneHot ? await textColumns(rows) : new Set<number>();
  const roles = rolesOf(path, names, values, dropped, texts, fitted);
  if (isLeft(roles)) return roles;
  const { hasDecimalComma } = rows;
  const missing = fitted?.missing ?? (look === true && values.missing === 'refuse' ? 'mask' : values.missing);
  const elements = elementsOf(names, roles.right, fitted);
  const known = knownNames(fitted);
  const into = collector(basename(path), {
    ...{ path, names, isNamed, roles: roles.right, elements, missing, hasDecimalComma, memory, known },
  });
  let skip = skipped;
  for await (const { cells, lines } of rows.blocks()) {
    for (let i = 0; i < cells.length && !into.isFull(); i++) if (skip-- <= 0) into.add(elementAt(cells, i), elementAt(lines, i));
    if (into.isFull()) break;
  }
  const found = into.finish();
  if (!('source' in found)) return left(found);
  const { source, columns, labels } = found;
  if (source.size === 0) {
    const lacking = missing === 'drop' ? 'no row without a missing value' : 'a header without rows';
    return left([problem(path, lacking, 'a table with at least one row')]);
  }
  const size = columns.reduce((sum, column) => sum + columnWidth(column), 0);
  return right({
    parts: { all: source },
    plan: { ...plainPreprocessing([size]), columns, labels },
    values: 'floats',
  });
};

const errorOf = (path: string, error: unknown): Problem => {
  if (error instanceof RowError) return problem(`${path}:${error.line}`, error.found, error.expected);
  if (error instanceof BombError)
    return problem(path, error.message, 'a table, packed', 'unpack it first if it is one');
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('Z_') || code === 'ERR_BUFFER_TOO_LARGE'
    ? problem(path, `corrupt gzip data (${messageOf(error)})`, 'intact gzip data', again)
    : problem(path, messageOf(error), 'a table that can be read');
};

/** Reads a table, of which all rows come to lie in memory in double precision. */
export const readTable =
  (path: string, values: TableValues, options: OpenOptions): Loading<Found> =>
  async () => {
    try {
      const opened = await openText(path, values);
      if (opened.first.length === 0) return left([problem(path, 'no rows', 'a table with at least one row')]);
      const layout = layoutOf(path, opened.first, opened.comment, opened.dialect, values);
      if (isLeft(layout)) return layout;
      const { hasDecimalComma } = opened.dialect;
      const rows = { layout: layout.right, hasDecimalComma, blocks: () => blocksOf(path, opened) };
      return await collectRows(path, rows, values, options);
    } catch (error) {
      return left([errorOf(path, error)]);
    }
  };
