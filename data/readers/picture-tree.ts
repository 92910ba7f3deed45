/** The pictures below a folder by part and class, told by the names of the folders that they are in. */
import { elementAt } from '../../dsl/lookup.js';
import { opendir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../../dsl/problem.js';
import { type PartName, partNamed, partWords } from '../part-names.js';
import { entryAt, messageOf } from './file.js';
import { isLitter } from './litter.js';

type Problems = readonly Problem[];

/** `kind` is the folder that it is in, if those are classes. */
export type PictureFile = { readonly path: string; readonly kind?: string };

/** A file and the names of the folders that it is in, from the one that was asked for. */
type Found = { readonly path: string; readonly folders: readonly string[] };

const MOST_FILES = 2 ** 23;
const MOST_LEVELS = 32;

const isPictureName = (name: string): boolean => /\.(jpe?g|png)$/i.test(name);
/** Pictures of kinds that are not read. */
const isOtherPicture = (name: string): boolean =>
  /\.(bmp|gif|tiff?|webp|heic|avif|jp2|ppm|pgm|dcm)$/i.test(name);

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** All pictures below a folder; links are followed, but to no folder that they are in. */
const walk = async (
  root: string,
  folders: readonly string[],
  within: readonly string[],
  into: { readonly pictures: Found[]; readonly others: Found[] },
): Promise<void> => {
  const here = join(root, ...folders);
  const real = await realpath(here);
  if (within.includes(real) || folders.length > MOST_LEVELS) return;
  const deeper: string[] = [];
  for await (const entry of await opendir(here)) {
    const { name } = entry;
    if (isLitter(name)) continue;
    const isLink = entry.isSymbolicLink();
    const kind = isLink ? await entryAt(join(here, name))() : undefined;
    if (entry.isDirectory() || kind === 'folder') deeper.push(name);
    else if (isPictureName(name)) {
      if (kind !== 'nothing') into.pictures.push({ path: join(here, name), folders });
    } else if (isOtherPicture(name)) into.others.push({ path: join(here, name), folders });
    if (into.pictures.length > MOST_FILES) return;
  }
  for (const name of deeper.sort(byName)) await walk(root, [...folders, name], [...within, real], into);
};

const shown = (names: Iterable<string>): string => {
  const all = [...new Set(names)].sort(byName);
  return all.length > 6 ? `${all.slice(0, 6).join(', ')} and ${all.length - 6} more` : all.join(', ');
};

const folderOf = ({ folders }: Found): string =>
  folders.length === 0 ? 'no folder' : `${folders.join('/')}/`;

/** The place among its folders of the one that names a part; −1 where none does. */
const placeOfPart = ({ folders }: Found): number =>
  folders.findIndex((folder) => partNamed(folder) !== undefined);

/** Folders that all files are in say nothing, as long as there are others below them. */
const unwrapped = (files: readonly Found[]): readonly Found[] => {
  const [first] = files;
  const [outer] = first?.folders ?? [];
  return outer !== undefined && files.every(({ folders }) => folders.length > 1 && folders[0] === outer)
    ? unwrapped(files.map(({ path, folders }) => ({ path, folders: folders.slice(1) })))
    : files;
};

/** Classes are the first folders below a part; either all pictures are in some or none is. */
const checkClasses = (path: string, files: readonly Found[]): Either<Problems, void> => {
  const inside = files.filter(({ folders }) => folders.length > 0);
  if (inside.length === 0 || inside.length === files.length) return right(undefined);
  const beside = files.length - inside.length;
  return left([
    problem(
      path,
      `${beside} picture${beside === 1 ? '' : 's'} beside the folders ${shown(inside.map(({ folders }) => elementAt(folders, 0)))}`,
      'pictures in folders, which are their classes, or pictures alone',
    ),
  ]);
};

export type PictureParts = Readonly<Record<PartName, readonly PictureFile[]>>;

/** Which part each picture is of. */
const partsOf = (
  path: string,
  files: readonly Found[],
): Either<Problems, Readonly<Record<PartName, readonly Found[]>>> => {
  const places = files.map(placeOfPart);
  if (places.every((place) => place < 0)) return right({ train: files, test: [], validation: [] });
  const outside = files.filter((_, i) => elementAt(places, i) < 0);
  const named = files.flatMap(({ folders }, i) =>
    elementAt(places, i) < 0 ? [] : [elementAt(folders, elementAt(places, i))],
  );
  if (outside.length > 0)
    return left([
      problem(
        path,
        `pictures in ${shown(named)}, and others in ${shown(outside.map(folderOf))}`,
        `every picture in a folder of a part (${partWords.join(', ')}), or none`,
        'name the folder of a part to read that alone',
      ),
    ]);
  const twice = (['train', 'test', 'validation'] as const).find(
    (part) => new Set(named.filter((name) => partNamed(name) === part)).size > 1,
  );
  if (twice !== undefined)
    return left([
      problem(
        path,
        `the folders ${shown(named.filter((name) => partNamed(name) === twice))}`,
        `one folder for ${twice}`,
      ),
    ]);
  const of = (part: PartName): readonly Found[] =>
    files.flatMap((file, i) =>
      partNamed(elementAt(file.folders, elementAt(places, i))) === part
        ? [{ ...file, folders: file.folders.filter((_, at) => at !== places[i]) }]
        : [],
    );
  const parts = { train: of('train'), test: of('test'), validation: of('validation') };
  if (parts.train.length === 0)
    return left([
      problem(
        path,
        `pictures in ${shown(named)}, and none to train on`,
        'a folder train beside them',
        'name the folder of a part to read that alone',
      ),
    ]);
  return right(parts);
};

const byPart = (path: string, pictures: readonly Found[]): Either<Problems, PictureParts> => {
  const parts = partsOf(path, pictures);
  if (isLeft(parts)) return parts;
  // Over all parts, since wrapping folders are around the classes of each.
  const inner = unwrapped(Object.values(parts.right).flat());
  const classes = checkClasses(path, inner);
  if (isLeft(classes)) return classes;
  const kinds = new Map(inner.map((file) => [file.path, file.folders.at(0)]));
  const of = (files: readonly Found[]): readonly PictureFile[] =>
    files.map((file): PictureFile => {
      const kind = kinds.get(file.path);
      return kind === undefined ? { path: file.path } : { path: file.path, kind };
    });
  const { train, test, validation } = parts.right;
  return right({ train: of(train), test: of(test), validation: of(validation) });
};

/** Every picture below a folder, by part. */
export const picturesBelow =
  (path: string): TaskEither<Problems, PictureParts> =>
  async () => {
    const found: { readonly pictures: Found[]; readonly others: Found[] } = { pictures: [], others: [] };
    try {
      await walk(path, [], [], found);
    } catch (error) {
      return left([problem(path, messageOf(error), 'a folder that can be read')]);
    }
    const { pictures, others } = found;
    if (others.length > 0)
      return left([
        problem(
          path,
          `${others.length} picture${others.length === 1 ? '' : 's'} such as ${elementAt(others, 0).path}`,
          'JPEG or PNG files alone',
          'convert them, or move them away',
        ),
      ]);
    if (pictures.length === 0)
      return left([problem(path, 'no pictures', 'JPEG or PNG files, or subfolders with some')]);
    return byPart(
      path,
      pictures.sort((a, b) => byName(a.path, b.path)),
    );
  };
