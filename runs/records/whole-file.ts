/**
 * Files written whole or not at all: under another name first, brought to the disk, then renamed. A reader sees the whole file, or
 * the one before, also after the machine was lost. Links are replaced and never followed.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import { errorText } from '../../dsl/problem.js';
import { tidied } from '../../backends/places.js';

export type Content = string | Uint8Array | readonly Uint8Array[];

type Written = Either<readonly Problem[], string>;

const partsOf = (content: Content): readonly Uint8Array[] =>
  typeof content === 'string' ? [Buffer.from(content)] : content instanceof Uint8Array ? [content] : content;

const temporaryOf = (path: string): string => `${path}.partial`;

const failed = (path: string, error: unknown): Written => {
  const full =
    error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return left([problem(path, errorText(error), full ? 'room on the disk' : 'a file that can be written')]);
};

/** The entry of a new file is on the disk when its folder is. Some systems cannot do that for a folder. */
const syncFolder = (path: string): void => {
  try {
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // The file itself is complete.
  }
};

export const writeWhole = (path: string, content: Content): Written => {
  const temporary = temporaryOf(path);
  try {
    rmSync(temporary, { force: true });
    const file = openSync(temporary, 'wx');
    try {
      for (const part of partsOf(content))
        for (let at = 0; at < part.length;) at += writeSync(file, part, at, part.length - at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(path);
    return right(path);
  } catch (error) {
    tidied(temporary);
    return failed(path, error);
  }
};

/** The same while other work goes on. */
export const writeWholeBeside = async (path: string, content: Content): Promise<Written> => {
  const temporary = temporaryOf(path);
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx');
    try {
      for (const part of partsOf(content))
        for (let at = 0; at < part.length;) at += (await file.write(part, at, part.length - at)).bytesWritten;
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    const folder = await open(dirname(path), 'r').catch(() => undefined);
    await folder?.sync().catch(() => undefined);
    await folder?.close();
    return right(path);
  } catch (error) {
    tidied(temporary);
    return failed(path, error);
  }
};
