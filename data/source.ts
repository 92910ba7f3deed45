/** From a data reference, which is the name of the bundled set or the path of IDX files, to a training and a test set. */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pipe } from 'fp-ts/lib/function.js';
import * as Task from 'fp-ts/lib/Task.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { nearest, type Problem } from '../dsl/problem.js';
import { type Dataset, type Split, split } from './dataset.js';
import { readImages, readLabels } from './idx.js';

type Problems = readonly Problem[];
type Loading<A> = TaskEither.TaskEither<Problems, A>;

const digits = fileURLToPath(new URL('./digits', import.meta.url));

/** Sets in MNIST's format that users have, under the folder names they give them. */
const downloads = ['mnist', 'fashion-mnist'];

/** A file that is its own test set gives up every sixth example, as the bundled digits do. */
const HELD_OUT = 6;

type Entry = 'file' | 'folder' | 'nothing';

const entryAt =
  (path: string): Task.Task<Entry> =>
  async () => {
    try {
      return (await stat(path)).isDirectory() ? 'folder' : 'file';
    } catch {
      return 'nothing';
    }
  };

/** The path of `name` or `name.gz` in a folder. */
const findIn = (folder: string, name: string): Task.Task<string | undefined> =>
  pipe(
    Task.sequenceSeqArray([entryAt(join(folder, name)), entryAt(join(folder, `${name}.gz`))]),
    Task.map(([plain, zipped]) =>
      plain === 'file' ? join(folder, name) : zipped === 'file' ? join(folder, `${name}.gz`) : undefined,
    ),
  );

const readImageSet = (name: string, path: string): Loading<Dataset> =>
  pipe(
    readImages(path),
    TaskEither.map((images) => ({ name, ...images })),
  );

const withLabels = (dataset: Dataset, path: string): Loading<Dataset> =>
  pipe(
    readLabels(path),
    TaskEither.filterOrElse(
      (labels) => labels.length === dataset.size,
      (labels): Problems => [
        { path, found: `${labels.length} labels`, expected: `${dataset.size} labels (one for each image)` },
      ],
    ),
    TaskEither.map((labels) => ({ ...dataset, labels })),
  );

/** One of MNIST's two parts; the labels may be missing, the images not. */
const readPart = (folder: string, name: string, part: 'train' | 't10k'): Loading<Dataset> => {
  const imagesName = `${part}-images-idx3-ubyte`;
  return pipe(
    TaskEither.fromTask(findIn(folder, imagesName)),
    TaskEither.chain((path) =>
      path === undefined
        ? TaskEither.left<Problems, Dataset>([
            {
              path: join(folder, imagesName),
              found: 'no such file',
              expected: `${imagesName} or ${imagesName}.gz`,
              ...(part === 't10k'
                ? {
                    hint: `name the training file instead of the folder to hold out every ${HELD_OUT}th example of it`,
                  }
                : {}),
            },
          ])
        : readImageSet(name, path),
    ),
    TaskEither.chain((dataset) =>
      pipe(
        TaskEither.fromTask(findIn(folder, `${part}-labels-idx1-ubyte`)),
        TaskEither.chain((path) =>
          path === undefined ? TaskEither.right(dataset) : withLabels(dataset, path),
        ),
      ),
    ),
  );
};

const readFolder = (folder: string, name: string): Loading<Split> =>
  pipe(
    readPart(folder, `${name} (train)`, 'train'),
    TaskEither.chain((train) =>
      pipe(
        readPart(folder, `${name} (test)`, 't10k'),
        TaskEither.filterOrElse(
          (test) => test.shape.join() === train.shape.join(),
          (test): Problems => [
            {
              path: folder,
              found: `test images [${test.shape.join(', ')}]`,
              expected: `[${train.shape.join(', ')}], as the training images`,
            },
          ],
        ),
        TaskEither.map((test) => ({ train, test })),
      ),
    ),
  );

const readSingle = (path: string): Loading<Split> =>
  pipe(
    readImageSet(basename(path), path),
    TaskEither.filterOrElse(
      (all) => all.size >= HELD_OUT,
      (all): Problems => [
        {
          path,
          found: `${all.size} images`,
          expected: `at least ${HELD_OUT}, since every ${HELD_OUT}th is held out`,
        },
      ],
    ),
    TaskEither.map((all) => split(all, HELD_OUT)),
  );

const unknown = (reference: string): Problems => {
  const close = nearest(reference, ['digits', ...downloads]);
  const meant = close === undefined || close === reference ? [] : [`did you mean "${close}"?`];
  const missing =
    close !== undefined && downloads.includes(close)
      ? [`Nothing is downloaded: put MNIST's four files into a folder "${close}" and give its path`]
      : [];
  const hint = [...meant, ...missing].join(' ');
  return [
    {
      path: 'data',
      found: `${JSON.stringify(reference)}, which does not exist`,
      expected: '"digits", or the path of a folder with MNIST\'s files or of one IDX file',
      ...(hint === '' ? {} : { hint }),
    },
  ];
};

/**
 * Loads what a reference names: `digits` (bundled), a folder that holds `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte` and their labels
 * (each plain or `.gz`), or one IDX image file, of which every sixth example becomes the test set. Paths are relative to `root`.
 */
export const loadData = (reference: string, root: string = process.cwd()): Loading<Split> => {
  if (reference === 'digits') return readFolder(digits, 'digits');
  const path = resolve(root, reference);
  return pipe(
    TaskEither.fromTask(reference === '' ? Task.of<Entry>('nothing') : entryAt(path)),
    TaskEither.chain((entry) =>
      entry === 'folder'
        ? readFolder(path, basename(path))
        : entry === 'file'
          ? readSingle(path)
          : TaskEither.left(unknown(reference)),
    ),
  );
};
