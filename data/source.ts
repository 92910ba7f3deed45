/** From a data reference, a generator's name or a path with settings after a `?`, to training and test examples. */
import { readdir } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { nearest, type Problem, problem } from '../dsl/problem.js';
import { isCifarFolder, openCifar } from './readers/cifar.js';
import { csvSettings, openCsv } from './readers/csv.js';
import { inMemory, type Source, type Split } from './dataset.js';
import { entryAt, messageOf } from './readers/file.js';
import { generateSplit } from './manifolds/generate.js';
import { generators } from './manifolds/index.js';
import type { Generator } from './manifolds/generator.js';
import { idxSettings, isMnistFolder, openIdx, openMnist } from './readers/mnist.js';
import { arraySettings, openNpyFile, openNpz } from './readers/npz.js';
import {
  celebaSettings,
  isCelebaFolder,
  openCeleba,
  openPictures,
  pictureSettings,
} from './readers/picture-folder.js';
import {
  integer,
  parseReference,
  readSettings,
  type Reference,
  type Settings,
  type ValuesOf,
} from './settings.js';

type Problems = readonly Problem[];
type Loading<A> = TaskEither.TaskEither<Problems, A>;

const digits = fileURLToPath(new URL('./digits', import.meta.url));

/** Sets that users have, under the folder names they give them. */
const downloads = ['mnist', 'fashion-mnist', 'cifar-10', 'celeba'];

/** Opens what lies at a path under the settings of a reference. */
type Opener = (path: string, reference: Reference) => Loading<Split<Source>>;

const format =
  <const S extends Settings>(
    settings: S,
    open: (path: string, values: ValuesOf<S>) => Loading<Split<Source>>,
  ): Opener =>
  (path, reference) =>
    pipe(
      TaskEither.fromEither(readSettings(reference, settings)),
      TaskEither.chain((values) => open(path, values)),
    );

const mnistFolder = (name: (path: string) => string): Opener =>
  format(idxSettings, (path, values) => openMnist(path, name(path), values));

/** By extension; any other file is taken for IDX, whose first bytes say what it is. */
const files: Readonly<Record<string, Opener>> = {
  '.npz': format(arraySettings, openNpz),
  '.npy': format(arraySettings, openNpyFile),
  '.csv': format(csvSettings, openCsv),
  '.tsv': format(csvSettings, openCsv),
};
const idxFile = format(idxSettings, openIdx);

/** By the names of what is in it, in this order; any other folder is taken for one of pictures. */
const folders: readonly { readonly holds: (names: readonly string[]) => boolean; readonly open: Opener }[] = [
  { holds: isMnistFolder, open: mnistFolder(basename) },
  { holds: isCifarFolder, open: format({}, openCifar) },
  { holds: isCelebaFolder, open: format(celebaSettings, openCeleba) },
];
const pictureFolder = format(pictureSettings, openPictures);

const openFile: Opener = (path, reference) =>
  (files[extname(path).toLowerCase()] ?? idxFile)(path, reference);

const openFolder: Opener = (path, reference) =>
  pipe(
    TaskEither.tryCatch(
      () => readdir(path),
      (error): Problems => [problem(path, messageOf(error), 'a folder that can be read')],
    ),
    TaskEither.chain((names) =>
      (folders.find(({ holds }) => holds(names))?.open ?? pictureFolder)(path, reference),
    ),
  );

/** How many examples a generator draws, and from which seed. */
const drawSettings = {
  count: integer(10_000, 1, 2 ** 24),
  test: integer(2000, 1, 2 ** 24),
  validation: integer(0, 0, 2 ** 24),
  seed: integer(0, 0),
} as const;

const openGenerator = (generator: Generator, { name, given }: Reference): Loading<Split<Source>> => {
  const own = new Map([...given].filter(([key]) => Object.hasOwn(generator.settings, key)));
  const others = new Map([...given].filter(([key]) => !own.has(key)));
  const manifold = generator.fromReference({ name, given: own });
  const draw = readSettings({ name, given: others }, drawSettings, Object.keys(generator.settings));
  if (Either.isLeft(manifold) || Either.isLeft(draw))
    return TaskEither.left([manifold, draw].flatMap((either) => (Either.isLeft(either) ? either.left : [])));
  return TaskEither.right(generateSplit(manifold.right, draw.right));
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

/** The file or folder that a reference names, relative to `root`; undefined for what the package makes or brings itself. */
export const pathOf = (reference: string, root: string = process.cwd()): string | undefined => {
  const { name } = parseReference(reference);
  const isOurs = name === '' || name === 'digits' || generators.some((generator) => generator.name === name);
  return isOurs ? undefined : resolve(root, name);
};

/**
 * Opens what a reference names: a generator (`circle?kappa=2&count=1000`), `digits` (bundled), or a path relative to `root`. Settings follow a
 * `?`. Examples that need not be in memory are read by row.
 */
export const openData = (reference: string, root: string = process.cwd()): Loading<Split<Source>> => {
  const parsed = parseReference(reference);
  const { name } = parsed;
  const generator = generators.find((candidate) => candidate.name === name);
  if (generator !== undefined) return openGenerator(generator, parsed);
  if (name === 'digits') return mnistFolder(() => 'digits')(digits, parsed);
  const path = pathOf(reference, root);
  if (path === undefined) return TaskEither.left(unknown(name));
  return pipe(
    TaskEither.fromTask(entryAt(path)),
    TaskEither.chain((entry) =>
      entry === 'folder'
        ? openFolder(path, parsed)
        : entry === 'file'
          ? openFile(path, parsed)
          : TaskEither.left(unknown(name)),
    ),
  );
};

/** The same with all examples in memory. */
export const loadData = (reference: string, root: string = process.cwd()): Loading<Split> =>
  pipe(openData(reference, root), TaskEither.chain(splitInMemory));

const splitInMemory = ({ train, test, validation, ...known }: Split<Source>): Loading<Split> =>
  pipe(
    TaskEither.Do,
    TaskEither.bind('train', () => inMemory(train)),
    TaskEither.bind('test', () => inMemory(test)),
    TaskEither.bind('validation', () =>
      validation === undefined ? TaskEither.right(undefined) : inMemory(validation),
    ),
    TaskEither.map(({ validation: chosen, ...parts }) => ({
      ...known,
      ...parts,
      ...(chosen === undefined ? {} : { validation: chosen }),
    })),
  );
