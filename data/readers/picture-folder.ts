/** Folders of JPEG and PNG files as examples in 0 … 1: headers are read when a folder is opened, pixels when they are asked for. */
import { atLeast, elementAt, entryOf, floatAt } from '../../dsl/lookup.js';
import { basename } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import { sizeOf } from '../../dsl/shape.js';
import type { Floats, Stored } from '../dataset.js';
import { integerField, LABEL, MOST_CLASSES } from '../field.js';
import type { OpenOptions } from '../options.js';
import { byteSettings, type Found } from '../parts.js';
import { type PictureForm, plainPreprocessing } from '../preprocessing/preprocessing.js';
import { reporter } from '../progress.js';
import { integer, type Setting, type ValuesOf, word } from '../settings.js';
import { greatestOf, type Picture, readPicture, readPictureHeader } from './picture.js';
import type { PictureHeader } from './picture-header.js';
import { type PictureFile, type PictureParts, picturesBelow } from './picture-tree.js';

type Problems = readonly Problem[];
type Loading<A> = TaskEither.TaskEither<Problems, A>;
type Colour = readonly [number, number, number];

const named: Readonly<Record<string, Colour>> = { white: [255, 255, 255], black: [0, 0, 0] };

const colourOf = (text: string): unknown => {
  const [, ...digits] = /^#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text) ?? [];
  return Object.hasOwn(named, text) ? named[text] : digits.map((pair) => Number.parseInt(pair, 16));
};

const background: Setting<Colour> = {
  fallback: entryOf(named, 'white'),
  expected: 'white, black, or six hexadecimal digits such as ff8000',
  parse: colourOf,
  accepts: (value): value is Colour => Array.isArray(value) && value.length === 3,
};

/**
 * `crop`: side of the square cut from the centre; `size`: side that it is resized to; 0 for neither. `channels`: 1 grey, 2 grey and
 * alpha, 3 colour, 4 colour and alpha; `auto` is colour as soon as one picture has it. `background` shows through where alpha is not kept.
 */
export const pictureSettingsWith = (crop: number, size: number) =>
  ({
    ...byteSettings,
    crop: integer(crop, 0, 2 ** 16),
    size: integer(size, 0, 2 ** 12),
    channels: word('auto', 'auto', '1', '2', '3', '4'),
    background,
  }) as const;

export const pictureSettings = pictureSettingsWith(0, 0);
export type PictureValues = ValuesOf<typeof pictureSettings>;

/** Decoded pictures that are kept, in bytes, so that later epochs need not decode them again. */
const KEPT_BYTES = 2 ** 29;
const HEADERS_AT_ONCE = 64;

type Headed = { readonly file: PictureFile; readonly header: PictureHeader };

/** The headers of all files: what is no picture is found before anything is trained. */
const headersOf =
  (path: string, files: readonly PictureFile[], options: OpenOptions): Loading<readonly Headed[]> =>
  async () => {
    const headed: Headed[] = [];
    const report = reporter(options);
    for (let first = 0; first < files.length; first += HEADERS_AT_ONCE) {
      const some = files.slice(first, first + HEADERS_AT_ONCE);
      const headers = await Promise.all(some.map((file) => readPictureHeader(file.path)()));
      for (const [i, header] of headers.entries()) {
        if (isLeft(header)) return header;
        headed.push({ file: elementAt(some, i), header: header.right });
      }
      report(() => `looking through the pictures of ${path}: ${headed.length} of ${files.length}`);
    }
    return right(headed);
  };

/** How all pictures are read, or two that cannot be read alike. */
const formOf = (
  headed: readonly Headed[],
  { crop, size, channels, background: colour }: PictureValues,
): Either<Problems, { readonly form: PictureForm; readonly shape: readonly number[] }> => {
  const small = headed.find(({ header }) => header.width < crop || header.height < crop);
  if (small !== undefined) {
    const { width, height } = small.header;
    return left([
      problem(small.file.path, `${width} × ${height} pixels`, `at least ${crop} × ${crop}, the crop`),
    ]);
  }
  const [first] = atLeast(1, headed);
  const side = size > 0 ? size : crop > 0 ? crop : undefined;
  const other = headed.find(
    ({ header }) => header.width !== first.header.width || header.height !== first.header.height,
  );
  if (side === undefined && other !== undefined)
    return left([
      problem(
        other.file.path,
        `${other.header.width} × ${other.header.height} pixels`,
        `${first.header.width} × ${first.header.height}, as ${basename(first.file.path)}`,
        'size=64 resizes all pictures to 64 × 64',
      ),
    ]);
  const widest = headed.some(({ header }) => header.isColour) ? 3 : 1;
  const depth = ({ auto: widest, 1: 1, 2: 2, 3: 3, 4: 4 } as const)[channels];
  const [height, width] = side === undefined ? [first.header.height, first.header.width] : [side, side];
  return right({ form: { crop, size, channels: depth, background: colour }, shape: [height, width, depth] });
};

