/** What is wrong with data: an error as a value. */

export type DataProblem = {
  /** The file, reference or option at fault. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  /** What to do about it. */
  readonly hint?: string;
};
