/** MNIST's four files in a folder, or one IDX file of images. */
import { atLeast } from '../../dsl/lookup.js';
import { basename, join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as Task from 'fp-ts/lib/Task.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import { sizeOf } from '../../dsl/shape.js';
import type { Stored } from '../dataset.js';
import { integerField, LABEL } from '../field.js';
import { entryAt } from './file.js';
import { readImages, readLabels } from './idx.js';
import { type Found, HELD_OUT } from '../parts.js';
import { plainPreprocessing } from '../preprocessing/preprocessing.js';
import { recordsInMemory, storedRecords } from './records.js';

type Problems = readonly Problem[];
type Loading<A> = TaskEither.TaskEither<Problems, A>;

/** The path of `name` or `name.gz` in a folder. */
const findIn = (folder: string, name: string): Task.Task<string | undefined> =>
  pipe(
    Task.sequenceSeqArray([entryAt(join(folder, name)), entryAt(join(folder, `${name}.gz`))]),
    Task.map(([plain, zipped]) =>
      plain === 'file' ? join(folder, name) : zipped === 'file' ? join(folder, `${name}.gz`) : undefined,
    ),
  );

/** Pictures as bytes. */
const readImageSet = (name: string, path: string): Loading<Stored> =>
  pipe(
    readImages(path),
    TaskEither.map(({ size, shape, bytes }) =>
      storedRecords({ name, size, shape }, recordsInMemory(bytes, sizeOf(shape)), (record, into) =>
        into.set(record),
      ),
    ),
  );

const withLabels = (source: Stored, path: string): Loading<Stored> =>
  pipe(
    readLabels(path),
    TaskEither.filterOrElse(
      (labels) => labels.length === source.size,
      (labels): Problems => [
        problem(path, `${labels.length} labels`, `${source.size} labels (one for each image)`),
      ],
    ),
    TaskEither.map((labels) => ({ ...source, fields: { [LABEL]: integerField(labels) } })),
  );

const imagesName = (part: 'train' | 't10k'): string => `${part}-images-idx3-ubyte`;

/** One of MNIST's two parts; the labels may be missing, the images not. */
const readPart = (folder: string, name: string, part: 'train' | 't10k'): Loading<Stored> => {
  const file = imagesName(part);
  const hint = `name the training file instead of the folder to hold out every ${HELD_OUT}th example of it`;
  return pipe(
    TaskEither.fromTask(findIn(folder, file)),
    TaskEither.chain((path) =>
      path === undefined
        ? TaskEither.left([
            problem(
              join(folder, file),
              'no such file',
              `${file} or ${file}.gz`,
              ...(part === 't10k' ? [hint] : []),
            ),
          ])
        : readImageSet(name, path),
    ),
    TaskEither.chain((source) =>
      pipe(
        TaskEither.fromTask(findIn(folder, `${part}-labels-idx1-ubyte`)),
        TaskEither.chain((path) =>
          path === undefined ? TaskEither.right(source) : withLabels(source, path),
        ),
      ),
    ),
  );
};

/** Bytes 0 … 255 become 0 … 1. */
const ofBytes = (parts: Found['parts'], shape: readonly number[]): Found => ({
  parts,
  plan: { ...plainPreprocessing(shape), range: { least: 0, most: 255 } },
  values: 'finite',
});

/** Whether a folder's files include one of MNIST's. */
export const isMnistFolder = (names: readonly string[]): boolean =>
  names.some((name) => /^(train|t10k)-(images|labels)-idx[13]-ubyte(\.gz)?$/.test(name));

/** A folder with `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte` and their labels, each plain or `.gz`. */
export const readMnist = (folder: string, name: string): Loading<Found> =>
  pipe(
    TaskEither.sequenceSeqArray([
      readPart(folder, `${name} (train)`, 'train'),
      readPart(folder, `${name} (test)`, 't10k'),
    ]),
    TaskEither.map((both) => {
      const [train, test] = atLeast(2, both);
      return ofBytes({ train, test }, train.shape);
    }),
  );

/** One IDX file of images. */
export const readIdx = (path: string): Loading<Found> =>
  pipe(
    readImageSet(basename(path), path),
    TaskEither.map((all) => ofBytes({ all }, all.shape)),
  );
