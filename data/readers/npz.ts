/** From NumPy arrays to a split: an npz archive's arrays by their names, or the one array of an npy file. */
import { elementAt } from '../../dsl/lookup.js';
import { basename } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { didYouMean, type Problem, problem } from '../../dsl/problem.js';
import type { Source, Split, Stored } from '../dataset.js';
import { integerField, LABEL } from '../field.js';
import { readBytes } from './file.js';
import { splitSettings, withParts } from '../parts.js';
import { decodeNpy, type NpyArray, npyExamples, npyValues, openNpy } from './npy.js';
import { flag, text, type ValuesOf } from '../settings.js';
import { type ZipEntry, zipEntries } from './zip.js';

type Problems = readonly Problem[];
type Loading<A> = TaskEither.TaskEither<Problems, A>;

/** `key`: the array that holds the examples, where the names do not tell; `labels`: the one with their classes, or `none`; `raw`: bytes stay 0 … 255. */
export const arraySettings = {
  ...splitSettings,
  key: text('the name of an array'),
  labels: text('the name of an array, or none'),
  raw: flag(false),
} as const;
type Values = ValuesOf<typeof arraySettings>;

const partWords: Readonly<Record<'train' | 'test' | 'validation', readonly string[]>> = {
  train: ['train', 'training'],
  test: ['test', 'testing'],
  validation: ['validation', 'valid', 'val'],
};
const labelWords = ['y', 'label', 'labels', 'target', 'targets'];

/** What an array is, by the words of its name: `x_train`, `train`, `test_labels`, `y`. */
const roleOf = (name: string): { readonly part: string | undefined; readonly labels: boolean } => {
  const words = name.toLowerCase().split(/[^a-z]+/);
  const part = Object.entries(partWords).find(([, known]) => known.some((word) => words.includes(word)));
  return { part: part?.[0], labels: labelWords.some((word) => words.includes(word)) };
};

const withLabels = (source: Stored, array: NpyArray): Loading<Stored> =>
  pipe(
    npyValues(array),
    TaskEither.chainEitherK((values): Either<Problems, Stored> => {
      const count = array.shape.slice(1).every((size) => size === 1) ? values.length : NaN;
      if (count !== source.size) {
        const found = `labels of shape (${array.shape.join(', ')})`;
        return left([
          problem(
            array.path,
            found,
            `(${source.size},), one for each example`,
            'labels=none leaves them out',
          ),
        ]);
      }
      const wrong = values.find((value) => !Number.isInteger(value) || value < 0 || value > 255);
      return wrong === undefined
        ? right({ ...source, fields: { [LABEL]: integerField(values) } })
        : left([
            problem(
              array.path,
              `the label ${wrong}`,
              'integers from 0 to 255',
              'labels=none leaves them out',
            ),
          ]);
    }),
  );

const arrayOf = (path: string, entry: ZipEntry): Loading<NpyArray> =>
  pipe(
    entry.bytes,
    TaskEither.chainEitherK((bytes) => decodeNpy(`${path}/${entry.name}`, bytes)),
  );

const keyOf = ({ name }: ZipEntry): string => name.replace(/\.npy$/, '');

/** The arrays of a part, or of all examples: whose names have the part's words, and none beside them. */
const chosen = (
  path: string,
  entries: readonly ZipEntry[],
  part: string | undefined,
  values: Values,
): Either<Problems, { readonly examples: ZipEntry; readonly labels?: ZipEntry } | undefined> => {
  const keys = entries.map(keyOf);
  const named = (key: string): Either<Problems, ZipEntry> => {
    const entry = entries.find((candidate) => keyOf(candidate) === key);
    return entry === undefined
      ? left([
          problem(
            path,
            `no array ${JSON.stringify(key)}`,
            `one of ${keys.join(', ')}`,
            didYouMean(key, keys),
          ),
        ])
      : right(entry);
  };
  const given = (entry: ZipEntry): Either<Problems, ZipEntry> => right(entry);
  const among = (labels: boolean): readonly ZipEntry[] =>
    entries.filter((entry) => {
      const role = roleOf(keyOf(entry));
      return role.labels === labels && role.part === part;
    });
  const single = part === undefined;
  const examples = single && values.key !== '' ? [named(values.key)] : among(false).map(given);
  const labels =
    values.labels === 'none'
      ? []
      : single && values.labels !== ''
        ? [named(values.labels)]
        : among(true).map(given);
  if (examples.length === 0 && !single) return right(undefined);
  if (examples.length !== 1) {
    const found = keys.length === 0 ? 'no arrays' : `the arrays ${keys.join(', ')}`;
    return left([
      problem(
        path,
        found,
        `train and test, or one array of examples`,
        'key=NAME says which array holds the examples',
      ),
    ]);
  }
  const [of, by] = [elementAt(examples, 0), labels.length === 1 ? elementAt(labels, 0) : undefined];
  if (isLeft(of)) return of;
  if (by === undefined) return right({ examples: of.right });
  return isLeft(by) ? by : right({ examples: of.right, labels: by.right });
};

const readPart = (
  path: string,
  name: string,
  { examples, labels }: { readonly examples: ZipEntry; readonly labels?: ZipEntry },
  { raw }: Values,
): Loading<Stored> =>
  pipe(
    arrayOf(path, examples),
    TaskEither.chainEitherK((array) => npyExamples(name, array, raw)),
    TaskEither.chain((source) =>
      labels === undefined
        ? TaskEither.right<Problems, Stored>(source)
        : pipe(
            arrayOf(path, labels),
            TaskEither.chain((array) => withLabels(source, array)),
          ),
    ),
  );

/** An archive with `train` and `test` (`x_train`, `test_images` …; labels `y_train`, `test_labels` …), perhaps `validation`, or with one array of examples. */
export const openNpz = (path: string, values: Values): Loading<Split<Source>> => {
  const name = basename(path);
  return pipe(
    readBytes(path, 'an npz file'),
    TaskEither.chainEitherK((bytes) => zipEntries(path, bytes)),
    TaskEither.chain((all) => {
      const entries = all.filter((entry) => entry.name.endsWith('.npy'));
      const part = (of: string | undefined): Loading<Stored | undefined> =>
        pipe(
          TaskEither.fromEither(chosen(path, entries, of, values)),
          TaskEither.chain((found) =>
            found === undefined
              ? TaskEither.right<Problems, Stored | undefined>(undefined)
              : readPart(path, of === undefined ? name : `${name} (${of})`, found, values),
          ),
        );
      const whole = pipe(
        part(undefined),
        TaskEither.map((all) => ({ all })),
      );
      const separate = pipe(
        TaskEither.sequenceSeqArray([part('train'), part('test'), part('validation')]),
        TaskEither.map(([train, test, validation]) => ({ train, test, validation })),
      );
      const isSeparate = values.key === '' && entries.some((entry) => roleOf(keyOf(entry)).part === 'train');
      return pipe(isSeparate ? separate : whole, TaskEither.chain(withParts(path, values)));
    }),
  );
};

/** One array, part of which is held out for testing; its values stay in the file. */
export const openNpyFile = (path: string, values: Values): Loading<Split<Source>> =>
  pipe(
    openNpy(path),
    TaskEither.chainEitherK((array) => npyExamples(basename(path), array, values.raw)),
    TaskEither.chain((all) => withParts(path, values)({ all })),
  );
