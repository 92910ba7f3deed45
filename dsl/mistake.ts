/** Mistakes that types would have prevented, made in plain JavaScript: kept as values where they were made, and reported when an experiment is checked. */
import { didYouMean, type Problem, problem } from './problem.js';

type Mistake = { readonly tag: 'mistake'; readonly problem: Problem };

const isMistake = (value: unknown): value is Mistake =>
  typeof value === 'object' &&
  value !== null &&
  'tag' in value &&
  value.tag === 'mistake' &&
  'problem' in value;

/** Folders of ours, whose calls are nobody's mistake. */
const ours = ['./', '../objectives/'].map((folder) => new URL(folder, import.meta.url).href);

/** Where the program that called us was, by the stack of an error: such as `spec.mjs:12:20`. */
export const placeIn = (stack: string): string | undefined => {
  const frames = stack.split('\n').slice(1);
  const places = frames.flatMap((frame) => /((?:file:\/\/)?\/[^()\s]+:\d+:\d+)\)?$/.exec(frame)?.[1] ?? []);
  const place = places.find((one) => {
    const address = one.startsWith('file://') ? one : `file://${one}`;
    return !ours.some((folder) => address.startsWith(folder));
  });
  return place?.replace(/^.*\//, '').replace(/\?[^:]*/, '');
};

/**
 * Options of a call that there are none of, to be spread into the terms of an objective: nothing where there is no mistake. TypeScript
 * refuses them while they are typed.
 */
export const unknownOptions = (
  call: string,
  options: object,
  known: readonly string[],
): Readonly<Record<never, never>> => {
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  if (unknown.length === 0) return {};
  const place = placeIn(new Error('a call').stack ?? '');
  return Object.fromEntries(
    unknown.map((name) => [
      `${call}.${name}`,
      {
        tag: 'mistake',
        problem: problem(
          `${call}(…).${name}${place === undefined ? '' : ` at ${place}`}`,
          'an unknown option',
          `some of ${known.join(', ')}`,
          didYouMean(name, known),
        ),
      },
    ]),
  );
};

/** The mistakes among the terms of what may be an experiment. */
export const mistakesIn = (value: unknown): readonly Problem[] => {
  const objective =
    typeof value === 'object' && value !== null && 'objective' in value ? value.objective : undefined;
  return typeof objective === 'object' && objective !== null
    ? Object.values(objective).flatMap((term: unknown) => (isMistake(term) ? [term.problem] : []))
    : [];
};
