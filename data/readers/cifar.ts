/** CIFAR-10 in its binary version: records of a label and 32 × 32 pixels, all red, then all green, then all blue (Krizhevsky 2009). */
import { sequenceS } from 'fp-ts/lib/Apply.js';
import { uint8At } from '../../dsl/lookup.js';
import { basename, join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import type { Source, Split, Stored } from '../dataset.js';
import { integerField, LABEL } from '../field.js';
import { again, entryAt, readBytes } from './file.js';
import { recordsInMemory, storedRecords } from './records.js';

type Problems = readonly Problem[];

const SIDE = 32;
const PIXELS = SIDE * SIDE;
const RECORD = 1 + 3 * PIXELS;
const CLASSES = 10;

/** What the archive unpacks to. */
const UNPACKED = 'cifar-10-batches-bin';
const trainFiles = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
const testFile = 'test_batch.bin';

/** Whether a folder holds CIFAR-10's files, or the folder that they are unpacked into. */
export const isCifarFolder = (names: readonly string[]): boolean =>
  names.includes(UNPACKED) || [...trainFiles, testFile].some((name) => names.includes(name));

const checked = (path: string, bytes: Uint8Array): Either<Problems, Uint8Array> => {
  if (bytes.length === 0 || bytes.length % RECORD !== 0)
    return left([
      problem(
        path,
        `${bytes.length} bytes`,
        `a multiple of ${RECORD} bytes (a label and 3 × 32 × 32)`,
        again,
      ),
    ]);
  for (let at = 0; at < bytes.length; at += RECORD)
    if (uint8At(bytes, at) >= CLASSES)
      return left([
        problem(
          path,
          `the label ${bytes[at]} in record ${at / RECORD}`,
          `a label from 0 to ${CLASSES - 1}`,
          again,
        ),
      ]);
  return right(bytes);
};

/** Records of one or several files as examples [32, 32, 3] in 0 … 1; they stay bytes until they are read. */
export const decodeCifar = (
  name: string,
  files: readonly { readonly path: string; readonly bytes: Uint8Array }[],
): Either<Problems, Stored> => {
  const problems = files.flatMap(({ path, bytes }) => {
    const found = checked(path, bytes);
    return found._tag === 'Left' ? found.left : [];
  });
  if (problems.length > 0) return left(problems);
  const all = new Uint8Array(files.reduce((sum, { bytes }) => sum + bytes.length, 0));
  files.reduce((at, { bytes }) => {
    all.set(bytes, at);
    return at + bytes.length;
  }, 0);
  const size = all.length / RECORD;
  const labels = Uint8Array.from({ length: size }, (_, row) => uint8At(all, row * RECORD));
  return right(
    storedRecords(
      { name, shape: [SIDE, SIDE, 3], size, fields: { [LABEL]: integerField(labels) } },
      recordsInMemory(all, RECORD),
      (record, into) => {
        for (let pixel = 0; pixel < PIXELS; pixel++)
          for (let colour = 0; colour < 3; colour++)
            into[3 * pixel + colour] = uint8At(record, 1 + colour * PIXELS + pixel) / 255;
        return undefined;
      },
    ),
  );
};

const readPart = (
  folder: string,
  name: string,
  files: readonly string[],
): TaskEither.TaskEither<Problems, Stored> =>
  pipe(
    files.map((file) => {
      const path = join(folder, file);
      return pipe(
        readBytes(path, `CIFAR-10's ${file}`),
        TaskEither.map((bytes) => ({ path, bytes })),
      );
    }),
    TaskEither.sequenceSeqArray,
    TaskEither.chainEitherK((found) => decodeCifar(name, found)),
  );

/** A folder with `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin`, or the one above it. */
export const openCifar = (path: string): TaskEither.TaskEither<Problems, Split<Source>> =>
  pipe(
    TaskEither.fromTask(entryAt(join(path, UNPACKED))),
    TaskEither.chain((entry) => {
      const folder = entry === 'folder' ? join(path, UNPACKED) : path;
      return sequenceS(TaskEither.ApplicativeSeq)({
        train: readPart(folder, `${basename(path)} (train)`, trainFiles),
        test: readPart(folder, `${basename(path)} (test)`, [testFile]),
      });
    }),
  );
