/** The lock on a run folder: one process at a time trains in it, and a process that was killed holds nothing. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { isRecord } from '../../dsl/codec/codec.js';
import { type Problem, problem } from '../../dsl/index.js';
import { errorText } from '../../dsl/problem.js';
import { tidied } from '../../backends/places.js';
import { readRegular } from '../records/read-file.js';

/** Who holds a lock: a process is known by its number and by when it began, since numbers come again. */
export type Holder = { readonly pid: number; readonly began: string; readonly host: string };

export type Lock = { readonly release: () => void };

const FILE = 'lock';

/** When a process began, in ticks since the machine did; empty where the system does not say. Undefined where there is none. */
const beganAt = (pid: number): string | undefined => {
  try {
    // The name of the program, in parentheses, may hold anything; the 22nd field is the 20th after it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : (fields[19] ?? '');
  } catch {
    try {
      process.kill(pid, 0);
      return '';
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'EPERM' ? '' : undefined;
    }
  }
};

const self = (): Holder => ({ pid: process.pid, began: beganAt(process.pid) ?? '', host: hostname() });

const read = (path: string): Holder | undefined => {
  try {
    const bytes = readRegular(path, 'a lock');
    if (isLeft(bytes)) return undefined;
    const json: unknown = JSON.parse(bytes.right.toString('utf8'));
    return isRecord(json) &&
      typeof json.pid === 'number' &&
      typeof json.began === 'string' &&
      typeof json.host === 'string'
      ? { pid: json.pid, began: json.began, host: json.host }
      : undefined;
  } catch {
    return undefined;
  }
};

/** Of another machine nothing is known, so that its processes live. */
const lives = ({ pid, began, host }: Holder): boolean => {
  if (host !== hostname()) return true;
  const found = beganAt(pid);
  return found !== undefined && (found === '' || began === '' || found === began);
};

/** The process that trains in a folder, if one does. */
export const holderOf = (folder: string): Holder | undefined => {
  const holder = read(join(folder, FILE));
  return holder !== undefined && lives(holder) ? holder : undefined;
};

const taken = (folder: string, holder: Holder | undefined): Either<readonly Problem[], never> =>
  left([
    problem(
      folder,
      holder === undefined
        ? 'a run that another process is starting in'
        : `a run that process ${holder.pid}${holder.host === hostname() ? '' : ` of ${holder.host}`} trains`,
      'a folder that no other process trains in',
      holder === undefined || holder.host === hostname()
        ? 'wait for it, or end it'
        : `where that process is gone, remove ${join(folder, FILE)}`,
    ),
  ]);

const sameHolder = (a: Holder | undefined, b: Holder | undefined): boolean =>
  a?.pid === b?.pid && a?.began === b?.began && a?.host === b?.host;

/** Takes the lock, of a process that has died too. A link is made whole or not at all, and by one process only. */
export const lockFolder = (folder: string): Either<readonly Problem[], Lock> => {
  const path = join(folder, FILE);
  const own = `${path}.${process.pid}.${Math.floor(performance.now() * 1000)}`;
  const mine = self();
  const attempt = (tries: number): Either<readonly Problem[], Lock> => {
    try {
      linkSync(own, path);
      return right({
        release: () => {
          if (sameHolder(read(path), mine)) tidied(path);
        },
      });
    } catch (error) {
      const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!exists) return left([problem(folder, errorText(error), 'a folder that can be written')]);
    }
    const holder = read(path);
    if ((holder !== undefined && lives(holder)) || tries === 0) return taken(folder, holder);
    // What is moved away may be the lock of a process that was faster; then it is put back.
    const stale = `${own}.stale`;
    try {
      renameSync(path, stale);
      const moved = read(stale);
      if (moved !== undefined && lives(moved)) {
        linkSync(stale, path);
        return taken(folder, moved);
      }
    } catch {
      // Another process has moved it.
    } finally {
      tidied(stale);
    }
    return attempt(tries - 1);
  };
  try {
    writeFileSync(own, JSON.stringify(mine), { flag: 'wx' });
  } catch (error) {
    return left([problem(folder, errorText(error), 'a folder that can be written')]);
  }
  try {
    return attempt(3);
  } finally {
    rmSync(own, { force: true });
  }
};

const LOOK_AGAIN = 200;

/**
 * Waits until nobody trains in a folder. A holder on another machine cannot be asked: after `patience` milliseconds it counts for dead, for one
 * who knows that no other process is to train there.
 */
export const takenOver = async (folder: string, patience: number): Promise<void> => {
  for (const until = Date.now() + patience; holderOf(folder) !== undefined;) {
    if (Date.now() >= until) {
      if (read(join(folder, FILE))?.host !== hostname()) tidied(join(folder, FILE));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
};
