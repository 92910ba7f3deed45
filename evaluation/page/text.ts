/** Text of the page: escaping, and numbers as a reader wants them. */
import { atLeast, entryOf } from '../../dsl/lookup.js';
import { short } from '../../runs/records/progress.js';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entryOf(entities, character));

/** The number of a progress line, typeset: `0.0312`, `12.5`, `4980`, `3.1·10⁻⁷`. */
export const numberText = (value: number): string => {
  const [digits, exponent] = atLeast(1, short(value).replace('Infinity', '∞').split(/e\+?/));
  if (exponent === undefined) return digits.replace('-', '−');
  const raised = [...exponent].map((c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)])).join('');
  const factor = Number(digits) === 1 ? '' : Number(digits) === -1 ? '−' : `${Number(digits)}·`;
  return `${factor}10${raised}`.replace('-', '−');
};

/** `12,345`. */
export const countText = (count: number): string => count.toLocaleString('en-US');
