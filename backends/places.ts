/** Where files are written: folders made level by level, files that no link leads elsewhere, and cleaning up that hides no cause. */
import {
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Either, isLeft, left, right, tryCatch } from 'fp-ts/lib/Either.js';
import { errorText, type Problem, problem, thrownAt } from '../dsl/problem.js';

type Checked<A> = Either<readonly Problem[], A>;

const writable = 'a folder that can be written';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** What is at a path, links followed or not; nothing where there is nothing. */
const entry = (path: string, look: (path: string) => Stats, expected: string): Checked<Stats | undefined> => {
  try {
    return right(look(path));
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? right(undefined) : left([problem(path, errorText(error), expected)]);
  }
};

/**
 * The folder, made with those above it where they are missing. One level at a time: Node's own recursive mkdir asks for ever where the
 * system says that a folder it can see does not exist, as under /proc.
 */
export const makeFolder = (path: string, expected = writable): Checked<string> => {
  const found = entry(path, statSync, expected);
  if (isLeft(found)) return found;
  if (found.right !== undefined)
    return found.right.isDirectory() ? right(path) : left([problem(path, 'a file', expected)]);
  const above = dirname(resolve(path));
  const parent = above === resolve(path) ? right(above) : makeFolder(above, expected);
  if (isLeft(parent)) return parent;
  try {
    mkdirSync(path);
    return right(path);
  } catch (error) {
    // Another process may have made it in between.
    return codeOf(error) === 'EEXIST' ? right(path) : left([problem(path, errorText(error), expected)]);
  }
};

/** Removes what is there, whatever it is; where that fails, what went wrong before is what matters. */
export const tidied = (path: string): void => {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // It stays.
  }
};

/** The folder, made where it is missing, once something has been written there and removed again. */
export const writableFolder = (path: string): Checked<string> => {
  const made = makeFolder(path);
  if (isLeft(made)) return made;
  const probe = tryCatch(() => mkdtempSync(join(path, '.immersion-')), thrownAt(path, writable));
  if (isLeft(probe)) return probe;
  tidied(probe.right);
  return made;
};

/** A folder of ours inside `base`, made where it is missing; a link, which would lead elsewhere, is a problem. */
export const folderWithin = (base: string, ...names: readonly string[]): Checked<string> =>
  names.reduce<Checked<string>>((above, name) => {
    if (isLeft(above)) return above;
    const path = join(above.right, name);
    const found = entry(path, lstatSync, writable);
    if (isLeft(found)) return found;
    return found.right?.isSymbolicLink() === true
      ? left([
          problem(path, 'a link', `a folder inside ${base}`, 'name the place that it leads to with --out'),
        ])
      : makeFolder(path);
  }, makeFolder(base));

/** Where a path leads, links followed; the path itself where there is nothing. */
export const realPath = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
};

const NOFOLLOW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);

/** A file to write to, empty; a link is no such file. */
export const openToWrite = (path: string): number => openSync(path, NOFOLLOW);
