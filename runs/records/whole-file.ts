/** Files written whole or not at all. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';

/** Under another name first: a reader sees the whole file, or the one before. */
export const writeWhole = (
  path: string,
  content: string | Uint8Array,
): Either<readonly Problem[], string> => {
  const temporary = `${path}.partial`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
    return right(path);
  } catch (error) {
    rmSync(temporary, { force: true });
    const found = error instanceof Error ? error.message : String(error);
    return left([problem(path, found, 'a file that can be written')]);
  }
};
