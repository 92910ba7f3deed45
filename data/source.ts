/** From a data reference, a generator's name or a path with settings after a `?`, to training and test examples. */
import { readdir } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { nearest, type Problem, problem } from '../dsl/problem.js';
import type { Source, Split } from './dataset.js';
import { drawSettings, generateSplit, generatorProblems } from './manifolds/generate.js';
import type { Generator } from './manifolds/generator.js';
import { generators } from './manifolds/index.js';
import type { OpenOptions } from './options.js';
import { assemble, byteSettings, type Found, type SplitValues } from './parts.js';
import { plainPreprocessing } from './preprocessing/preprocessing.js';
import { celebaSettings, isCelebaFolder, readCeleba } from './readers/celeba.js';
import { isCifarFolder, readCifar } from './readers/cifar.js';
import { entryAt, fileSize, messageOf } from './readers/file.js';
import { type Kind, kindOf } from './readers/kinds.js';
import { isMnistFolder, readIdx, readMnist } from './readers/mnist.js';
import { arraySettings, readNpyFile, readNpz } from './readers/npz.js';
import { pictureSettings, readPictures } from './readers/picture-folder.js';
import { readParquet } from './readers/table/parquet.js';
import { tableSettings } from './readers/table/settings.js';
import { readTable } from './readers/table/table.js';
import { headOf } from './readers/table/text.js';
import { locate, type Located, referenceProblems } from './reference.js';
import { readSettings, type Reference, type Settings, type ValuesOf } from './settings.js';

type Problems = readonly Problem[];
type Loading<A> = TaskEither.TaskEither<Problems, A>;

const digits = fileURLToPath(new URL('./digits', import.meta.url));

/** Sets that users have, under the folder names they give them. */
const downloads = ['mnist', 'fashion-mnist', 'cifar-10', 'celeba'];

/** What a reader found at a path, and what its settings make of it. */
export type RawData = { readonly path: string; readonly found: Found; readonly values: SplitValues };

/** Reads what lies at a path under the settings of a reference. */
type Opener = (path: string, reference: Reference, options: OpenOptions) => Loading<RawData>;

const format =
  <const S extends Settings>(
    settings: S,
    read: (path: string, values: ValuesOf<S>, options: OpenOptions) => Loading<Found>,
    splitting: (values: ValuesOf<S>) => SplitValues,
  ): Opener =>
  (path, reference, options) =>
    pipe(
      TaskEither.fromEither(readSettings(reference, settings)),
      TaskEither.chain((values) =>
        pipe(
          read(path, values, options),
          TaskEither.map((found): RawData => ({ path, found, values: splitting(values) })),
        ),
      ),
    );

const same = <A>(a: A): A => a;

const mnistFolder = (name: (path: string) => string): Opener =>
  format(byteSettings, (path) => readMnist(path, name(path)), same);

const files: Readonly<Record<Exclude<Kind['tag'], 'other'>, Opener>> = {
  npy: format(arraySettings, readNpyFile, same),
  npz: format(arraySettings, readNpz, same),
  idx: format(byteSettings, readIdx, same),
  parquet: format(tableSettings, readParquet, same),
  table: format(tableSettings, readTable, same),
};

/** By the names of what is in it, in this order; any other folder is taken for one of pictures. */
const folders: readonly { readonly holds: (names: readonly string[]) => boolean; readonly read: Opener }[] = [
  { holds: isMnistFolder, read: mnistFolder(basename) },
  { holds: isCifarFolder, read: format(byteSettings, readCifar, same) },
  { holds: isCelebaFolder, read: format(celebaSettings, readCeleba, same) },
];
const pictureFolder = format(pictureSettings, readPictures, same);

/** By its name, a file whose bytes say nothing: what is wrong with it is said by the reader that was meant. */
const meant: Readonly<Record<string, keyof typeof files>> = {
  '.npy': 'npy',
  '.npz': 'npz',
  '.csv': 'table',
  '.tsv': 'table',
};

const readFile: Opener = (path, reference, options) =>
  pipe(
    // A pipe or a device is refused here, before anything of it is read.
    fileSize(path, 'a file'),
    TaskEither.chain(() =>
      TaskEither.tryCatch(
        () => headOf(path),
        (error): Problems => [problem(path, messageOf(error), 'a file that can be read')],
      ),
    ),
    TaskEither.chain((head) => {
      const kind = kindOf(head);
      const name = extname(path).toLowerCase();
      const byName = Object.hasOwn(meant, name) ? meant[name] : undefined;
      if (kind.tag !== 'other') return files[kind.tag](path, reference, options);
      if (byName !== undefined) return files[byName](path, reference, options);
      return TaskEither.left([
        problem(path, kind.what, 'a table, a NumPy array, IDX images or a folder of pictures', kind.hint),
      ]);
    }),
  );

