/** Folders of pictures as cameras, archives and file managers leave them: read as Pillow reads them, or something is said. */
import { elementAt, entryOf, float32At } from '../../dsl/lookup.js';
import { describe, expect, test } from 'vitest';
import sharp from 'sharp';
import { inMemory, labelsOf, type Source } from '../../data/dataset.js';
import { loadData } from '../../data/load.js';
import { openData } from '../../data/source.js';
import { left, right } from '../shared/either.js';
import { png, testFolder } from './files.js';

const folder = testFolder('folders');
let made = 0;
/** A folder of these files. */
const tree = (files: Readonly<Record<string, Uint8Array | string>>): string => {
  const name = String(made++);
  for (const [at, bytes] of Object.entries(files)) folder.file(`${name}/${at}`, bytes);
  return `${folder.path}/${name}`;
};
const grey = (value: number): Uint8Array => png(4, 3, 1, () => value);
const colour = png(4, 3, 3, (_x, _y, channel) => elementAt([200, 100, 50], channel));
const open = async (path: string, settings = '?holdOut=0') => right(await openData(path + settings)());
const problem = async (path: string, settings = '?holdOut=0') =>
  elementAt(left(await openData(path + settings)()), 0);
const labels = (set: Source) => Array.from(labelsOf(set) ?? []);
const classes = (set: Source) => entryOf(set.fields ?? {}, 'label').classes;
const pixels = async (path: string, settings = '?holdOut=0') => {
  const { train } = right(await loadData(path + settings)());
  return {
    shape: train.shape,
    of: (i: number) => Math.round(float32At(train.examples, i) * 255),
    examples: train.examples,
  };
};

