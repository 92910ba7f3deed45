/** What is wrong with a value: where, what was found, what was expected, and what to do. Problems are accumulated, never thrown. */
import { elementAt } from './lookup.js';

export type Problem = {
  /** Path of the offending part, such as `decoder.layers[2].filters`. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  readonly hint?: string;
};

/** Letters of what a file says that a line can show. */
const MOST_LETTERS = 1000;

/** The beginning and the end of what is too long for a line. */
const shortened = (text: string): string =>
  text.length <= MOST_LETTERS ? text : `${text.slice(0, MOST_LETTERS / 2)}…${text.slice(-MOST_LETTERS / 2)}`;

/** A problem at a path: what was found, what was expected, and what to do. */
export const problem = (path: string, found: string, expected: string, hint?: string): Problem => {
  const known = { path: shortened(path), found: shortened(found), expected: shortened(expected) };
  return hint === undefined ? known : { ...known, hint };
};

/** One line: `decoder.layers[2].filters: found -3, expected a positive integer`. */
export const showProblem = ({ path, found, expected, hint }: Problem): string =>
  `${path}: found ${found}, expected ${expected}${hint === undefined ? '' : ` (${hint})`}`;

/** Number of single-character edits between two words (Levenshtein 1966). */
const distance = (a: string, b: string): number => {
  const next = (row: readonly number[], i: number): readonly number[] =>
    [...b].reduce<readonly number[]>(
      (line, c, j) => [
        ...line,
        Math.min(elementAt(line, j) + 1, elementAt(row, j + 1) + 1, elementAt(row, j) + (a[i] === c ? 0 : 1)),
      ],
      [i + 1],
    );
  const last = [...a].reduce<readonly number[]>(
    (row, _, i) => next(row, i),
    [0, ...[...b].map((_, j) => j + 1)],
  );
  return elementAt(last, b.length);
};

/** Longer words are no slips of a name. */
const LONGEST = 100;

/** What other libraries call what has another name here, in lower case and without underscores. */
const elsewhere: Readonly<Record<string, string>> = {
  ...{ lr: 'rate', learningrate: 'rate', wd: 'weightDecay', decay: 'weightDecay', eps: 'epsilon' },
  ...{ batchsize: 'batch', epochs: 'steps', iterations: 'steps', loss: 'objective', dataset: 'data' },
  ...{ kernelsize: 'kernel', strides: 'stride', usebias: 'bias', gradclip: 'clipNorm', maxnorm: 'clipNorm' },
};

/** The known word nearest to what was written, if it is near enough to be a slip, or a name that it has elsewhere. */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  const customary = elsewhere[word.toLowerCase().replaceAll('_', '')];
  if (customary !== undefined && known.includes(customary)) return customary;
  const most = Math.max(2, Math.floor(word.length / 3));
  const ranked = known
    // Words of other lengths are further than that.
    .filter((candidate) => word.length <= LONGEST && Math.abs(candidate.length - word.length) <= most)
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  return ranked.length > 0 && elementAt(ranked, 0).edits <= most ? elementAt(ranked, 0).candidate : undefined;
};

/** `did you mean "dense"?` for the nearest known word. */
export const didYouMean = (word: string, known: readonly string[]): string | undefined => {
  const guess = nearest(word, known);
  return guess === undefined ? undefined : `did you mean ${JSON.stringify(guess)}?`;
};

/** What an error says in one line, whatever was thrown. */
export const errorText = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  const [first = '', ...rest] = text.split('\n').map((line) => line.trim());
  // A transpiler's first line only counts its errors.
  return rest.find((line) => line.includes('ERROR:')) ?? (first === '' ? 'an unknown error' : first);
};

/** What was thrown as the problem of a path, for `tryCatch`. */
export const thrownAt =
  (path: string, expected: string, found = errorText) =>
  (error: unknown): readonly Problem[] => [problem(path, found(error), expected)];
