/** The settings of tables. */
import { splitSettings } from '../../parts.js';
import { text, type ValuesOf, word } from '../../settings.js';

/**
 * `header`: whether the first row names the columns; `delimiter`, `decimal`: what is between cells and in decimals; `index`: what
 * becomes of a first column that only counts the rows; `labels`: columns of classes; `fields`: columns of numbers that are kept beside the
 * examples; `categories`: `onehot` makes one-hot vectors of columns of words, names do so of these columns.
 */
export const tableSettings = {
  ...splitSettings,
  header: word('auto', 'auto', 'yes', 'no'),
  delimiter: word('auto', 'auto', 'comma', 'tab', 'semicolon', 'pipe', 'space'),
  decimal: word('auto', 'auto', 'point', 'comma'),
  index: word('auto', 'auto', 'keep', 'drop'),
  labels: text('names or numbers of columns'),
  fields: text('names or numbers of columns'),
  categories: { ...text('refuse, onehot, or names of columns'), fallback: 'refuse' },
} as const;
export type TableValues = ValuesOf<typeof tableSettings>;
