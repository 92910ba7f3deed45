/** Folders of JPEG and PNG files: parts in subfolders, by CelebA's partition file, or every n-th picture held out; decoded when they are read. */
import { sequenceS } from 'fp-ts/lib/Apply.js';
import { elementAt, uint8At } from '../../dsl/lookup.js';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import { sizeOf } from '../../dsl/shape.js';
import type { Source, Split, Stored } from '../dataset.js';
import { integerField, LABEL } from '../field.js';
import { entryAt, messageOf, readBytes } from './file.js';
import { HELD_OUT, withParts } from '../parts.js';
import { type Picture, type PictureOptions, readPicture } from './picture.js';
import { integer, type ValuesOf, word } from '../settings.js';

type Problems = readonly Problem[];
type Loading<A> = TaskEither.TaskEither<Problems, A>;

/** `crop`: side of the square cut from the centre; `size`: side that it is resized to; 0 for neither. */
const settingsWith = (crop: number, size: number) =>
  ({
    holdOut: integer(HELD_OUT, 2),
    crop: integer(crop, 0, 2 ** 16),
    size: integer(size, 0, 2 ** 12),
    channels: word('auto', 'auto', '1', '3'),
  }) as const;

export const pictureSettings = settingsWith(0, 0);
/** As the experiments on CelebA do: 140 × 140 from the centre, then 64 × 64. */
export const celebaSettings = settingsWith(140, 64);
type Values = ValuesOf<typeof pictureSettings>;

/** Decoded pictures that are kept, in bytes, so that later epochs need not decode them again. */
const KEPT_BYTES = 2 ** 29;
const MOST_CLASSES = 256;

const isPictureName = (name: string): boolean => /\.(jpe?g|png)$/i.test(name);

/** `kind` is the subfolder that it is in, if those are classes. */
type File = { readonly path: string; readonly kind?: string };

const listed = (
  folder: string,
): Loading<{ readonly files: readonly string[]; readonly folders: readonly string[] }> =>
  TaskEither.tryCatch(
    async () => {
      const entries = await readdir(folder, { withFileTypes: true });
      const files: string[] = [];
      const folders: string[] = [];
      for (const entry of entries) {
        const { name } = entry;
        const isLinked = entry.isSymbolicLink() && (await entryAt(join(folder, name))()) === 'folder';
        if (entry.isDirectory() || isLinked) folders.push(name);
        else if (isPictureName(name)) files.push(name);
      }
      return { files: files.sort(), folders: folders.sort() };
    },
    (error): Problems => [problem(folder, messageOf(error), 'a folder that can be read')],
  );

/** The pictures of a folder in order of name, or those of its subfolders, which then are classes. */
const filesIn = (folder: string): Loading<readonly File[]> =>
  pipe(
    listed(folder),
    TaskEither.chain(({ files, folders }) => {
      if (files.length > 0)
        return TaskEither.right(files.map((name): File => ({ path: join(folder, name) })));
      return pipe(
        folders.map((name) => listed(join(folder, name))),
        TaskEither.sequenceSeqArray,
        TaskEither.map((classes) =>
          classes.flatMap((one, i) =>
            one.files.map((name): File => ({
              path: join(folder, elementAt(folders, i), name),
              kind: elementAt(folders, i),
            })),
          ),
        ),
      );
    }),
    TaskEither.filterOrElse(
      (files) => files.length > 0,
      (): Problems => [problem(folder, 'no pictures', 'JPEG or PNG files, or subfolders with some')],
    ),
  );

/** Pictures as examples in 0 … 1, of the shape of the first. */
const pictures = (
  name: string,
  files: readonly File[],
  kinds: readonly string[],
  given: PictureOptions,
): Loading<Stored> =>
  pipe(
    readPicture(elementAt(files, 0).path, given),
    TaskEither.map((first): Stored => {
      const { shape } = first;
      const options: PictureOptions = { ...given, channels: shape[2] === 1 ? '1' : '3' };
      const width = sizeOf(shape);
      const kept = new Map<number, Uint8Array>();
      const checked = (path: string, picture: Picture): Either<Problems, Uint8Array> =>
        picture.shape.join() === shape.join()
          ? right(picture.pixels)
          : left([
              problem(
                path,
                `${picture.shape[1]} × ${picture.shape[0]} pixels`,
                `${shape[1]} × ${shape[0]}, as ${basename(elementAt(files, 0).path)}`,
                'size=64 resizes all pictures to 64 × 64',
              ),
            ]);
      const pixels = async (row: number): Promise<Either<Problems, Uint8Array>> => {
        const known = kept.get(row);
        if (known !== undefined) return right(known);
        const { path } = elementAt(files, row);
        const picture = await readPicture(path, options)();
        const found = isLeft(picture) ? picture : checked(path, picture.right);
        if (!isLeft(found) && (kept.size + 1) * width <= KEPT_BYTES) kept.set(row, found.right);
        return found;
      };
      const labels = files.flatMap(({ kind }) => (kind === undefined ? [] : kinds.indexOf(kind)));
      return {
        name,
        shape,
        size: files.length,
        ...(labels.length === files.length ? { fields: { [LABEL]: integerField(labels, kinds) } } : {}),
        read: (rows, into) => async () => {
          const found = await Promise.all(Array.from(rows, pixels));
          for (const [i, bytes] of found.entries()) {
            if (isLeft(bytes)) return bytes;
            for (let at = 0; at < width; at++) into[i * width + at] = uint8At(bytes.right, at) / 255;
          }
          return right(undefined);
        },
      };
    }),
  );

