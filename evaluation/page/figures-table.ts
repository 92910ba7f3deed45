/** Names with their values, as tables. */
import { escaped } from './text.js';

export type Row = readonly [name: string, value: string];

/** A word that no phone is wide enough for may break anywhere, others between words alone. */
const LONGEST = 22;
const classOf = (text: string): string =>
  text.split(' ').some((word) => word.length > LONGEST) ? 'long' : text.length > LONGEST ? 'words' : 'short';

const table = (rows: readonly Row[]): string =>
  `<table>${rows
    .map(
      ([name, value]) =>
        `<tr><th scope="row" class="${classOf(name)}">${escaped(name)}</th><td class="number ${classOf(value)}">${escaped(value)}</td></tr>`,
    )
    .join('')}</table>`;

/** A table under a heading. */
export const panel = (title: string, rows: readonly Row[]): string =>
  `<div class="panel"><h3>${escaped(title)}</h3>${table(rows)}</div>`;
