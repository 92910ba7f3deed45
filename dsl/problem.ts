/** What is wrong with a value: where, what was found, what was expected, and what to do. Problems are accumulated, never thrown. */
import { elementAt } from './lookup.js';

export type Problem = {
  /** Path of the offending part, such as `decoder.layers[2].filters`. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  readonly hint?: string;
};

export const problem = (path: string, found: string, expected: string, hint?: string): Problem =>
  hint === undefined ? { path, found, expected } : { path, found, expected, hint };

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

/** The known word nearest to what was written, if it is near enough to be a slip. */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  return ranked.length > 0 && elementAt(ranked, 0).edits <= Math.max(2, Math.floor(word.length / 3))
    ? elementAt(ranked, 0).candidate
    : undefined;
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
