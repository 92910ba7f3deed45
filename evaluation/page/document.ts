/** A page of ours: head, title, figures under it, sections and a footer, in one file that refers to nothing outside itself. */
import { style } from './style.js';
import type { Row } from './figures-table.js';
import { escaped } from './text.js';

export type Document = {
  readonly title: string;
  readonly eyebrow: string;
  readonly summary: string;
  readonly figures: readonly Row[];
  /** Markup; all else is text. */
  readonly sections: readonly string[];
  readonly footer: readonly string[];
};

/** A heading, a sentence under it, and markup. */
export const section = (title: string, note: string, ...content: readonly string[]): string =>
  `<section><h2>${escaped(title)}</h2><p class="note">${escaped(note)}</p>${content.join('')}</section>`;

/** The whole text. */
export const documentOf = ({ title, eyebrow, summary, figures, sections, footer }: Document): string =>
  [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)} · Immersion</title><style>${style}</style></head><body><main>`,
    `<header><p class="eyebrow">${escaped(eyebrow)}</p><h1>${escaped(title)}</h1><p class="lede">${escaped(summary)}</p>`,
    `<dl class="figures">${figures.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl></header>`,
    ...sections,
    `<footer>${footer.map((line) => `<p>${escaped(line)}</p>`).join('')}</footer>`,
    '</main></body></html>\n',
  ].join('\n');
