/** From NumPy arrays to a split: an npz archive's arrays by their names, or the one array of an npy file. */
import { elementAt } from '../../dsl/lookup.js';
import { basename } from 'node:path';
import { type Either, isLeft, left, map, right, sequenceArray } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { didYouMean, type Problem, problem } from '../../dsl/problem.js';
import { integerField, LABEL, MOST_CLASSES } from '../field.js';
import { memoryProblem } from '../memory.js';
import type { OpenOptions } from '../options.js';
import { type Found, splitSettings } from '../parts.js';
import { type PartName, partNamed } from '../part-names.js';
import { plainPreprocessing } from '../preprocessing/preprocessing.js';
import { flag, text, type ValuesOf } from '../settings.js';
import { readBytes } from './file.js';
import { decodeNpy, type NpyArray, type NpyExamples, npyExamples, npyValues, openNpy } from './npy.js';
import { type ZipEntry, zipEntries } from './zip.js';

const isDefined = <A>(a: A | undefined): a is A => a !== undefined;

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

const labelWords = ['y', 'label', 'labels', 'target', 'targets'];

/** What an array is, by the words of its name: `x_train`, `TrainX`, `test_labels`, `y`. */
const roleOf = (name: string): { readonly part: PartName | undefined; readonly labels: boolean } => {
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
  return {
    part: words.map(partNamed).find(isDefined),
    labels: labelWords.some((word) => words.includes(word)),
  };
};

const withLabels = (found: NpyExamples, array: NpyArray): Loading<NpyExamples> => {
  const { source } = found;
  const hint = 'labels=none leaves them out';
  const fits = array.shape[0] === source.size && array.shape.slice(1).every((size) => size === 1);
  if (!fits)
    return TaskEither.left([
      problem(
        array.path,
        `labels of shape (${array.shape.join(', ')})`,
        `(${source.size},), one for each example`,
        hint,
      ),
    ]);
  return pipe(
    npyValues(array),
    TaskEither.chainEitherK((values): Either<Problems, NpyExamples> => {
      const wrong = values.find((value) => !Number.isInteger(value) || value < 0 || value >= MOST_CLASSES);
      return wrong === undefined
        ? right({ ...found, source: { ...source, fields: { [LABEL]: integerField(values) } } })
        : left([problem(array.path, `the label ${wrong}`, `integers from 0 to ${MOST_CLASSES - 1}`, hint)]);
    }),
  );
};

const arrayOf = (path: string, entry: ZipEntry): Loading<NpyArray> =>
  pipe(
    entry.bytes,
    TaskEither.chainEitherK((bytes) => decodeNpy(`${path}/${entry.name}`, bytes)),
  );

const keyOf = ({ name }: ZipEntry): string => name.replace(/\.npy$/, '');

/** The arrays of a part. */
type Chosen = { readonly examples: ZipEntry; readonly labels?: ZipEntry };

/** The arrays of a part, or of all examples: whose names have the part's words, and none beside them. */
const chosen = (
  path: string,
  entries: readonly ZipEntry[],
  part: string | undefined,
  values: Values,
): Either<Problems, Chosen | undefined> => {
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
  { examples, labels }: Chosen,
  { raw }: Values,
): Loading<NpyExamples> =>
  pipe(
    arrayOf(path, examples),
    TaskEither.chainEitherK((array) => npyExamples(name, array, raw)),
    TaskEither.chain((found) =>
      labels === undefined
        ? TaskEither.right<Problems, NpyExamples>(found)
        : pipe(
            arrayOf(path, labels),
            TaskEither.chain((array) => withLabels(found, array)),
          ),
    ),
  );

/** Parts of one kind: bytes that become 0 … 1 beside numbers that stay as they are would be two data sets. */
const together = (
  path: string,
  parts: readonly (NpyExamples | undefined)[],
): Either<Problems, Pick<Found, 'plan' | 'values'>> => {
  const there = parts.flatMap((part) => part ?? []);
  const other = there.find(({ plan }) => plan.range?.most !== elementAt(there, 0).plan.range?.most);
  if (other !== undefined) {
    const first = elementAt(there, 0);
    const [bytes, numbers] = other.plan.range === undefined ? [first, other] : [other, first];
    const found = `bytes in ${bytes.source.name} and other numbers in ${numbers.source.name}`;
    return left([problem(path, found, 'arrays of one kind', 'raw leaves bytes as they are')]);
  }
  return right({
    plan: there[0]?.plan ?? plainPreprocessing([1]),
    values:
      (['floats', 'single'] as const).find((kind) => there.some(({ values }) => values === kind)) ?? 'finite',
  });
};

/** What all arrays that are read come to, before any is. */
const checkSizes = (
  path: string,
  chosenParts: readonly (Chosen | undefined)[],
  { memory }: OpenOptions,
): Either<Problems, void> => {
  const entries = chosenParts.flatMap((part) => (part === undefined ? [] : [part.examples, part.labels]));
  const bytes = entries.reduce((sum, entry) => sum + (entry?.size ?? 0), 0);
  const tooMuch = memoryProblem(path, bytes, 'arrays that unpack to', { limit: memory });
  return tooMuch === undefined ? right(undefined) : left([tooMuch]);
};

const parts: readonly PartName[] = ['train', 'test', 'validation'];

/** An archive with `train` and `test` (`x_train`, `test_images` …; labels `y_train`, `test_labels` …), perhaps `validation`, or with one array of examples. */
export const readNpz = (path: string, values: Values, options: OpenOptions): Loading<Found> => {
  const name = basename(path);
  return pipe(
    readBytes(path, 'an npz file'),
    TaskEither.chainEitherK((bytes) => zipEntries(path, bytes)),
    TaskEither.chain((all) => {
      const entries = all.filter((entry) => entry.name.endsWith('.npy'));
      const isSeparate = values.key === '' && entries.some((entry) => roleOf(keyOf(entry)).part === 'train');
      const wanted: readonly (PartName | undefined)[] = isSeparate ? parts : [undefined];
      return pipe(
        TaskEither.fromEither(sequenceArray(wanted.map((part) => chosen(path, entries, part, values)))),
        TaskEither.chainFirstEitherK((found) => checkSizes(path, found, options)),
        TaskEither.chain((found) =>
          TaskEither.sequenceSeqArray(
            found.map((part, i): Loading<NpyExamples | undefined> => {
              const of = wanted[i] === undefined ? name : `${name} (${wanted[i]})`;
              return part === undefined ? TaskEither.right(undefined) : readPart(path, of, part, values);
            }),
          ),
        ),
        TaskEither.chainEitherK((found) =>
          pipe(
            together(path, found),
            map((rest): Found => {
              const [train, test, validation] = found.map((part) => part?.source);
              return { ...rest, parts: isSeparate ? { train, test, validation } : { all: train } };
            }),
          ),
        ),
      );
    }),
  );
};

/** One array, part of which is held out for testing; its values stay in the file. */
export const readNpyFile = (path: string, { raw }: Values, options: OpenOptions): Loading<Found> =>
  pipe(
    openNpy(path, options),
    TaskEither.chainEitherK((array) => npyExamples(basename(path), array, raw)),
    TaskEither.map(({ source, plan, values }): Found => ({ parts: { all: source }, plan, values })),
  );
