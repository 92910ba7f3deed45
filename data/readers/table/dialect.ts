/** How a table is written: what is between its cells, what begins a comment, which letter is in its decimals, told by its first lines. */
import { elementAt } from '../../../dsl/lookup.js';
import { isMissing, isNumber, numberOf } from './cells.js';

export type Dialect = {
  readonly delimiter: string;
  /** Lines that begin with # are no rows. */
  readonly hasComments: boolean;
  readonly hasDecimalComma: boolean;
  /** What ends a line; a carriage return before a line feed is no part of a cell. */
  readonly lineEnd: '\n' | '\r';
};

export const delimiters = { comma: ',', tab: '\t', semicolon: ';', pipe: '|', space: ' ' } as const;

/** Lines that are looked at. */
const LINES = 50;

const lineEndOf = (head: string): Dialect['lineEnd'] =>
  head.includes('\r') && !head.includes('\n') ? '\r' : '\n';

/** The lines of a text's beginning that are rows; the last may be cut, unless it is the only one. */
const linesOf = (head: string, isWhole: boolean): readonly string[] => {
  const lines = head.split(/\r\n|\n|\r/);
  return (isWhole || lines.length === 1 ? lines : lines.slice(0, -1))
    .filter((line) => line.trim() !== '')
    .slice(0, LINES);
};

const unquoted = (line: string): string => line.replaceAll(/"(?:[^"]|"")*"/g, '""');

const countOf = (line: string, letter: string): number => unquoted(line).split(letter).length - 1;

/** The letter that every line has as many of; where none is, that of which the first line has most. Names of columns have spaces in them, so these are one where there is no other. */
const delimiterOf = (lines: readonly string[]): string => {
  const { comma, tab, semicolon, pipe, space } = delimiters;
  const candidates = [tab, semicolon, pipe, comma];
  const [first = ''] = lines;
  const regular = candidates.find(
    (letter) =>
      countOf(first, letter) > 0 && lines.every((line) => countOf(line, letter) === countOf(first, letter)),
  );
  if (regular !== undefined) return regular;
  const most = candidates.reduce((best, letter) =>
    countOf(first, letter) > countOf(first, best) ? letter : best,
  );
  return countOf(first, most) > 0 ? most : lines.some((line) => line.trim().includes(space)) ? space : comma;
};

/** The cells of a line without quoted delimiters; between spaces there are no empty cells. */
export const cellsOf = (line: string, delimiter: string): readonly string[] =>
  delimiter === ' ' ? line.trim().split(/ +/) : line.split(delimiter).map((cell) => cell.trim());

/** Decimals have a comma where cells only then are numbers, and no more than thousands are told apart by it. */
const decimalCommaOf = (lines: readonly string[], delimiter: string): boolean => {
  if (delimiter === ',') return false;
  const cells = lines
    .flatMap((line) => cellsOf(unquoted(line), delimiter))
    .filter((cell) => !isMissing(cell));
  const withComma = cells.filter((cell) => /^[+-]?\d*,\d+(e[+-]?\d+)?$/i.test(cell));
  const withPoint = cells.some((cell) => cell.includes('.') && isNumber(cell, false));
  const isSure =
    delimiter === ';' || withComma.some((cell) => !/,\d{3}$/.test(cell) || /^[+-]?0?,/.test(cell));
  return (
    withComma.length > 0 &&
    !withPoint &&
    isSure &&
    withComma.every((cell) => !Number.isNaN(numberOf(cell, true)))
  );
};

/** What was asked for, `auto` where it is to be told. */
export type DialectOptions = {
  readonly delimiter: 'auto' | keyof typeof delimiters;
  readonly decimal: 'auto' | 'point' | 'comma';
};

/** `head` is the beginning of the text, `isWhole` whether it is all of it. */
export const dialectOf = (
  head: string,
  isWhole: boolean,
  { delimiter, decimal }: DialectOptions,
): Dialect & { readonly comment: string | undefined } => {
  const all = linesOf(head, isWhole);
  const hasComments = all.length > 0 && elementAt(all, 0).startsWith('#');
  const lines = hasComments ? all.filter((line) => !line.startsWith('#')) : all;
  const between = delimiter === 'auto' ? delimiterOf(lines) : delimiters[delimiter];
  const before = hasComments
    ? all.slice(
        0,
        all.findIndex((line) => !line.startsWith('#')),
      )
    : [];
  return {
    delimiter: between,
    hasComments,
    hasDecimalComma: decimal === 'comma' || (decimal === 'auto' && decimalCommaOf(lines, between)),
    lineEnd: lineEndOf(head),
    // The last comment before the rows, which may name the columns.
    comment: before.at(-1)?.replace(/^#+/, '').trim(),
  };
};
