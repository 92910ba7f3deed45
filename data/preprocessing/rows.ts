/** Rows as people have them, by place or by the names of columns, from and to examples. */
import { float64At } from '../../dsl/lookup.js';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../../dsl/problem.js';
import { applyValues, type Column, invertValues, type Preprocessing } from './preprocessing.js';

type Problems = readonly Problem[];

/** A number, a category, or nothing. */
export type Cell = number | string | null | undefined;

/** Cells in the order of the columns, or by the names of the columns, of which a row may have more. */
export type Row = readonly Cell[] | Readonly<Record<string, Cell>>;

/** Examples and which of their elements are there; the mask is made where missing values are masked. */
export type AppliedRows = {
  readonly size: number;
  /** Row-major [size, …shape]. */
  readonly examples: Float32Array;
  /** Of the examples' shape: 1 where there is a value. */
  readonly mask: Uint8Array | undefined;
};

const MOST_PROBLEMS = 5;

const isList = (row: Row): row is readonly Cell[] => Array.isArray(row);

const isMissing = (cell: Cell): boolean =>
  cell === undefined || cell === null || cell === '' || (typeof cell === 'number' && Number.isNaN(cell));

/** A cell as a number, or what should have been there. */
const numberOf = (column: Column, cell: Cell): number | string => {
  if (column.tag === 'category') {
    const place = column.categories.indexOf(String(cell));
    return place < 0 ? `one of ${column.categories.join(', ')}` : place;
  }
  const value = typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : cell;
  return typeof value === 'number' && Number.isFinite(value) ? value : 'a finite number';
};

const numbered = (width: number): readonly Column[] =>
  Array.from({ length: width }, (_, i) => ({ tag: 'number', name: String(i + 1) }));

const masked = (columns: readonly Column[], raw: Float64Array): Uint8Array => {
  const width = columns.length;
  return Uint8Array.from(
    Array.from({ length: raw.length / width }, (_, row) =>
      columns.flatMap((column, i) => {
        const there = Number.isNaN(raw[row * width + i]) ? 0 : 1;
        return column.tag === 'number' ? [there] : column.categories.map(() => there);
      }),
    ).flat(),
  );
};

/** Makes examples of rows; columns that a model does not know are left out, those that a row lacks are missing. */
export const applyRows = (
  preprocessing: Preprocessing,
  rows: readonly Row[],
): Either<Problems, AppliedRows> => {
  const size = preprocessing.shape.reduce((product, one) => product * one, 1);
  const columns = preprocessing.columns ?? numbered(size);
  const raw = new Float64Array(rows.length * columns.length);
  const problems: Problem[] = [];
  rows.forEach((row, at) => {
    if (problems.length >= MOST_PROBLEMS) return;
    const path = `rows[${at}]`;
    if (isList(row) && row.length !== columns.length) {
      problems.push(problem(path, `${row.length} cells`, `${columns.length}, one for each column`));
      return;
    }
    columns.forEach((column, i) => {
      const { name } = column;
      const given = isList(row) || Object.hasOwn(row, name);
      const cell = isList(row) ? row[i] : given ? row[name] : undefined;
      if (isMissing(cell) && preprocessing.missing === 'mask') {
        raw[at * columns.length + i] = NaN;
        return;
      }
      const value = isMissing(cell) ? 'a value' : numberOf(column, cell);
      if (typeof value === 'number') raw[at * columns.length + i] = value;
      else {
        const found = given ? JSON.stringify(cell ?? null) : `no column ${JSON.stringify(name)}`;
        const hint = given ? undefined : didYouMean(name, Object.keys(row));
        problems.push(problem(`${path}[${isList(row) ? i : JSON.stringify(name)}]`, found, value, hint));
      }
    });
  });
  if (problems.length > 0) return left(problems.slice(0, MOST_PROBLEMS));
  return right({
    size: rows.length,
    examples: applyValues(preprocessing, raw),
    mask: preprocessing.missing === 'mask' ? masked(columns, raw) : undefined,
  });
};

/** Examples [n, size] as rows in the data's own units: by the names of columns where there are some, else in their order. */
export const invertRows = (preprocessing: Preprocessing, examples: ArrayLike<number>): readonly Row[] => {
  const raw = invertValues(preprocessing, examples);
  const { columns } = preprocessing;
  const width = columns?.length ?? preprocessing.shape.reduce((product, one) => product * one, 1);
  return Array.from({ length: raw.length / width }, (_, at): Row => {
    const values = raw.subarray(at * width, (at + 1) * width);
    return columns === undefined
      ? [...values]
      : Object.fromEntries(
          columns.map((column, i) => [
            column.name,
            column.tag === 'number' ? values[i] : column.categories[float64At(values, i)],
          ]),
        );
  });
};
