/** Reading a file's bytes: regular files of a size that is meant, and whatever goes wrong as a problem. */
import { open, readFile, stat } from 'node:fs/promises';
import { left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import { freeMemory, memoryProblem } from '../memory.js';

type Problems = readonly Problem[];

/** What to do about a file that is cut short or damaged. */
export const again = 'copy or download the file again';

/** 2 GiB: more is not read into memory at once. */
export const MOST_BYTES = 2 ** 31 - 1;

export const messageOf = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'no permission to read it' : text;
};

/** The size in bytes of a regular file: reading a pipe or a device could wait, or go on, for ever. */
export const fileSize = (path: string, expected: string): TaskEither.TaskEither<Problems, number> =>
  pipe(
    TaskEither.tryCatch(
      () => stat(path),
      (error): Problems => [problem(path, messageOf(error), expected)],
    ),
    TaskEither.filterOrElse(
      (status) => status.isFile(),
      (status): Problems => [
        problem(path, status.isDirectory() ? 'a folder' : 'not a regular file', expected),
      ],
    ),
    TaskEither.map((status) => status.size),
  );

/** All bytes of a regular file. */
export const readBytes = (
  path: string,
  expected: string,
  most?: number,
): TaskEither.TaskEither<Problems, Uint8Array> =>
  pipe(
    fileSize(path, expected),
    TaskEither.chainFirstEitherK((size) => {
      const limit = Math.min(most ?? freeMemory(), MOST_BYTES);
      const tooMuch = memoryProblem(path, size, 'a file of', { limit });
      return tooMuch === undefined ? right(undefined) : left([tooMuch]);
    }),
    TaskEither.chain(() =>
      TaskEither.tryCatch(
        () => readFile(path),
        (error): Problems => [problem(path, messageOf(error), `${expected} that can be read`)],
      ),
    ),
  );

/** Reads as many bytes from each offset as its part of `into` holds, each before the next is asked for; a file that ends before is a problem. */
export const readAt = (
  path: string,
  parts: Iterable<{ readonly offset: number; readonly into: Uint8Array }>,
): TaskEither.TaskEither<Problems, void> =>
  TaskEither.tryCatch(
    async () => {
      const file = await open(path);
      try {
        for (const { offset, into } of parts) {
          let done = 0;
          while (done < into.length) {
            const { bytesRead } = await file.read(into, done, into.length - done, offset + done);
            if (bytesRead === 0) throw new Error(`the end of the file at byte ${offset + done}`);
            done += bytesRead;
          }
        }
      } finally {
        await file.close();
      }
    },
    (error): Problems => [problem(path, messageOf(error), 'the bytes that were there when it was opened')],
  );

export type Entry = 'file' | 'folder' | 'other' | 'nothing';

/** What is at a path; a device, a pipe or a socket is something other than a file or a folder. */
export const entryAt =
  (path: string): (() => Promise<Entry>) =>
  async () => {
    try {
      const status = await stat(path);
      return status.isDirectory() ? 'folder' : status.isFile() ? 'file' : 'other';
    } catch {
      return 'nothing';
    }
  };
