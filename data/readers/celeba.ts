/** CelebA: pictures beside a file that says which is for what; cut and resized as the experiments on it do. */
import { elementAt } from '../../dsl/lookup.js';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import type { OpenOptions } from '../options.js';
import type { Found } from '../parts.js';
import { messageOf, readBytes } from './file.js';
import { pictureSet, pictureSettingsWith, type PictureValues } from './picture-folder.js';
import type { PictureFile } from './picture-tree.js';

type Problems = readonly Problem[];

/** 140 × 140 from the centre, then 64 × 64. */
export const celebaSettings = pictureSettingsWith(140, 64);

const namesIn = (folder: string): TaskEither.TaskEither<Problems, readonly string[]> =>
  TaskEither.tryCatch(
    () => readdir(folder),
    (error): Problems => [problem(folder, messageOf(error), 'a folder that can be read')],
  );

const PARTITION = 'list_eval_partition.txt';
const CELEBA_PICTURES = 'img_align_celeba';

/** Whether a folder holds CelebA's partition file. */
export const isCelebaFolder = (names: readonly string[]): boolean => names.includes(PARTITION);

/** Lines `000001.jpg 0`: 0 to train on, 1 for validation, 2 for testing. */
export const decodePartition = (
  path: string,
  text: string,
): Either<Problems, Readonly<Record<'train' | 'test' | 'validation', readonly string[]>>> => {
  const lines = text
    .split(/\r?\n/)
    .map((line, i) => ({ line, number: i + 1, words: line.trim().split(/[\s,]+/) }));
  const rows = lines.filter(({ line }) => line.trim() !== '');
  const wrong = rows.find(
    ({ words }) => words.length !== 2 || !['0', '1', '2'].includes(elementAt(words, 1)),
  );
  if (wrong !== undefined)
    return left([
      problem(
        `${path}:${wrong.number}`,
        JSON.stringify(wrong.line.slice(0, 80)),
        'a file and 0, 1 or 2, such as 000001.jpg 0',
      ),
    ]);
  const part = (of: string): readonly string[] =>
    rows.filter(({ words }) => elementAt(words, 1) === of).map(({ words }) => elementAt(words, 0));
  return right({ train: part('0'), validation: part('1'), test: part('2') });
};

/** CelebA: `list_eval_partition.txt` beside the pictures or beside their folder `img_align_celeba`. */
export const readCeleba = (
  path: string,
  values: PictureValues,
  options: OpenOptions,
): TaskEither.TaskEither<Problems, Found> => {
  const partition = join(path, PARTITION);
  return pipe(
    TaskEither.Do,
    TaskEither.bind('parts', () =>
      pipe(
        readBytes(partition, 'a list of files'),
        TaskEither.chainEitherK((bytes) => decodePartition(partition, new TextDecoder().decode(bytes))),
      ),
    ),
    TaskEither.bind('top', () => namesIn(path)),
    TaskEither.bind('found', ({ top }) => {
      const folder = top.includes(CELEBA_PICTURES) ? join(path, CELEBA_PICTURES) : path;
      return pipe(
        namesIn(folder),
        TaskEither.map((names) => ({ folder, names: new Set(names) })),
      );
    }),
    TaskEither.chain(({ parts: { train, test, validation }, found: { folder, names } }) => {
      const missing = [...train, ...test, ...validation].find((name) => !names.has(name));
      if (missing !== undefined)
        return TaskEither.left([
          problem(join(folder, missing), 'no such file', `every picture that ${PARTITION} names`),
        ]);
      const files = (of: readonly string[]): readonly PictureFile[] =>
        of.map((name) => ({ path: join(folder, name) }));
      const parts = { train: files(train), test: files(test), validation: files(validation) };
      return pictureSet(path, parts, values, options);
    }),
  );
};