/** Pixels over the greatest value of their depth. */
const writeScaled = (picture: Picture, into: Floats): void => {
  const most = greatestOf(picture);
  into.set(picture.pixels);
  for (let i = 0; i < into.length; i++) into[i] = floatAt(into, i) / most;
};

/** Pictures as examples in 0 … 1 of one shape, each over the greatest value of its own depth. */
const pictures = (
  name: string,
  files: readonly PictureFile[],
  kinds: readonly string[],
  form: PictureForm,
  shape: readonly number[],
): Stored => {
  const width = sizeOf(shape);
  const kept = new Map<number, Picture>();
  let keptBytes = 0;
  const pictureAt = async (row: number): Promise<Either<Problems, Picture>> => {
    const known = kept.get(row);
    if (known !== undefined) return right(known);
    const { path } = elementAt(files, row);
    const found = await readPicture(path, form)();
    if (isLeft(found)) return found;
    const { pixels, shape: own } = found.right;
    if (own.join() !== shape.join())
      return left([
        problem(path, `${own[1]} × ${own[0]} pixels`, `${shape[1]} × ${shape[0]}, as when it was opened`),
      ]);
    if (keptBytes + pixels.byteLength <= KEPT_BYTES) {
      keptBytes += pixels.byteLength;
      kept.set(row, found.right);
    }
    return found;
  };
  const labels = files.flatMap(({ kind }) => (kind === undefined ? [] : kinds.indexOf(kind)));
  return {
    name,
    shape,
    size: files.length,
    ...(kinds.length > 0 ? { fields: { [LABEL]: integerField(labels, kinds) } } : {}),
    read: (rows, into) => async () => {
      // Each is written as soon as it is decoded, while others are.
      const done = await Promise.all(
        Array.from(rows, async (row, i) => {
          const picture = await pictureAt(row);
          if (isLeft(picture)) return picture;
          writeScaled(picture.right, into.subarray(i * width, (i + 1) * width));
          return picture;
        }),
      );
      return done.find(isLeft) ?? right(undefined);
    },
  };
};

/** Parts of picture files as a data set. */
export const pictureSet = (
  path: string,
  parts: PictureParts,
  values: PictureValues,
  options: OpenOptions,
): Loading<Found> => {
  const { train, test, validation } = parts;
  const all = [...train, ...test, ...validation];
  if (all.length === 0) return TaskEither.left([problem(path, 'no pictures', 'at least one to train on')]);
  // Over all parts, since one of them may have no picture of a class.
  const kinds = [...new Set(all.flatMap(({ kind }) => kind ?? []))].sort();
  if (kinds.length > MOST_CLASSES)
    return TaskEither.left([problem(path, `${kinds.length} classes`, `at most ${MOST_CLASSES} folders`)]);
  const fitted = options.preprocessing;
  return pipe(
    headersOf(path, all, options),
    TaskEither.chainEitherK((headed) =>
      fitted?.pictures === undefined
        ? formOf(headed, values)
        : right({ form: fitted.pictures, shape: fitted.shape }),
    ),
    TaskEither.map(({ form, shape }): Found => {
      const part = (of: keyof PictureParts): Stored | undefined =>
        parts[of].length === 0
          ? undefined
          : pictures(`${basename(path)} (${of})`, parts[of], kinds, form, shape);
      const labels = kinds.length > 0 ? [{ field: LABEL, classes: kinds }] : [];
      return {
        parts: { train: part('train'), test: part('test'), validation: part('validation') },
        plan: { ...plainPreprocessing(shape), pictures: form, labels },
        values: 'finite',
      };
    }),
  );
};

/** A folder of pictures, or of `train`, `test` and perhaps `validation`; the folders that pictures are in are their classes. */
export const readPictures = (path: string, values: PictureValues, options: OpenOptions): Loading<Found> =>
  pipe(
    picturesBelow(path),
    TaskEither.chain((parts) => pictureSet(path, parts, values, options)),
  );
