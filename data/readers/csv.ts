/** Tables of numbers as text: fields between commas, tabs or semicolons, quoted where they hold one (RFC 4180). */
import { basename } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { didYouMean, type Problem, problem } from '../../dsl/problem.js';
import type { Dataset, Source, Split } from '../dataset.js';
import { integerField, LABEL } from '../field.js';
import { readBytes } from './file.js';
import { splitSettings, withParts } from '../parts.js';
import { text, type ValuesOf, word } from '../settings.js';

type Problems = readonly Problem[];

/** `header`: whether the first row names the columns (told by whether it holds numbers); `delimiter`: told by the first line; `labels`: name or number of the column with classes. */
export const csvSettings = {
  ...splitSettings,
  header: word('auto', 'auto', 'yes', 'no'),
  delimiter: word('auto', 'auto', 'comma', 'tab', 'semicolon', 'space'),
  labels: text('the name or number of a column'),
} as const;
type Values = ValuesOf<typeof csvSettings>;

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const delimiters = { comma: 0x2c, tab: 0x09, semicolon: 0x3b, space: 0x20 } as const;

const isLineEnd = (byte: number): boolean => byte === LINE_FEED || byte === RETURN;

/** The separator that the first line has most of; names of columns have spaces in them, so these are one where there is no other. */
const delimiterOf = (bytes: Uint8Array): number => {
  const start = bytes.findIndex((byte) => !isLineEnd(byte));
  const end = bytes.indexOf(LINE_FEED, start);
  const line = bytes.subarray(Math.max(0, start), end < 0 ? bytes.length : end);
  const count = (code: number): number => line.reduce((sum, byte) => sum + (byte === code ? 1 : 0), 0);
  const { comma, tab, semicolon, space } = delimiters;
  const best = [comma, tab, semicolon].reduce((most, code) => (count(code) > count(most) ? code : most));
  return count(best) > 0 ? best : count(space) > 0 ? space : comma;
};

type Row = { readonly line: number; readonly fields: readonly string[] };

/** The rows of a text, or the line where a quoted field never ends. Empty lines are no rows. */
function* rowsOf(bytes: Uint8Array, delimiter: number): Generator<Row, number | undefined, void> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isSpace = delimiter === delimiters.space;
  let line = 1;
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < bytes.length) {
    const started = line;
    const fields: string[] = [];
    for (let ended = false; !ended;) {
      if (isSpace) while (bytes[at] === delimiter) at++;
      let field = '';
      if (bytes[at] === QUOTE) {
        for (let closed = false; !closed;) {
          const from = at + 1;
          at = buffer.indexOf(QUOTE, from);
          if (at < 0) return started;
          field += buffer.toString('utf8', from, at);
          for (let i = from; i < at; i++) if (bytes[i] === LINE_FEED) line++;
          closed = bytes[++at] !== QUOTE;
          if (!closed) field += '"';
        }
      }
      const from = at;
      while (at < bytes.length && bytes[at] !== delimiter && bytes[at] !== LINE_FEED) at++;
      const to = at > from && bytes[at - 1] === RETURN && bytes[at] !== delimiter ? at - 1 : at;
      field += buffer.toString('utf8', from, to);
      ended = at >= bytes.length || bytes[at] === LINE_FEED;
      if (!(isSpace && ended && field === '')) fields.push(field.trim());
      at++;
    }
    line++;
    if (fields.length > 1 || (fields.length === 1 && fields[0] !== '')) yield { line: started, fields };
  }
  return undefined;
}

const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** NaN for everything that is not a finite decimal number in single precision. */
const numberOf = (field: string): number =>
  decimal.test(field) && Number.isFinite(Math.fround(Number(field))) ? Number(field) : NaN;

