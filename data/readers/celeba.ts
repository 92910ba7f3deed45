/** CelebA: pictures beside a file that says which is for what; cut and resized as the experiments on it do. */
import { elementAt } from '../../dsl/lookup.js';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import type { OpenOptions } from '../options.js';
import type { Found } from '../parts.js';
import { entryAt, messageOf, readBytes } from './file.js';
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

/** As the authors have it, and as a table. */
const PARTITIONS = ['list_eval_partition.txt', 'list_eval_partition.csv'];
const CELEBA_PICTURES = 'img_align_celeba';

const partitionIn = (names: readonly string[]): string | undefined =>
  PARTITIONS.find((partition) => names.includes(partition));

/** Whether a folder holds CelebA's partition file. */
export const isCelebaFolder = (names: readonly string[]): boolean => partitionIn(names) !== undefined;

/** The folder of the pictures: beside the partition file, below it, or in another of the same name there. */
const pictureFolder = async (path: string): Promise<string> => {
  const below = join(path, CELEBA_PICTURES);
  if ((await entryAt(below)()) !== 'folder') return path;
  const inner = join(below, CELEBA_PICTURES);
  return (await entryAt(inner)()) === 'folder' ? inner : below;
};

const NAMES = /^image_id[\s,]+partition\s*$/;

/** Lines `000001.jpg 0`: 0 to train on, 1 for validation, 2 for testing; a first line that names the columns is none. */
export const decodePartition = (
  path: string,
  text: string,
): Either<Problems, Readonly<Record<'train' | 'test' | 'validation', readonly string[]>>> => {
  const lines = text
    .split(/\r?\n/)
    .map((line, i) => ({ line, number: i + 1, words: line.trim().split(/[\s,]+/) }));
  const rows = lines.filter(({ line, number }) => line.trim() !== '' && !(number === 1 && NAMES.test(line)));
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
  const seen = new Set<string>();
  for (const { words, number } of rows) {
    const name = elementAt(words, 0);
    if (seen.has(name))
      return left([problem(`${path}:${number}`, `${name} a second time`, 'each picture in one line')]);
    seen.add(name);
  }
  const part = (of: string): readonly string[] =>
    rows.filter(({ words }) => elementAt(words, 1) === of).map(({ words }) => elementAt(words, 0));
  return right({ train: part('0'), validation: part('1'), test: part('2') });
};

/** CelebA: `list_eval_partition.txt` (or .csv) beside the pictures or beside their folder `img_align_celeba`. */
export const readCeleba = (
  path: string,
  values: PictureValues,
  options: OpenOptions,
): TaskEither.TaskEither<Problems, Found> =>
  pipe(
    TaskEither.Do,
    TaskEither.bind('top', () => namesIn(path)),
    TaskEither.bind('partition', ({ top }) =>
      TaskEither.right(join(path, partitionIn(top) ?? elementAt(PARTITIONS, 0))),
    ),
    TaskEither.bind('parts', ({ partition }) =>
      pipe(
        readBytes(partition, 'a list of files'),
        TaskEither.chainEitherK((bytes) => decodePartition(partition, new TextDecoder().decode(bytes))),
      ),
    ),
    TaskEither.bind('folder', () => TaskEither.fromTask(() => pictureFolder(path))),
    TaskEither.bind('names', ({ folder }) =>
      pipe(
        namesIn(folder),
        TaskEither.map((names) => new Set(names)),
      ),
    ),
    TaskEither.chain(({ parts: { train, test, validation }, partition, folder, names }) => {
      const missing = [...train, ...test, ...validation].find((name) => !names.has(name));
      if (missing !== undefined)
        return TaskEither.left([
          problem(join(folder, missing), 'no such file', `every picture that ${basename(partition)} names`),
        ]);
      const files = (of: readonly string[]): readonly PictureFile[] =>
        of.map((name) => ({ path: join(folder, name) }));
      const parts = { train: files(train), test: files(test), validation: files(validation) };
      return pictureSet(path, parts, values, options);
    }),
  );
