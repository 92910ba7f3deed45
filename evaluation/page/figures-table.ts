/** Names with their values, as tables. */
import { escaped } from './text.js';

export type Row = readonly [name: string, value: string];

const table = (rows: readonly Row[]): string =>
  `<table>${rows
    .map(
      ([name, value]) =>
        `<tr><th scope="row">${escaped(name)}</th><td class="number">${escaped(value)}</td></tr>`,
    )
    .join('')}</table>`;

/** A table under a heading. */
export const panel = (title: string, rows: readonly Row[]): string =>
  `<div class="panel"><h3>${escaped(title)}</h3>${table(rows)}</div>`;
