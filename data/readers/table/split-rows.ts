/**
 * The rows of a text as cells. Lines without quotes, and those with quotes around whole cells alone, are split at the delimiter; all
 * others are for csv-parse (RFC 4180 and what people make of it), which takes many times as long.
 */
import { elementAt } from '../../../dsl/lookup.js';
import { CsvError, parse } from 'csv-parse/sync';
import { cellsOf, type Dialect } from './dialect.js';

/** Some rows, and the line that each begins in. */
export type RowBlock = { readonly cells: readonly (readonly string[])[]; readonly lines: readonly number[] };

/** A line that is no row: a quote that is never closed, one within a cell, a line without an end. */
export class RowError extends Error {
  constructor(
    readonly line: number,
    readonly found: string,
    readonly expected: string,
  ) {
    super(found);
  }
}

/** Letters that one row may have: an opening quote would take all of a file for one cell. */
const MOST_LETTERS = 2 ** 24;

const tooLong = (line: number): RowError =>
  new RowError(line, `a row of more than ${MOST_LETTERS} letters`, 'rows that end');

/** A row with delimiters, quotes or line ends inside of quotes. */
const quotedRow = (record: string, line: number, { delimiter, lineEnd }: Dialect): readonly string[] => {
  try {
    const [cells = []] = parse(record, {
      delimiter,
      record_delimiter: lineEnd === '\r' ? ['\r'] : ['\r\n', '\n'],
      ltrim: true,
      rtrim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: MOST_LETTERS,
    });
    return delimiter === ' ' ? cells.filter((cell) => cell !== '') : cells;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code === 'CSV_QUOTE_NOT_CLOSED')
      throw new RowError(line, 'a quote that is never closed', 'a closing quote');
    throw new RowError(line, 'a quote within a cell', 'quotes around whole cells, doubled within them');
  }
};

/** The cells of a line whose quotes are around whole cells and hold neither quote nor delimiter; undefined for any other. */
const plainlyQuoted = (line: string, { delimiter }: Dialect): readonly string[] | undefined => {
  const cells: string[] = [];
  for (const cell of cellsOf(line, delimiter)) {
    const first = cell.indexOf('"');
    if (first < 0) cells.push(cell);
    else if (first === 0 && cell.length > 1 && cell.indexOf('"', 1) === cell.length - 1)
      cells.push(cell.slice(1, -1).trim());
    else return undefined;
  }
  return cells;
};

const quotesIn = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
};

/** Lines as rows; a row that goes on over lines is held until its quotes are closed. */
const rowsFrom = (dialect: Dialect) => {
  let held: string[] = [];
  let letters = 0;
  let begun = 1;
  let line = 0;
  return {
    take: (lines: readonly string[]): RowBlock => {
      const cells: (readonly string[])[] = [];
      const begins: number[] = [];
      const row = (found: readonly string[], at: number): void => {
        cells.push(found);
        begins.push(at);
      };
      for (const text of lines) {
        line++;
        if (held.length === 0) {
          if (text.trim() === '' || (dialect.hasComments && text.startsWith('#'))) continue;
          const found = text.includes('"') ? plainlyQuoted(text, dialect) : cellsOf(text, dialect.delimiter);
          if (found !== undefined) {
            row(found, line);
            continue;
          }
          begun = line;
        } else if (!text.includes('"')) {
          held.push(text);
          letters += text.length;
          if (letters > MOST_LETTERS) throw tooLong(begun);
          continue;
        }
        held.push(text);
        letters += text.length;
        // An odd number of quotes, counted in the first line and in each that has any, opens or closes the row.
        if ((quotesIn(text) % 2 === 1) === (held.length === 1)) {
          if (letters > MOST_LETTERS) throw tooLong(begun);
          continue;
        }
        row(quotedRow(held.join(dialect.lineEnd), begun, dialect), begun);
        held = [];
        letters = 0;
      }
      return { cells, lines: begins };
    },
    end: (): void => {
      if (held.length > 0) throw new RowError(begun, 'a quote that is never closed', 'a closing quote');
    },
  };
};

/** All rows in order, in blocks; throws what the pieces throw, and a `RowError`. */
export async function* rowBlocks(pieces: AsyncIterator<string>, dialect: Dialect): AsyncGenerator<RowBlock> {
  const { lineEnd } = dialect;
  const rows = rowsFrom(dialect);
  let begun: string[] = [];
  let letters = 0;
  let line = 1;
  try {
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      const end = next.value.lastIndexOf(lineEnd);
      if (end < 0) {
        begun.push(next.value);
        letters += next.value.length;
        if (letters > MOST_LETTERS) throw tooLong(line);
        continue;
      }
      const lines = (begun.join('') + next.value.slice(0, end)).split(lineEnd);
      line += lines.length;
      begun = [next.value.slice(end + 1)];
      letters = elementAt(begun, 0).length;
      yield rows.take(lines);
    }
    yield rows.take([begun.join('')]);
    rows.end();
  } finally {
    await pieces.return?.();
  }
}
