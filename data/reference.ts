/**
 * References to data as people write them: a name of ours, or a path, and settings behind a `?`. A path that exists is never cut or
 * shadowed: the longest beginning of a reference that is one wins, and a name that is ours as well as a path is asked about.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Problem, problem } from '../dsl/problem.js';
import type { Reference } from './settings.js';

/** What a name stands for that is the bundled set or a generator, whatever lies in the current folder. */
const OURS = 'immersion:';

/** `%3F` for `?`, `%26` for `&`: what else would end a path or a value. A percent sign before anything else stays. */
const unescaped = (text: string): string => {
  if (!/%[0-9a-f]{2}/i.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch {
    return text;
  }
};

const settingsOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const at = pair.indexOf('=');
        return at < 0 ? [unescaped(pair), ''] : [unescaped(pair.slice(0, at)), unescaped(pair.slice(at + 1))];
      }),
  );

/** A reference, and its path where it has one. */
export type Located = Reference & {
  /** As the reference has it: what is before the settings. */
  readonly text: string;
  readonly path: string | undefined;
};

/** Where the settings may begin, the last place first. */
const marksOf = (reference: string): readonly number[] =>
  [...reference].flatMap((letter, at) => (letter === '?' ? [at] : [])).reverse();

const exists = (path: string): boolean => {
  try {
    return existsSync(path);
  } catch {
    return false;
  }
};

/** Takes a reference apart; `isOurs` tells the names that are no paths. A path is relative to `root`. */
export const locate = (reference: string, root: string, isOurs: (name: string) => boolean): Located => {
  const at = (end: number): { readonly text: string; readonly given: ReadonlyMap<string, string> } => ({
    text: reference.slice(0, end),
    given: settingsOf(reference.slice(end + 1)),
  });
  const ends = [reference.length, ...marksOf(reference)];
  const first = at(ends.at(-1) ?? reference.length);
  if (first.text.startsWith(OURS)) return { ...first, name: first.text.slice(OURS.length), path: undefined };
  const there =
    reference === ''
      ? undefined
      : ends.find((end) => end > 0 && exists(resolve(root, reference.slice(0, end))));
  const found = there === undefined ? first : at(there);
  if (isOurs(found.text)) return { ...found, name: found.text, path: undefined };
  const written = there === undefined ? unescaped(found.text) : found.text;
  return { ...found, name: found.text, path: found.text === '' ? undefined : resolve(root, written) };
};

/** A name of ours that is a path as well, or an address of something that is not on this machine. */
export const referenceProblems = ({ text, name, path }: Located, root: string): readonly Problem[] => {
  if (path === undefined && !text.startsWith(OURS) && text !== '' && exists(resolve(root, text)))
    return [
      problem(
        'data',
        `${JSON.stringify(name)}, which is a set of ours and a path here`,
        `./${name} for the path, or ${OURS}${name}`,
      ),
    ];
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1];
  if (scheme === undefined || (path !== undefined && exists(path))) return [];
  return [
    problem(
      'data',
      `an address, ${text.slice(0, 200)}`,
      'a path on this machine',
      scheme.toLowerCase() === 'file' ? 'leave out file://' : 'download it and give its path',
    ),
  ];
};
