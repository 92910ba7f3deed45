/** From io-ts errors to problems, and the limit on nesting. */
import { elementAt } from '../lookup.js';
import type * as t from 'io-ts/lib/index.js';
import type { Path } from '../path.js';
import { showPath } from '../path.js';
import type { Problem } from '../problem.js';
import { problem } from '../problem.js';
import { isReported } from './codec.js';

const MAX_TEXT = 60;

const shortened = (text: string): string =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;

/** A found value in a few words; nothing for one that is not there. */
export const showFound = (value: unknown): string => {
  switch (typeof value) {
    case 'undefined':
      return 'nothing';
    case 'string':
      return JSON.stringify(shortened(value));
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return shortened(`${value}n`);
    case 'boolean':
      return String(value);
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    case 'object':
      if (value === null) return 'null';
      if (!Array.isArray(value)) return 'an object';
      return value.every((one) => typeof one === 'number') && value.length <= 8
        ? `[${value.join(',')}]`
        : `an array of ${value.length}`;
  }
};

/** The path of an error from the value that was decoded. */
export const contextPath = (context: t.Context): Path =>
  context.slice(1).map(({ key }, i) => (Array.isArray(elementAt(context, i).actual) ? Number(key) : key));

/** One problem for each error that was not reported before. */
export const problemsOf = (errors: t.Errors, pathOf: (context: t.Context) => Path): readonly Problem[] =>
  errors
    .filter((error) => !isReported(error))
    .map(({ value, context, message }) =>
      problem(
        showPath(pathOf(context)),
        showFound(value),
        context.at(-1)?.type.name ?? 'another value',
        message,
      ),
    );

/** Containers inside containers: no meaningful spec comes near, and no decoder's stack overflows below. */
const MAX_DEPTH = 512;

type Place = { readonly value: object; readonly key: string | number; readonly parent: Place | undefined };

const inside = (parent: Place): readonly Place[] =>
  Object.entries(parent.value).flatMap(([key, value]: readonly [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? [{ value, key: Array.isArray(parent.value) ? Number(key) : key, parent }]
      : [],
  );

const pathTo = (place: Place): Path =>
  place.parent === undefined ? [] : [...pathTo(place.parent), place.key];

const SHOWN_KEYS = 6;

/** A problem for a value nested too deeply, or in a cycle. Goes level by level, each object once a level. */
export const depthProblems = (root: unknown): readonly Problem[] => {
  const descend = (level: readonly Place[], depth: number): Place | undefined => {
    if (level.length === 0 || depth > MAX_DEPTH) return level.at(0);
    const next = new Map(level.flatMap(inside).map((place) => [place.value, place]));
    return descend([...next.values()], depth + 1);
  };
  const deepest =
    typeof root === 'object' && root !== null
      ? descend([{ value: root, key: '', parent: undefined }], 1)
      : undefined;
  return deepest === undefined
    ? []
    : [
        problem(
          `${showPath(pathTo(deepest).slice(0, SHOWN_KEYS))}…`,
          `more than ${MAX_DEPTH} levels of nesting`,
          `at most ${MAX_DEPTH}, and no cycles`,
        ),
      ];
};
