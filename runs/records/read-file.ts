/** Files read whole: regular ones alone, since a device or a pipe need not end. */
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import { thrownAt } from '../../dsl/problem.js';

/** Whether there is anything under a name, be it a link to nowhere. */
export const hasEntry = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Not a folder on the way, or one that may not be looked into.
    return false;
  }
};

/** Whether a path leads to a regular file. */
export const isFile = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
};

/** All bytes of a file; `expected` says what it should be. */
export const readRegular = (path: string, expected: string): Either<readonly Problem[], Buffer> => {
  try {
    const status = statSync(path);
    return status.isFile()
      ? right(readFileSync(path))
      : left([problem(path, status.isDirectory() ? 'a folder' : 'not a regular file', expected)]);
  } catch (error) {
    return left(thrownAt(path, expected)(error));
  }
};
