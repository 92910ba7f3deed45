/** Rows of numbers as a file: `.npy`, `.csv` or, of pictures, a `.png` with all of them side by side; on stdout as CSV where no file is named. */
import { extname } from 'node:path';
import { dirname } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { encodeCsv, encodeNpy, type Row } from '../../data/index.js';
import { type Problem, problem, sizeOf } from '../../dsl/index.js';
import { mosaicPng } from '../../evaluation/index.js';
import { isPicture } from '../../evaluation/picture.js';
import { writableFolder } from '../../backends/places.js';
import { writeWhole } from '../../runs/records/whole-file.js';
import type { Arguments, Option } from '../options/arguments.js';
import { printCsv, printJson, say } from './output.js';

type Checked<A> = Either<readonly Problem[], A>;

export type Rows = {
  /** [count, …shape], row-major. */
  readonly values: Float32Array | Float64Array;
  /** Of one row. */
  readonly shape: readonly number[];
  /** Of the numbers of a row. */
  readonly names?: readonly string[] | undefined;
  /** The same for people, where categories have names. */
  readonly cells?: readonly Row[] | undefined;
  /** Pixels from 0 to 1, where rows are pictures. */
  readonly pixels?: Float32Array | undefined;
};

const formats = ['.csv', '.npy', '.png'] as const;
type Format = (typeof formats)[number];

export const rowsOption: Option = {
  name: 'out',
  value: 'FILE',
  summary: 'a .npy or .csv file, or for pictures a .png with all of them (CSV on stdout)',
};

/** Where rows are to go, checked before they are computed. */
export type Target = { readonly path: string; readonly format: Format } | undefined;

export const targetOf = (given: Arguments): Checked<Target> => {
  const path = given.last('out');
  if (path === undefined) return right(undefined);
  const format = formats.find((one) => one === extname(path).toLowerCase());
  if (format === undefined)
    return left([problem('--out', JSON.stringify(path), `a file ${formats.join(', ')}`)]);
  const place = writableFolder(dirname(path));
  return isLeft(place) ? place : right({ path, format });
};

/** Pictures side by side, about as many down as across. */
const ACROSS = 12;

function* cellsOf({ values, shape, cells, names }: Rows) {
  const width = sizeOf(shape);
  for (let at = 0; at < values.length; at += width) {
    const row = cells?.[at / width];
    if (row === undefined) yield [...values.subarray(at, at + width)];
    else yield Array.isArray(row) ? row : (names ?? []).map((name) => new Map(Object.entries(row)).get(name));
  }
}

const contentOf = (rows: Rows, format: Format): Checked<string | Uint8Array> => {
  const { values, shape, names, pixels } = rows;
  if (format === '.csv') return right(encodeCsv(names, cellsOf(rows)));
  if (format === '.npy') return right(encodeNpy(values, [values.length / sizeOf(shape), ...shape]));
  return pixels !== undefined && isPicture(shape)
    ? right(mosaicPng(pixels, shape, Math.min(ACROSS, Math.max(1, pixels.length / sizeOf(shape)))))
    : left([problem('--out', 'a .png for rows that are no pictures', 'a .npy or .csv file')]);
};

/** Writes or prints rows; with `--json` the result names the file, or holds the rows. Answers with the exit code's problems. */
export const writeRows = (rows: Rows, target: Target, json: boolean): Checked<void> => {
  const count = rows.values.length / Math.max(1, sizeOf(rows.shape));
  if (target === undefined) {
    if (json) printJson({ ok: true, names: rows.names ?? null, rows: [...cellsOf(rows)] });
    else printCsv(encodeCsv(rows.names, cellsOf(rows)));
    return right(undefined);
  }
  const content = contentOf(rows, target.format);
  if (isLeft(content)) return content;
  const written = writeWhole(target.path, content.right);
  if (isLeft(written)) return written;
  if (json) printJson({ ok: true, file: target.path, count, shape: rows.shape, names: rows.names ?? null });
  else say(`wrote ${count} rows to ${target.path}`);
  return right(undefined);
};
