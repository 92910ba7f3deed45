/** Tables as text with commas between cells, quoted where a cell holds one (RFC 4180). */
import type { Cell } from '../preprocessing/rows.js';

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const cellText = (cell: Cell): string => (cell === null || cell === undefined ? '' : quoted(String(cell)));

/** A row of names, where there are some, and the rows; numbers with all digits that tell them from others. */
export const encodeCsv = (names: readonly string[] | undefined, rows: Iterable<readonly Cell[]>): string => {
  const lines = names === undefined ? [] : [names.map(quoted).join(',')];
  for (const row of rows) lines.push(row.map(cellText).join(','));
  return `${lines.join('\n')}\n`;
};
