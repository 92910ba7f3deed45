/** From the parts that a reader found to a split: what is missing is decided, what has no test part is held out, and rows become examples. */
import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../dsl/problem.js';
import type { Manifold } from './manifolds/manifold.js';
import { type Checked, checkPrecision, checkRows, type Values } from './checks.js';
import { partsOf, type Source, type Split, split } from './dataset.js';
import type { OpenOptions } from './options.js';
import type { Missing, Preprocessing } from './preprocessing/preprocessing.js';
import { applySplit, isPlain, preprocessSplit } from './preprocessing/source.js';
import { flag, type Setting, word } from './settings.js';

type Problems = readonly Problem[];
type Loading<A> = TaskEither.TaskEither<Problems, A>;

/** A file that is its own test set gives up every sixth example, as the bundled digits do. */
export const HELD_OUT = 6;

const everyNth = (value: unknown): value is number | undefined =>
  value === undefined ||
  (typeof value === 'number' && Number.isInteger(value) && (value === 0 || value >= 2) && value < 2 ** 31);

/** Every how manieth example is held out where there is no test part: every sixth unless given, none with 0. */
export const holdOutSetting: Setting<number | undefined> = {
  fallback: undefined,
  expected: '0 to hold nothing out, or an integer from 2 on',
  parse: (text) => (text.trim() === '' ? NaN : Number(text)),
  accepts: everyNth,
};

/** `standardize`: mean 0 and deviation 1 in every element; `missing`: what becomes of values that are not there. */
export const splitSettings = {
  holdOut: holdOutSetting,
  standardize: flag(false),
  missing: word('refuse', 'refuse', 'drop', 'mask'),
} as const;

/** Of formats whose values are bytes, of which none can be missing. */
export const byteSettings = { holdOut: holdOutSetting, standardize: flag(false) } as const;

export type SplitValues = {
  readonly holdOut: number | undefined;
  readonly standardize: boolean;
  readonly missing?: Missing;
};

/** Rows in the data's own units: all that there are, or the parts that a layout names. */
export type Parts =
  | { readonly all: Source | undefined }
  | {
      readonly train: Source | undefined;
      readonly test: Source | undefined;
      readonly validation?: Source | undefined;
    };

/** What a reader answers. */
export type Found = {
  readonly parts: Parts;
  /** How rows become examples, but for what is fitted. */
  readonly plan: Preprocessing;
  /** Whether rows may hold what is no finite number, so that they are looked through; `single` has nothing that single precision lacks. */
  readonly values: Values;
  /** What generated rows lie on. */
  readonly manifold?: Manifold;
};

/** The parts of a split hold examples of one shape. */
const sameShapes = (path: string, given: Split<Source>): Either.Either<Problems, Split<Source>> => {
  const expected = given.train.shape.join(', ');
  const other = partsOf(given).find((part) => part.size > 0 && part.shape.join(', ') !== expected);
  return other === undefined
    ? Either.right(given)
    : Either.left([
        problem(
          path,
          `${other.name} of shape [${other.shape.join(', ')}]`,
          `[${expected}], as the training set`,
        ),
      ]);
};

/** Every n-th example becomes the test set; with 0, none. */
const holdOutEvery = (path: string, all: Source, every: number): Either.Either<Problems, Split<Source>> =>
  all.size >= Math.max(1, every)
    ? Either.right(split(all, every))
    : Either.left([
        problem(
          path,
          `${all.size} examples`,
          `at least ${Math.max(1, every)}${every > 0 ? `, since every ${every}th is held out` : ''}`,
          ...(all.size > 0 ? ['holdOut=0 holds nothing out'] : []),
        ),
      ]);

const assembled = (
  path: string,
  parts: Parts,
  holdOut: number | undefined,
  fallback: number,
): Either.Either<Problems, Split<Source>> => {
  const train = 'all' in parts ? parts.all : parts.train;
  if (train === undefined || train.size === 0)
    return Either.left([problem(path, 'no examples to train on', 'a training set')]);
  const { test, validation } = 'all' in parts ? {} : parts;
  if (test !== undefined && holdOut !== undefined)
    return Either.left([
      problem(
        `${path}?holdOut`,
        String(holdOut),
        'no such setting where there is a test part',
        'leave it out',
      ),
    ]);
  return pipe(
    test === undefined ? holdOutEvery(path, train, holdOut ?? fallback) : Either.right({ train, test }),
    Either.map((whole) => (validation === undefined ? whole : { ...whole, validation })),
  );
};

/** The same change to every part that there is. */
const mapParts = (
  parts: Parts,
  change: (part: Source) => Loading<Checked>,
): Loading<{
  readonly parts: Parts;
  readonly checked: readonly Checked[];
}> => {
  const each = (part: Source | undefined): Loading<Checked | undefined> =>
    part === undefined ? TaskEither.right(undefined) : change(part);
  const list = 'all' in parts ? [parts.all] : [parts.train, parts.test, parts.validation];
  return pipe(
    TaskEither.sequenceSeqArray(list.map(each)),
    TaskEither.map((checked) => {
      const [first, test, validation] = checked.map((one) => one?.source);
      return {
        parts: 'all' in parts ? { all: first } : { train: first, test, validation },
        checked: checked.flatMap((one) => (one === undefined ? [] : [one])),
      };
    }),
  );
};

/** A split of what a reader found. `path` names it in problems. */
export const assemble = (
  path: string,
  found: Found,
  { holdOut, standardize, missing = 'refuse' }: SplitValues,
  options: OpenOptions,
): Loading<Split<Source>> => {
  const { preprocessing: fitted, holdOut: holds = fitted === undefined } = options;
  const plan = fitted ?? { ...found.plan, missing };
  // Preprocessing makes numbers of what is none, so that it would not be seen later.
  const isLoaded = options.isLoaded === true && isPlain(plan) && !standardize && missing === 'refuse';
  return pipe(
    mapParts(found.parts, (part) => checkRows(path, part, plan, found.values, { ...options, isLoaded })),
    TaskEither.chain(({ parts, checked }) =>
      pipe(
        TaskEither.fromEither(assembled(path, parts, holdOut, holds ? HELD_OUT : 0)),
        TaskEither.chainEitherK((given) => sameShapes(path, given)),
        TaskEither.chain((given) =>
          fitted !== undefined
            ? TaskEither.right(applySplit(given, fitted))
            : standardize
              ? preprocessSplit(path, plan, given)
              : pipe(
                  TaskEither.fromEither(checkPrecision(path, plan, checked)),
                  TaskEither.map(() => applySplit(given, plan)),
                ),
        ),
      ),
    ),
    TaskEither.map((split) =>
      found.manifold === undefined ? split : { ...split, manifold: found.manifold },
    ),
  );
};
