/**
 * The rows of a text as cells. Quotes are for csv-parse (RFC 4180 and what people make of it); blocks without a quote, which are most,
 * are split at the delimiter, many times as fast.
 */
import { elementAt } from '../../../dsl/lookup.js';
import { parse } from 'csv-parse';
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
const MOST_LETTERS = 2 ** 27;

const tooLong = (line: number): RowError =>
  new RowError(line, `a row of more than ${MOST_LETTERS} letters`, 'rows that end');

const plainBlock = (
  text: string,
  first: number,
  dialect: Dialect,
): { readonly rows: RowBlock; readonly count: number } => {
  const { delimiter, hasComments, lineEnd } = dialect;
  const cells: (readonly string[])[] = [];
  const lines: number[] = [];
  const all = text.split(lineEnd);
  all.forEach((line, i) => {
    if (line.trim() === '' || (hasComments && line.startsWith('#'))) return;
    // The trimming of cells takes a carriage return before the line feed with it.
    cells.push(cellsOf(line, delimiter));
    lines.push(first + i);
  });
  return { rows: { cells, lines }, count: all.length };
};

const isRecord = (value: unknown): value is readonly string[] => Array.isArray(value);

/** The rest of a text, where quotes are. */
async function* quotedRows(
  pieces: AsyncIterable<string>,
  before: string,
  first: number,
  { delimiter, hasComments, lineEnd }: Dialect,
): AsyncGenerator<RowBlock> {
  const isSpace = delimiter === ' ';
  /** The line that each record ends in; the parser is ahead of who takes them. */
  const ends: number[] = [0];
  const parser = parse({
    delimiter,
    record_delimiter: lineEnd === '\r' ? ['\r'] : ['\r\n', '\n'],
    comment: hasComments ? '#' : null,
    comment_no_infix: true,
    ltrim: true,
    rtrim: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MOST_LETTERS,
    on_record: (record, { lines: end }) => {
      ends.push(end);
      return record;
    },
  });
  const write = async (): Promise<void> => {
    const put = async (text: string): Promise<void> => {
      if (!parser.write(text)) await new Promise((resolve) => parser.once('drain', resolve));
    };
    await put(before);
    for await (const piece of pieces) if (piece !== '') await put(piece);
    parser.end();
  };
  const writing = write().catch((error: unknown) =>
    parser.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  let cells: (readonly string[])[] = [];
  let lines: number[] = [];
  let taken = 0;
  try {
    for await (const value of parser) {
      if (!isRecord(value)) continue;
      cells.push(isSpace ? value.filter((cell) => cell !== '') : value);
      lines.push(first + elementAt(ends, taken++));
      if (cells.length < 4096) continue;
      yield { cells, lines };
      ends.splice(0, taken);
      [cells, lines, taken] = [[], [], 0];
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const at = first + (ends.at(-1) ?? 0);
    if (code === 'CSV_MAX_RECORD_SIZE') throw tooLong(at);
    if (code === 'CSV_QUOTE_NOT_CLOSED')
      throw new RowError(at, 'a quote that is never closed', 'a closing quote');
    if (code.startsWith('CSV_'))
      throw new RowError(at, 'a quote within a cell', 'quotes around whole cells, doubled within them');
    throw error;
  }
  await writing;
  yield { cells, lines };
}

/** All rows in order, in blocks; throws what the pieces throw, and a `RowError`. */
export async function* rowBlocks(pieces: AsyncIterator<string>, dialect: Dialect): AsyncGenerator<RowBlock> {
  const rest: AsyncIterable<string> = { [Symbol.asyncIterator]: () => pieces };
  let held = '';
  let line = 1;
  try {
    for (;;) {
      const next = await pieces.next();
      const text = next.done === true ? held : held + next.value;
      if (text.includes('"')) {
        yield* quotedRows(rest, text, line, dialect);
        return;
      }
      if (next.done === true) {
        yield plainBlock(text, line, dialect).rows;
        return;
      }
      const end = text.lastIndexOf(dialect.lineEnd);
      held = text.slice(end + 1);
      if (held.length > MOST_LETTERS) throw tooLong(line);
      if (end < 0) continue;
      const { rows, count } = plainBlock(text.slice(0, end), line, dialect);
      yield rows;
      line += count;
    }
  } finally {
    await pieces.return?.();
  }
}