/** Floats that grow as rows come. */
const growing = () => {
  let values = new Float32Array(1024);
  let length = 0;
  return {
    push: (value: number): void => {
      if (length === values.length) {
        const larger = new Float32Array(2 * length);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    all: (): Float32Array => values.slice(0, length),
  };
};

/** What tables have where a value is missing. */
const missing = /^(nan|na|n\/a|null|none|\?|[+-]?inf(inity)?|)$/i;

/** Names of columns are no numbers, and not all of them are missing values; that of an index may be. */
const isHeader = (fields: readonly string[]): boolean =>
  fields.every((field) => Number.isNaN(numberOf(field))) && !fields.every((field) => missing.test(field));

const MOST_PROBLEMS = 5;
/** Of a field that is none, so many letters. */
const MOST_SHOWN = 80;

/** The column of a name or of a number from 1. */
const columnOf = (
  path: string,
  wanted: string,
  names: readonly string[],
  width: number,
): Either<Problems, number> => {
  if (wanted === '') return right(-1);
  const named = names.indexOf(wanted);
  if (named >= 0) return right(named);
  const number = Number(wanted);
  if (Number.isInteger(number) && number >= 1 && number <= width) return right(number - 1);
  const expected = names.length > 0 ? `one of ${names.join(', ')}` : `a number from 1 to ${width}`;
  return left([problem(`${path}?labels`, JSON.stringify(wanted), expected, didYouMean(wanted, names))]);
};

/** Decodes a table's bytes; every class gets the number of its place among the sorted classes. `path` only names it in problems. */
export const decodeCsv = (path: string, bytes: Uint8Array, values: Values): Either<Problems, Dataset> => {
  const delimiter = values.delimiter === 'auto' ? delimiterOf(bytes) : delimiters[values.delimiter];
  const rows = rowsOf(bytes, delimiter);
  const first = rows.next();
  if (first.done === true)
    return left([
      first.value === undefined
        ? problem(path, 'no rows', 'a table with at least one row')
        : problem(path, `a quote in line ${first.value} that is never closed`, 'a closing quote'),
    ]);
  const width = first.value.fields.length;
  const hasHeader = values.header === 'yes' || (values.header === 'auto' && isHeader(first.value.fields));
  const names = hasHeader ? first.value.fields : [];
  const column = columnOf(path, values.labels, names, width);
  if (column._tag === 'Left') return column;

  const numbers = growing();
  const classes: string[] = [];
  const problems: Problem[] = [];
  let size = 0;
  const take = ({ line, fields }: Row): void => {
    size++;
    if (fields.length !== width) {
      problems.push(problem(`${path}:${line}`, `${fields.length} fields`, `${width}, as in the first row`));
      return;
    }
    fields.forEach((field, i) => {
      const isLabel = i === column.right;
      const value = isLabel ? 0 : numberOf(field);
      if (Number.isNaN(value) || (isLabel && field === '')) {
        const where = names.length > 0 ? `column ${i + 1} (${names[i]})` : `column ${i + 1}`;
        const found = field === '' ? 'nothing' : JSON.stringify(field.slice(0, MOST_SHOWN));
        const expected = isLabel
          ? 'a class'
          : `a finite number${decimal.test(field) ? ' in single precision' : ''}`;
        problems.push(problem(`${path}:${line}`, `${found} in ${where}`, expected));
      }
      if (isLabel) classes.push(field);
      else numbers.push(value);
    });
  };
  if (!hasHeader) take(first.value);
  let next = rows.next();
  for (; next.done !== true && problems.length < MOST_PROBLEMS; next = rows.next()) take(next.value);
  if (next.done === true && next.value !== undefined)
    problems.push(problem(path, `a quote in line ${next.value} that is never closed`, 'a closing quote'));
  if (problems.length > 0) return left(problems.slice(0, MOST_PROBLEMS));
  if (size === 0) return left([problem(path, 'a header without rows', 'a table with at least one row')]);
  const shape = [width - (column.right < 0 ? 0 : 1)];
  if (shape[0] === 0) return left([problem(path, 'no column besides the labels', 'at least one')]);
  const dataset = { name: basename(path), shape, size, examples: numbers.all() };
  if (column.right < 0) return right(dataset);
  const known = [...new Set(classes)].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
  if (known.length > 256) return left([problem(`${path}?labels`, `${known.length} classes`, 'at most 256')]);
  const places = new Map(known.map((name, place) => [name, place]));
  const labels = classes.map((name) => places.get(name) ?? 0);
  return right({ ...dataset, fields: { [LABEL]: integerField(labels, known) } });
};

/** A table, part of which is held out for testing. */
export const openCsv = (path: string, values: Values): TaskEither.TaskEither<Problems, Split<Source>> =>
  pipe(
    readBytes(path, 'a table'),
    TaskEither.chainEitherK((bytes) => decodeCsv(path, bytes, values)),
    TaskEither.chain((all) => withParts(path, values)({ all })),
  );
