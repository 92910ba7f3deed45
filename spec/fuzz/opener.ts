/** What is mutated, and what opens it. */
import type { Either } from 'fp-ts/lib/Either.js';
import type { Problem } from '../../dsl/problem.js';

export type Checked = Either<readonly Problem[], unknown>;

/** Files by their names in a folder, one of which will be mutated. */
export type Corpus = readonly { readonly name: string; readonly bytes: Buffer }[];

export type Opener = {
  readonly corpus: () => Corpus;
  /** Opens the folder, or the file of this name in it. */
  readonly open: (folder: string, name: string) => Promise<Checked>;
};
