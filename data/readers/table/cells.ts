/** What a cell of a table says: a number, nothing, or other words. */

/** What tables have where a value is missing: pandas' list, and a question mark. */
const missing: ReadonlySet<string> = new Set([
  ...['', '#n/a', '#n/a n/a', '#na', '-1.#ind', '-1.#qnan', '-nan', '1.#ind', '1.#qnan', '<na>', 'n/a'],
  ...['na', 'nan', 'none', 'null', '?'],
]);

export const isMissing = (cell: string): boolean =>
  cell.length <= 8 && missing.has(cell === '' ? cell : cell.toLowerCase());

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** A decimal number; NaN for all else, `0x10` and `Infinity` among them. */
export const numberOf = (cell: string, hasComma: boolean): number => {
  const value = Number(hasComma ? cell.replace(',', '.') : cell);
  if (!Number.isFinite(value) || cell.length === 0) return NaN;
  // Hexadecimal, octal and binary numbers have a letter second.
  const second = cell.charCodeAt(1);
  if (
    cell.length > 2 &&
    second > DIGIT_9 &&
    cell.charCodeAt(0) === DIGIT_0 &&
    second !== 0x65 &&
    second !== 0x45
  )
    return NaN;
  return value;
};

/** Whether a cell is a decimal number, as large as it may be. */
export const isNumber = (cell: string, hasComma: boolean): boolean => !Number.isNaN(numberOf(cell, hasComma));

/** Where cells count up by one, as the names of columns do that pandas gives: 0, 1, 2, …, the first; an empty name of an index may be before it. */
export const countStart = (cells: readonly string[]): number | undefined => {
  const [first, ...rest] = cells[0] === '' ? cells.slice(1) : cells;
  if (first === undefined || !/^\d{1,9}$/.test(first)) return undefined;
  const start = Number(first);
  return rest.every((cell, i) => cell === String(start + i + 1)) ? start : undefined;
};
