/** Files written whole or not at all. */
import { renameSync, writeFileSync } from 'node:fs';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { errorText, type Problem, problem } from '../../dsl/problem.js';
import { tidied } from '../../backends/places.js';

/** Under another name first: a reader sees the whole file, or the one before. What an earlier try left there, a link for one, is removed. */
export const writeWhole = (
  path: string,
  content: string | Uint8Array,
): Either<readonly Problem[], string> => {
  const temporary = `${path}.partial`;
  tidied(temporary);
  try {
    writeFileSync(temporary, content, { flag: 'wx' });
    renameSync(temporary, path);
    return right(path);
  } catch (error) {
    tidied(temporary);
    return left([problem(path, errorText(error), 'a file that can be written')]);
  }
};
