/** Text as wide as the terminal that it is for: what is longer goes on below, further in, and nothing is left out. */
import { elementAt } from '../../dsl/lookup.js';

/** Columns of what is no terminal, such as a pipe. */
export const USUAL_COLUMNS = 80;
const FEWEST_COLUMNS = 40;

/** Columns of a terminal, or the usual ones where text goes elsewhere. */
export const columnsOf = ({
  isTTY,
  columns,
}: {
  readonly isTTY?: boolean;
  readonly columns?: number;
}): number =>
  isTTY === true && columns !== undefined && columns > 0 ? Math.max(FEWEST_COLUMNS, columns) : USUAL_COLUMNS;

/** A line as lines of so many columns, those after the first `hanging` columns in; a word that is longer stays whole. */
export const wrapped = (text: string, columns: number, hanging = 0): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/\s*\S+/g) ?? ['']) {
    if (line.trim() !== '' && line.length + word.length > columns) {
      lines.push(line);
      line = `${' '.repeat(hanging)}${word.trimStart()}`;
    } else line += word;
  }
  return [...lines, line];
};

const GAP = 2;
/** A cell gives way no further. */
const NARROWEST = 12;

export type AlignedOptions = {
  /** Which columns end together; the others begin together. */
  readonly isRight: (column: number) => boolean;
  /** The column whose cells go on below where the terminal is too narrow. */
  readonly flexible?: number;
  /** Of the terminal; as wide as it takes unless given. */
  readonly columns?: number;
};

/** Rows of words under each other. */
export const aligned = (
  rows: readonly (readonly string[])[],
  { isRight, flexible, columns = Infinity }: AlignedOptions,
): readonly string[] => {
  const natural = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const total = natural.reduce((sum, width) => sum + width + GAP, -GAP);
  const widths = natural.map((width, i) =>
    i === flexible ? Math.min(width, Math.max(NARROWEST, width - (total - columns))) : width,
  );
  return rows.flatMap((row) => {
    const cells = widths.map((width, i) => (i === flexible ? wrapped(row[i] ?? '', width) : [row[i] ?? '']));
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, y) =>
      cells
        .map((lines, i) => {
          const [text, width] = [lines[y] ?? '', elementAt(widths, i)];
          return isRight(i) ? text.padStart(width) : text.padEnd(width);
        })
        .join(' '.repeat(GAP))
        .trimEnd(),
    );
  });
};