const readFolder: Opener = (path, reference, options) =>
  pipe(
    TaskEither.tryCatch(
      () => readdir(path),
      (error): Problems => [problem(path, messageOf(error), 'a folder that can be read')],
    ),
    TaskEither.chain((names) =>
      (folders.find(({ holds }) => holds(names))?.read ?? pictureFolder)(path, reference, options),
    ),
  );

const drawn = (
  generator: Generator,
  { name, given }: Reference,
  { memory }: OpenOptions,
): Either.Either<Problems, RawData> => {
  const own = new Map([...given].filter(([key]) => Object.hasOwn(generator.settings, key)));
  const others = new Map([...given].filter(([key]) => !own.has(key)));
  const manifold = generator.fromReference({ name, given: own });
  const draw = readSettings({ name, given: others }, drawSettings, Object.keys(generator.settings));
  if (Either.isLeft(manifold) || Either.isLeft(draw))
    return Either.left([manifold, draw].flatMap((either) => (Either.isLeft(either) ? either.left : [])));
  const problems = generatorProblems(manifold.right, draw.right, memory);
  if (problems.length > 0) return Either.left(problems);
  const { train, test, validation } = generateSplit(manifold.right, draw.right);
  return Either.right({
    path: name,
    found: {
      parts: { train, test, validation },
      plan: plainPreprocessing(manifold.right.shape),
      values: 'finite',
      manifold: manifold.right,
    },
    values: { holdOut: undefined, standardize: false },
  });
};

const unknown = (reference: string): Problems => {
  const names = ['digits', ...generators.map(({ name }) => name)];
  const close = nearest(reference, [...names, ...downloads]);
  const meant = close === undefined || close === reference ? [] : [`did you mean "${close}"?`];
  const missing =
    close !== undefined && downloads.includes(close)
      ? [`Nothing is downloaded: put its files into a folder "${close}" and give its path`]
      : [];
  const hint = [...meant, ...missing].join(' ');
  return [
    problem(
      'data',
      `${JSON.stringify(reference)}, which does not exist`,
      `a file, a folder, or one of ${names.join(', ')}`,
      ...(hint === '' ? [] : [hint]),
    ),
  ];
};

const isOurs = (name: string): boolean =>
  name === 'digits' || generators.some((generator) => generator.name === name);

/** The file or folder that a reference names, relative to `root`; undefined for what the package makes or brings itself. */
export const pathOf = (reference: string, root: string = process.cwd()): string | undefined =>
  locate(reference, root, isOurs).path;

/** A reference without its settings. */
export const nameOf = (reference: string, root: string = process.cwd()): string =>
  locate(reference, root, isOurs).text;

const readLocated = (located: Located, options: OpenOptions): Loading<RawData> => {
  const { name, text, path } = located;
  const generator = path === undefined ? generators.find((one) => one.name === name) : undefined;
  if (generator !== undefined) return TaskEither.fromEither(drawn(generator, located, options));
  if (path === undefined)
    return name === 'digits'
      ? mnistFolder(() => 'digits')(digits, located, options)
      : TaskEither.left(unknown(text));
  return pipe(
    TaskEither.fromTask(entryAt(path)),
    TaskEither.chain((entry) => {
      switch (entry) {
        case 'folder':
          return readFolder(path, located, options);
        case 'file':
          return readFile(path, located, options);
        case 'other':
          return TaskEither.left([problem(path, 'a device or a pipe', 'a file or a folder')]);
        case 'nothing':
          return TaskEither.left(unknown(text));
      }
    }),
  );
};

/** Rows in the data's own units, before any is left out, held out or changed. */
export const readRaw = (reference: string, root: string, options: OpenOptions): Loading<RawData> => {
  const located = locate(reference, root, isOurs);
  const problems = referenceProblems(located, root);
  return problems.length > 0 ? TaskEither.left(problems) : readLocated(located, options);
};

/**
 * Opens what a reference names: a generator (`circle?kappa=2&count=1000`), `digits` (bundled), or a path relative to `root`. Settings follow a
 * `?`. Examples that need not be in memory are read by row.
 */
export const openData = (
  reference: string,
  root: string = process.cwd(),
  options: OpenOptions = {},
): Loading<Split<Source>> =>
  pipe(
    readRaw(reference, root, options),
    TaskEither.chain(({ path, found, values }) => assemble(path, found, values, options)),
  );
