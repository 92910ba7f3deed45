/** The SHA-256 of what lies at a path: whether a file or a folder still holds what it held. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../dsl/problem.js';
import { messageOf } from './readers/file.js';

/** The regular files at and below a path; links are followed, but to no folder that they are in. */
async function* filesAt(path: string, within: readonly string[] = []): AsyncGenerator<string> {
  const status = await stat(path);
  if (status.isFile()) yield path;
  if (!status.isDirectory()) return;
  const real = await realpath(path);
  if (within.includes(real)) return;
  for (const name of await readdir(path))
    if (!name.startsWith('.')) yield* filesAt(join(path, name), [...within, real]);
}

/** The same by their path from it, in an order that does not depend on the machine. */
const filesBelow = async (path: string): Promise<readonly string[]> => {
  const files: string[] = [];
  for await (const at of filesAt(path)) files.push(relative(path, at).replaceAll('\\', '/'));
  return files.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
};

const addFile = async (hash: Hash, path: string): Promise<void> => {
  for await (const bytes of createReadStream(path)) hash.update(bytes);
};

/**
 * Of the bytes of a file, or of the names and bytes of all files in a folder but hidden ones, as 64 hexadecimal digits. All of it is
 * read, a gigabyte in some seconds.
 */
export const digestOf = (path: string): TaskEither.TaskEither<readonly Problem[], string> =>
  TaskEither.tryCatch(
    async () => {
      const whole = createHash('sha256');
      for (const file of await filesBelow(path)) {
        const one = createHash('sha256');
        await addFile(one, join(path, file));
        whole.update(`${file}\0${one.digest('hex')}\0`);
      }
      return whole.digest('hex');
    },
    (error) => [problem(path, messageOf(error), 'files that can be read')],
  );