const partNames = { train: ['train'], test: ['test'], validation: ['validation', 'valid', 'val'] } as const;

const assembled = (
  path: string,
  values: Values,
  parts: Readonly<Record<'train' | 'test' | 'validation', readonly File[]>>,
): Loading<Split<Source>> => {
  // Over all parts, since one of them may have no picture of a class.
  const kinds = [
    ...new Set(Object.values(parts).flatMap((files) => files.flatMap(({ kind }) => kind ?? []))),
  ].sort();
  if (kinds.length > MOST_CLASSES)
    return TaskEither.left([problem(path, `${kinds.length} classes`, `at most ${MOST_CLASSES} subfolders`)]);
  const part = (of: keyof typeof parts): Loading<Stored | undefined> =>
    parts[of].length === 0
      ? TaskEither.right(undefined)
      : pictures(`${basename(path)} (${of})`, parts[of], kinds, values);
  return pipe(
    TaskEither.sequenceSeqArray([part('train'), part('test'), part('validation')]),
    TaskEither.chain(([train, test, validation]) =>
      withParts(path, { ...values, standardize: false })({ train, test, validation }),
    ),
  );
};

/** A folder of pictures, or of `train`, `test` and perhaps `validation`; pictures in subfolders of these are labelled by them. */
export const openPictures = (path: string, values: Values): Loading<Split<Source>> =>
  pipe(
    listed(path),
    TaskEither.chain(({ folders }) => {
      const folderOf = (part: keyof typeof partNames): string | undefined =>
        partNames[part].find((name) => folders.includes(name));
      const filesOf = (part: keyof typeof partNames): Loading<readonly File[]> => {
        const folder = folderOf(part);
        return folder === undefined ? TaskEither.right([]) : filesIn(join(path, folder));
      };
      if (folderOf('train') !== undefined)
        return pipe(
          sequenceS(TaskEither.ApplicativeSeq)({
            train: filesOf('train'),
            test: filesOf('test'),
            validation: filesOf('validation'),
          }),
          TaskEither.chain((parts) => assembled(path, values, parts)),
        );
      return pipe(
        filesIn(path),
        TaskEither.chain((train) => assembled(path, values, { train, test: [], validation: [] })),
      );
    }),
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
    rows.filter(({ words }) => words[1] === of).map(({ words }) => elementAt(words, 0));
  return right({ train: part('0'), validation: part('1'), test: part('2') });
};

/** CelebA: `list_eval_partition.txt` beside the pictures or beside their folder `img_align_celeba`. */
export const openCeleba = (path: string, values: Values): Loading<Split<Source>> => {
  const partition = join(path, PARTITION);
  return pipe(
    TaskEither.Do,
    TaskEither.bind('parts', () =>
      pipe(
        readBytes(partition, 'a list of files'),
        TaskEither.chainEitherK((bytes) => decodePartition(partition, new TextDecoder().decode(bytes))),
      ),
    ),
    TaskEither.bind('top', () => listed(path)),
    TaskEither.bind('found', ({ top }) => {
      const folder = top.folders.includes(CELEBA_PICTURES) ? join(path, CELEBA_PICTURES) : path;
      return pipe(
        listed(folder),
        TaskEither.map(({ files }) => ({ folder, names: new Set(files) })),
      );
    }),
    TaskEither.chain(({ parts: { train, test, validation }, found: { folder, names } }) => {
      const missing = [...train, ...test, ...validation].find((name) => !names.has(name));
      if (missing !== undefined)
        return TaskEither.left([
          problem(join(folder, missing), 'no such file', `every picture that ${PARTITION} names`),
        ]);
      const files = (of: readonly string[]): readonly File[] =>
        of.map((name) => ({ path: join(folder, name) }));
      return assembled(path, values, {
        train: files(train),
        test: files(test),
        validation: files(validation),
      });
    }),
  );
};
