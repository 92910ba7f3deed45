/** Folders that no other process gets: they are created, never looked at first. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import { shellPath } from '../../dsl/printing/shell.js';
import { errorText } from '../../dsl/problem.js';
import { makeFolder } from '../../backends/places.js';

type Made = Either<readonly Problem[], string>;

const expected = 'a new or empty folder that can be written';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

const timestamp = (now: Date): string =>
  now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');

/** `outputs/digits-20260131-120000`, with a number after it where that is taken. */
const makeNumberedFolder = (parent: string, name: string, attempt = 1): Made => {
  const path = join(parent, `${name}-${timestamp(new Date())}${attempt === 1 ? '' : `-${attempt}`}`);
  try {
    mkdirSync(path);
    return right(path);
  } catch (error) {
    return codeOf(error) === 'EEXIST'
      ? makeNumberedFolder(parent, name, attempt + 1)
      : left([problem(path, errorText(error), expected)]);
  }
};

/** What is wrong with a folder that a run is to have for its own. */
export const entriesProblems = (folder: string, mayHold: (entry: string) => boolean): readonly Problem[] => {
  try {
    const others = readdirSync(folder).filter((entry) => !entry.startsWith('lock') && !mayHold(entry));
    const what = `a folder with ${others.length} ${others.length === 1 ? 'entry' : 'entries'}`;
    return others.length === 0
      ? []
      : [
          problem(
            folder,
            what,
            expected,
            others.includes('spec.json')
              ? `immersion resume ${shellPath(folder)} goes on with the run in it`
              : undefined,
          ),
        ];
  } catch (error) {
    return [problem(folder, errorText(error), expected)];
  }
};

/** The folder of a run: `out`, which is new or holds only what may be there already, or a new one under `outputs/`. */
export const makeRunFolder = (
  name: string,
  out: string | undefined,
  mayHold: (entry: string) => boolean,
): Made => {
  if (out === undefined) {
    const parent = makeFolder('outputs', expected);
    return isLeft(parent)
      ? parent
      : makeNumberedFolder(parent.right, name.replaceAll(/[^\p{L}\p{N}._-]/gu, '-'));
  }
  const made = makeFolder(out, expected);
  if (isLeft(made)) return made;
  const problems = entriesProblems(out, mayHold);
  return problems.length > 0 ? left(problems) : right(out);
};
