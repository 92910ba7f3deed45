/** Tables as text: what is between the cells, whether the first row names the columns and which column is an index are told by the first rows, or said. */
import { elementAt } from '../../../dsl/lookup.js';
import { basename } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import type { OpenOptions } from '../../options.js';
import type { Found } from '../../parts.js';
import { columnWidth, plainPreprocessing, type Preprocessing } from '../../preprocessing/preprocessing.js';
import { again, messageOf } from '../file.js';
import { reporter } from '../../progress.js';
import { isMissing, isNumber } from './cells.js';
import { collector } from './collect.js';
import { elementsOf, rolesOf } from './columns.js';
import { type Dialect, dialectOf } from './dialect.js';
import { type Layout, layoutOf } from './layout.js';
import { type RowBlock, rowBlocks, RowError } from './split-rows.js';
import type { TableValues } from './settings.js';
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

/** Rows that are looked at before it is decided what they are. */
const ROWS_LOOKED_AT = 64;

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
        if (!texts.has(i) && !isMissing(elementAt(row, i)) && !isNumber(elementAt(row, i), hasDecimalComma))
          texts.add(i);
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
  options: OpenOptions,
): Promise<Either<Problems, Found>> => {
  const { preprocessing: fitted, memory, look } = options;
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
  const report = reporter(options);
  let skip = skipped;
  let count = 0;
  for await (const { cells, lines } of rows.blocks()) {
    count += cells.length;
    report(() => `reading ${basename(path)}: ${count.toLocaleString('en')} rows`);
    for (let i = 0; i < cells.length && !into.isFull(); i++)
      if (skip-- <= 0) into.add(elementAt(cells, i), elementAt(lines, i));
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
      const layout = layoutOf(
        path,
        opened.first,
        opened.comment,
        opened.dialect,
        values,
        options.preprocessing,
      );
      if (isLeft(layout)) return layout;
      const { hasDecimalComma } = opened.dialect;
      const rows = { layout: layout.right, hasDecimalComma, blocks: () => blocksOf(path, opened) };
      return await collectRows(path, rows, values, options);
    } catch (error) {
      return left([errorOf(path, error)]);
    }
  };
