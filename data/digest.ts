/** The SHA-256 of what lies at a path: whether a file or a folder still holds what it held. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../dsl/problem.js';
import { messageOf } from './file.js';

/** The regular files at and below a path, by their path from it, in an order that does not depend on the machine. */
const filesBelow = async (path: string): Promise<readonly string[]> => {
  if ((await stat(path)).isFile()) return [''];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    const at = join(entry.parentPath, entry.name);
    if (entry.name.startsWith('.') || entry.isDirectory()) continue;
    if (entry.isFile() || (await stat(at)).isFile()) files.push(relative(path, at).replaceAll('\\', '/'));
  }
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
