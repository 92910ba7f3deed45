/** Mistakes that types would have prevented, made in plain JavaScript: kept as values where they were made, and reported when an experiment is checked. */
import { didYouMean, type Problem, problem } from './problem.js';

type Mistake = { readonly tag: 'mistake'; readonly problem: Problem };

/** Mistakes by names that nothing else has, to be spread into the value that a call gives; nothing where there is none. */
export type Mistakes = Readonly<Record<never, never>>;

const isMistake = (value: object): value is Mistake =>
  'tag' in value && value.tag === 'mistake' && 'problem' in value;

/** Folders of ours, whose calls are nobody's mistake. */
const ours = ['dsl', 'objectives', 'runs', 'evaluation', 'data', 'backends', 'compiler'].map(
  (folder) => new URL(`../${folder}/`, import.meta.url).href,
);

/** A package's, or ours as it is installed or made of a checkout. */
const isPackaged = (address: string): boolean => address.includes('/node_modules/');

/** Where the program that called us was, by the stack of an error: such as `spec.mjs:12:20`. */
export const placeIn = (stack: string): string | undefined => {
  const frames = stack.split('\n').slice(1);
  const places = frames.flatMap((frame) => /((?:file:\/\/)?\/[^()\s]+:\d+:\d+)\)?$/.exec(frame)?.[1] ?? []);
  const place = places.find((one) => {
    const address = one.startsWith('file://') ? one : `file://${one}`;
    return !isPackaged(address) && !ours.some((folder) => address.startsWith(folder));
  });
  return place?.replace(/^.*\//, '').replace(/\?[^:]*/, '');
};

/** `call(…).name at spec.mjs:12:20`. */
const called = (call: string, name: string): string => {
  const place = placeIn(new Error('a call').stack ?? '');
  const part = name === '' ? '' : `.${name}`;
  return `${call}(…)${part}${place === undefined ? '' : ` at ${place}`}`;
};

/** The names of options: one that is missing here, or too many, is a type error. */
export const namesOf = <O extends object>(names: {
  readonly [K in keyof O]-?: true;
}): readonly string[] => Object.keys(names);

/** What is wrong with the options of a call: a name that there is none of, or what are no options at all. TypeScript refuses them while they are typed. */
export const optionProblems = (
  call: string,
  options: unknown,
  known: readonly string[],
): readonly Problem[] => {
  if (options === undefined) return [];
  const expected = `some of ${known.join(', ')}`;
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    return [
      problem(called(call, ''), `${JSON.stringify(options)} for options`, `an object with ${expected}`),
    ];
  return Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => problem(called(call, name), 'an unknown option', expected, didYouMean(name, known)));
};

/** A mistake of a call, to be spread into the value that it gives. */
export const mistake = (call: string, found: string, expected: string, hint?: string): Mistakes => ({
  [`${call}(…)`]: { tag: 'mistake', problem: problem(called(call, ''), found, expected, hint) },
});

/** The same problems of options, to be spread into the value that the call gives. */
export const unknownOptions = (call: string, options: unknown, known: readonly string[]): Mistakes =>
  Object.fromEntries(
    optionProblems(call, options, known).map((one, at) => [
      `${call}(…) ${at}`,
      { tag: 'mistake', problem: one },
    ]),
  );

/** A call that hands its options on makes one mistake, not two. */
const once = (problems: readonly Problem[]): readonly Problem[] =>
  [
    ...new Map(problems.toReversed().map((one) => [one.path.replace(/^[^…]*…/, ''), one] as const)).values(),
  ].toReversed();

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Goes level by level, each object once a level, as deep as an experiment may be nested. */
const mistakesAmong = (level: readonly object[]): readonly Problem[] => {
  if (level.length === 0) return [];
  const next = level.flatMap((one) => (isMistake(one) ? [] : Object.values(one).filter(isObject)));
  return [
    ...level.flatMap((one) => (isMistake(one) ? [one.problem] : [])),
    ...mistakesAmong([...new Set(next)]),
  ];
};

/** The mistakes in what may be an experiment, each once; of what is not nested too deeply. */
export const mistakesIn = (value: unknown): readonly Problem[] =>
  isObject(value) ? once(mistakesAmong([value])) : [];