describe('what is read', () => {
  test('all 64 values of a PNG of 16 bits, over 65,535', async () => {
    const path = tree({ 'a.png': png(8, 8, 1, (x, y) => 4 * (8 * y + x), 16) });
    const { examples, shape } = await pixels(path);
    expect([shape, new Set(examples).size]).toEqual([[8, 8, 1], 64]);
    // np.array(Image.open('a.png')).max() / 65535 and .mean() / 65535
    expect(Math.max(...examples)).toBeCloseTo(0.0038452735179674985, 9);
    expect(examples.reduce((a, b) => a + b, 0) / 64).toBeCloseTo(0.0019226367589837492, 9);
  });

  test('a JPEG with EXIF orientation 6 is turned, before it is cut', async () => {
    // Quadrants: red, green above blue, white; 48 × 32 pixels.
    const data = Uint8Array.from({ length: 48 * 32 * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % 48, Math.floor(i / 144)];
      return elementAt(
        elementAt(
          [
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
            [255, 255, 255],
          ],
          (y < 16 ? 0 : 2) + (x < 24 ? 0 : 1),
        ),
        i % 3,
      );
    });
    const jpeg = await sharp(data, { raw: { width: 48, height: 32, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
      .toBuffer();
    const path = tree({ 'a.jpg': jpeg });
    const { shape, of } = await pixels(path);
    expect(shape).toEqual([48, 32, 3]);
    const at = (row: number, column: number) => [0, 1, 2].map((c) => of(3 * (32 * row + column) + c));
    const near = (found: readonly number[], wanted: readonly number[]) =>
      found.forEach((value, i) => expect(Math.abs(value - elementAt(wanted, i))).toBeLessThan(6));
    // ImageOps.exif_transpose(Image.open('a.jpg')) at these places.
    near(at(4, 4), [0, 0, 254]);
    near(at(4, 27), [254, 0, 0]);
    near(at(43, 4), [255, 255, 255]);
    near(at(43, 27), [0, 255, 1]);
    expect((await pixels(path, '?holdOut=0&crop=32')).shape).toEqual([32, 32, 3]);
  });

  test('transparency shows white, black on request, or is kept; as Image.alpha_composite has it', async () => {
    const rgba = [200, 100, 0, 128, 10, 20, 30, 255, 0, 0, 0, 0, 255, 0, 0, 64];
    const path = tree({ 'a.png': png(2, 2, 4, (x, y, c) => elementAt(rgba, 4 * (2 * y + x) + c)) });
    const all = async (settings: string) => {
      const { examples, of } = await pixels(path, settings);
      return [...examples.keys()].map(of);
    };
    expect(await all('?holdOut=0')).toEqual([227, 177, 127, 10, 20, 30, 255, 255, 255, 255, 191, 191]);
    expect(await all('?holdOut=0&background=black')).toEqual([100, 50, 0, 10, 20, 30, 0, 0, 0, 64, 0, 0]);
    expect(await all('?holdOut=0&channels=4')).toEqual(rgba);
    const alpha = tree({
      'a.png': png(2, 1, 2, (x, _y, c) =>
        elementAt(
          elementAt(
            [
              [10, 255],
              [200, 128],
            ],
            x,
          ),
          c,
        ),
      ),
    });
    expect(
      [...(await pixels(alpha, '?holdOut=0&channels=2')).examples].map((v) => Math.round(v * 255)),
    ).toEqual([10, 255, 200, 128]);
    expect((await pixels(alpha)).of(1)).toBe(Math.round((128 * 200 + 127 * 255) / 255));
    expect((await problem(path, '?holdOut=0&background=red')).path).toBe(`${path}?background`);
  });

  test('colour as soon as one picture has it', async () => {
    const path = tree({ '0.png': grey(7), '1.png': colour, '2.png': colour });
    const { shape, of } = await pixels(path);
    expect(shape).toEqual([3, 4, 3]);
    expect([of(0), of(36), of(37), of(38)]).toEqual([7, 200, 100, 50]);
  });
});

describe('what is left out', () => {
  test('names that begin with a dot, and what systems leave', async () => {
    const path = tree({
      'cat/0.png': grey(1),
      'dog/0.png': grey(2),
      'dog/._0.png': 'Mac OS X        ',
      '.ipynb_checkpoints/0-checkpoint.png': grey(9),
      '__MACOSX/cat/0.png': 'litter',
      '.DS_Store': 'x',
      'cat/Thumbs.db': 'x',
      'notes.txt': 'x',
    });
    const { train } = await open(path);
    expect([labels(train), classes(train)]).toEqual([
      [0, 1],
      ['cat', 'dog'],
    ]);
  });
});

describe('layouts', () => {
  test.each([
    ['Training', 'Testing', 'Validation'],
    ['TRAIN', 'test', 'valid'],
    ['train', 'Test', 'val'],
  ])('parts called %s, %s and %s', async (train, held, validation) => {
    const path = tree({
      [`${train}/0.png`]: grey(1),
      [`${held}/0.png`]: grey(2),
      [`${validation}/0.png`]: grey(3),
    });
    const split = await open(path, '');
    const first = async (set: Source | undefined) =>
      set === undefined ? undefined : Math.round(float32At(right(await inMemory(set)()).examples, 0) * 255);
    expect([await first(split.train), await first(split.test), await first(split.validation)]).toEqual([
      1, 2, 3,
    ]);
    expect(labelsOf(split.train)).toBeUndefined();
  });

  test('classes within parts, parts within classes, and both in a folder around them', async () => {
    const names = ['cat', 'dog'];
    for (const of of [
      (part: string, name: string) => `${part}/${name}/0.png`,
      (part: string, name: string) => `${name}/${part}/0.png`,
      (part: string, name: string) => `archive/images/${part}/${name}/0.png`,
      (part: string, name: string) => `${part}/images/${name}/0.png`,
    ]) {
      const path = tree(
        Object.fromEntries(
          ['train', 'test'].flatMap((part) => names.map((name) => [of(part, name), grey(1)])),
        ),
      );
      const split = await open(path, '');
      expect([labels(split.train), labels(split.test), classes(split.train)]).toEqual([
        [0, 1],
        [0, 1],
        names,
      ]);
    }
  });

  test('folders within classes belong to them', async () => {
    const path = tree({ 'cat/monday/0.png': grey(1), 'cat/1.png': grey(2), 'dog/a/b/0.png': grey(3) });
    const { train } = await open(path);
    expect([labels(train), classes(train)]).toEqual([
      [0, 0, 1],
      ['cat', 'dog'],
    ]);
  });

  test('half of a layout is a problem that says what was seen', async () => {
    expect(await problem(tree({ 'Training/0.png': grey(1), 'extra/0.png': grey(1) }))).toMatchObject({
      found: 'pictures in Training, and others in extra/',
      expected: expect.stringContaining('every picture in a folder of a part'),
    });
    expect((await problem(tree({ 'test/0.png': grey(1), 'val/0.png': grey(1) }))).found).toBe(
      'pictures in test, val, and none to train on',
    );
    expect((await problem(tree({ 'train/0.png': grey(1), 'Training/0.png': grey(1) }))).found).toBe(
      'the folders Training, train',
    );
    expect((await problem(tree({ 'cat/0.png': grey(1), '0.png': grey(1) }))).found).toBe(
      '1 picture beside the folders cat',
    );
    expect((await problem(tree({ '0.png': grey(1), '1.webp': 'RIFF' }))).found).toMatch(
      /^1 picture such as .*1\.webp$/,
    );
  });

  test('pictures of two sizes are a problem with both names, found when the folder is opened', async () => {
    expect(await problem(tree({ '0.png': grey(1), '1.png': png(5, 3, 1, () => 0) }))).toMatchObject({
      path: expect.stringMatching(/1\.png$/),
      found: '5 × 3 pixels',
      expected: '4 × 3, as 0.png',
    });
  });
});

test('a fitted preprocessing reads new pictures as the old ones were read', async () => {
  const old = await open(tree({ '0.png': grey(1), '1.png': colour }), '?holdOut=0&size=2');
  if (old.preprocessing === undefined) throw new Error('a preprocessing was expected');
  const fresh = tree({ 'a.png': grey(51) });
  const { train } = right(await loadData(fresh, folder.path, { preprocessing: old.preprocessing })());
  expect([train.shape, [...train.examples].map((value) => Math.round(value * 255))]).toEqual([
    [2, 2, 3],
    Array(12).fill(51),
  ]);
});
