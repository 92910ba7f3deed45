/** Pictures: CIFAR's layout, folders of JPEG and PNG files, CelebA's crop and resize, and what is refused. */
import { elementAt, entryOf, uint8At } from '../../dsl/lookup.js';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { encode } from 'fast-png';
import sharp from 'sharp';
import { afterAll, describe, expect } from 'vitest';
import { decodeCifar } from '../../data/readers/cifar.js';
import { labelsOf, read } from '../../data/dataset.js';
import type { PictureForm } from '../../data/preprocessing/preprocessing.js';
import { readPicture } from '../../data/readers/picture.js';
import { loadData } from '../../data/load.js';
import { openData } from '../../data/source.js';
import { left, right } from '../shared/either.js';

const root = mkdtempSync(join(tmpdir(), 'immersion-pictures-'));
afterAll(() => rmSync(root, { recursive: true }));
const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
};

const cifar = (records: readonly { readonly label: number; readonly pixels: Uint8Array }[]): Uint8Array =>
  Buffer.concat(records.flatMap(({ label, pixels }) => [Uint8Array.of(label), pixels]));
/** Pixels whose value tells colour, row and column. */
const marked = (seed: number): Uint8Array =>
  Uint8Array.from({ length: 3072 }, (_, i) => (i * 7 + seed * 31) % 256);
const two = cifar([
  { label: 3, pixels: marked(0) },
  { label: 9, pixels: marked(1) },
]);

describe('CIFAR-10', () => {
  test.prop([fc.nat(31), fc.nat(31), fc.nat(2), fc.nat(1)])(
    'planar bytes become rows, columns and colours',
    async (row, column, colour, example) => {
      const source = right(decodeCifar('x', [{ path: 'x', bytes: two }]));
      const into = new Float32Array(3072);
      right(await read(source, [example], into)());
      expect(into[3 * (32 * row + column) + colour]).toBe(marked(example)[1024 * colour + 32 * row + column]);
    },
  );

  test('a folder of six files is read, also from the folder above', async () => {
    for (const [i, name] of [
      'data_batch_1',
      'data_batch_2',
      'data_batch_3',
      'data_batch_4',
      'data_batch_5',
      'test_batch',
    ].entries())
      file(`cifar/cifar-10-batches-bin/${name}.bin`, cifar([{ label: i, pixels: marked(i) }]));
    for (const reference of [join(root, 'cifar'), join(root, 'cifar/cifar-10-batches-bin')]) {
      const { train, test } = right(await loadData(reference)());
      expect([train.size, test.size, train.shape]).toEqual([5, 1, [32, 32, 3]]);
      expect(test.examples[0]).toBe(Math.fround(uint8At(marked(5), 0) / 255));
      expect(labelsOf(train)).toEqual(Uint8Array.of(0, 1, 2, 3, 4));
      expect(labelsOf(test)).toEqual(Uint8Array.of(5));
    }
    rmSync(join(root, 'cifar/cifar-10-batches-bin/data_batch_3.bin'));
    expect(left(await loadData(join(root, 'cifar'))())[0]).toMatchObject({
      found: 'no such file',
      expected: "CIFAR-10's data_batch_3.bin",
    });
    expect(left(await loadData(`${join(root, 'cifar')}?crop=3`)())[0]).toMatchObject({
      found: 'the setting "crop"',
      expected: 'one of holdOut, standardize',
    });
  });

  test('cut files and labels that are none are problems', () => {
    expect(elementAt(left(decodeCifar('x', [{ path: 'x', bytes: two.subarray(0, 6000) }])), 0).found).toBe(
      '6000 bytes',
    );
    expect(elementAt(left(decodeCifar('x', [{ path: 'x', bytes: new Uint8Array(0) }])), 0).found).toBe(
      '0 bytes',
    );
    const wrong = cifar([{ label: 10, pixels: marked(0) }]);
    expect(elementAt(left(decodeCifar('x', [{ path: 'x', bytes: wrong }])), 0).found).toBe(
      'the label 10 in record 0',
    );
  });
});

const png = (
  width: number,
  height: number,
  channels: 1 | 2 | 3 | 4,
  value: (x: number, y: number, channel: number) => number,
): Uint8Array =>
  encode({
    width,
    height,
    channels,
    data: Uint8Array.from({ length: width * height * channels }, (_, i) =>
      value(Math.floor(i / channels) % width, Math.floor(i / channels / width), i % channels),
    ),
  });
const colour: PictureForm = { crop: 0, size: 0, channels: 3, background: [255, 255, 255] };

describe('one picture', () => {
  test.prop([
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom(...([1, 2, 3, 4] as const)),
  ])(
    'PNG pixels are read exactly, transparency among them where it is asked for',
    async (width, height, channels) => {
      const value = (x: number, y: number, channel: number): number => (x * 50 + y * 17 + channel * 5) % 256;
      const path = file('exact.png', png(width, height, channels, value));
      const { shape, pixels } = right(await readPicture(path, { ...colour, channels })());
      expect(shape).toEqual([height, width, channels]);
      expect([...pixels]).toEqual(
        Array.from({ length: height * width * channels }, (_, i) =>
          value(Math.floor(i / channels) % width, Math.floor(i / channels / width), i % channels),
        ),
      );
    },
  );

  test('the crop is taken from the centre: columns 19 … 158 and rows 39 … 178 of 178 × 218', async () => {
    const path = file(
      'celeba.png',
      png(178, 218, 3, (x, y, channel) => elementAt([x, y, 7], channel)),
    );
    const { shape, pixels } = right(await readPicture(path, { ...colour, crop: 140 })());
    expect(shape).toEqual([140, 140, 3]);
    expect([...pixels.subarray(0, 3)]).toEqual([19, 39, 7]);
    expect([...pixels.subarray(-3)]).toEqual([158, 178, 7]);
  });

  test('resizing keeps a linear slope: pixel i of 64 has the value at 19 + (i + ½) · 140/64 − ½', async () => {
    const path = file(
      'slope.png',
      png(178, 218, 3, (x, y, channel) => elementAt([x, y, 7], channel)),
    );
    const { shape, pixels } = right(await readPicture(path, { ...colour, crop: 140, size: 64 })());
    expect(shape).toEqual([64, 64, 3]);
    for (let row = 4; row < 60; row++)
      for (let column = 4; column < 60; column++) {
        const at = 3 * (64 * row + column);
        expect(Math.abs(elementAt(pixels, at) - (18.5 + (column + 0.5) * (140 / 64)))).toBeLessThan(1.1);
        expect(Math.abs(elementAt(pixels, at + 1) - (38.5 + (row + 0.5) * (140 / 64)))).toBeLessThan(1.1);
        expect(pixels[at + 2]).toBe(7);
      }
  });

  test('what is no picture, cut short, or larger than anything is a problem', async () => {
    const colours = { width: 40, height: 40, channels: 3, background: { r: 200, g: 30, b: 90 } } as const;
    const jpeg = await sharp({ create: { ...colours, noise: { type: 'gaussian', mean: 128, sigma: 30 } } })
      .jpeg()
      .toBuffer();
    const whole = right(await readPicture(file('whole.jpg', jpeg), colour)());
    expect(whole.shape).toEqual([40, 40, 3]);
    const cut = file('cut.jpg', jpeg.subarray(0, jpeg.length / 2));
    expect(left(await readPicture(cut, colour)())[0]).toMatchObject({
      path: cut,
      expected: 'an intact JPEG or PNG file',
    });
    const text = file('text.png', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    expect(elementAt(left(await readPicture(text, colour)()), 0).found).toBe('neither JPEG nor PNG data');
    const bomb = Buffer.from(png(2, 2, 1, () => 0));
    bomb.writeUInt32BE(100_000, 16);
    bomb.writeUInt32BE(100_000, 20);
    expect(elementAt(left(await readPicture(file('bomb.png', bomb), colour)()), 0).expected).toBe(
      'an intact JPEG or PNG file',
    );
    const small = file(
      'small.png',
      png(100, 200, 1, () => 0),
    );
    expect(left(await readPicture(small, { ...colour, crop: 140 })())[0]).toMatchObject({
      found: '100 × 200 pixels',
      expected: 'at least 140 × 140, the crop',
    });
    execFileSync('mkfifo', [join(root, 'pipe.png')]);
    expect(elementAt(left(await readPicture(join(root, 'pipe.png'), colour)()), 0).found).toBe(
      'not a regular file',
    );
  });
});

const grey = (value: number): Uint8Array => png(4, 3, 1, () => value);

describe('folders of pictures', () => {
  test('every n-th picture is held out, in order of name', async () => {
    for (let i = 0; i < 6; i++) file(`flat/${i}.png`, grey(i * 10));
    file('flat/notes.txt', 'not a picture');
    const { train, test } = right(await loadData(`${join(root, 'flat')}?holdOut=3`)());
    expect([train.shape, train.size, test.size]).toEqual([[3, 4, 1], 4, 2]);
    expect([...test.examples].map((value) => Math.round(value * 255))).toEqual([
      ...Array(12).fill(20),
      ...Array(12).fill(50),
    ]);
    expect(right(await loadData(`${join(root, 'flat')}?size=8&channels=3`)()).train.shape).toEqual([8, 8, 3]);
  });

  test('train, test and validation are subfolders, and subfolders of these are classes', async () => {
    for (const part of ['train', 'test', 'val'])
      for (const [i, name] of ['cat', 'dog'].entries()) file(`parts/${part}/${name}/1.png`, grey(i));
    const { train, test, validation } = right(await loadData(join(root, 'parts'))());
    for (const set of [train, test, validation])
      expect(set === undefined ? [] : labelsOf(set)).toEqual(Uint8Array.of(0, 1));
  });

  test('a class has one label in all parts, also where a part has no picture of another', async () => {
    for (const name of ['train/ant', 'train/cat', 'train/dog', 'test/dog', 'val/cat', 'val/dog', 'val/emu'])
      file(`gaps/${name}/1.png`, grey(0));
    const { train, test, validation } = right(await loadData(join(root, 'gaps'))());
    expect(
      [train, test, validation].map((set) => (set === undefined ? [] : [...Array.from(labelsOf(set) ?? [])])),
    ).toEqual([[0, 1, 2], [2], [1, 2, 3]]);
    for (let i = 0; i < 257; i++) file(`many/${i}/1.png`, grey(0));
    const many = right(await openData(join(root, 'many'))());
    expect([labelsOf(many.train)?.length, entryOf(many.test.fields ?? {}, 'label').classes?.length]).toEqual([
      215, 257,
    ]);
  });

  test('a link to a folder is one', async () => {
    for (const name of ['cat', 'dog']) file(`elsewhere/${name}/1.png`, grey(7));
    for (const part of ['train', 'test']) file(`linked/${part}/cat/1.png`, grey(1));
    symlinkSync(join(root, 'elsewhere', 'dog'), join(root, 'linked', 'train', 'dog'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'linked', 'val'));
    symlinkSync(join(root, 'nowhere'), join(root, 'linked', 'train', 'emu'));
    const { train, validation } = right(await loadData(join(root, 'linked'))());
    expect([labelsOf(train), validation === undefined ? [] : labelsOf(validation)]).toEqual([
      Uint8Array.of(0, 1),
      Uint8Array.of(0, 1),
    ]);
  });

  test('CelebA: the partition file says which picture is for what', async () => {
    const picture = png(178, 218, 3, (x, y, channel) => elementAt([x, y, 7], channel));
    for (let i = 1; i <= 4; i++) file(`celeba/img_align_celeba/${i}.jpg`, picture);
    const partition = file('celeba/list_eval_partition.txt', '1.jpg 0\n2.jpg 0\n3.jpg 1\n4.jpg 2\n');
    const data = right(await loadData(join(root, 'celeba'))());
    expect(data.train.shape).toEqual([64, 64, 3]);
    expect([data.train.size, data.validation?.size, data.test.size]).toEqual([2, 1, 1]);
    const tests = [
      ['', 'no pictures'],
      ['1.jpg 0\n2.jpg 0\n1.jpg 2\n', '1.jpg a second time'],
    ] as const;
    for (const [text, found] of tests) {
      writeFileSync(partition, text);
      expect(left(await loadData(join(root, 'celeba'))())[0]?.found).toBe(found);
    }
    writeFileSync(partition, '1.jpg 0\n2.jpg 3\n');
    expect(left(await loadData(join(root, 'celeba'))())[0]).toMatchObject({
      path: `${partition}:2`,
      found: '"2.jpg 3"',
    });
    writeFileSync(partition, '1.jpg 0\n9.jpg 0\n');
    expect(left(await loadData(join(root, 'celeba'))())[0]).toMatchObject({
      path: join(root, 'celeba/img_align_celeba/9.jpg'),
      found: 'no such file',
    });
  });

  test('CelebA as its archive on Kaggle unpacks: a table, and a folder in a folder of its name', async () => {
    const inner = 'kaggle/img_align_celeba/img_align_celeba';
    for (let i = 1; i <= 3; i++)
      file(
        `${inner}/${i}.jpg`,
        png(178, 218, 3, () => i),
      );
    file('kaggle/list_eval_partition.csv', 'image_id,partition\n1.jpg,0\n2.jpg,2\n3.jpg,1\n');
    const { train, test, validation } = right(await loadData(join(root, 'kaggle'))());
    expect([train.examples, test.examples, validation?.examples ?? []].map(([first]) => first)).toEqual(
      [1, 2, 3].map((value) => Math.fround(value / 255)),
    );
  });

  test('mixed sizes, damaged pictures and empty folders are problems', async () => {
    for (let i = 0; i < 6; i++) file(`mixed/${i}.png`, i === 4 ? png(5, 3, 1, () => 0) : grey(0));
    expect(left(await loadData(join(root, 'mixed'))())).toEqual([
      {
        path: join(root, 'mixed/4.png'),
        found: '5 × 3 pixels',
        expected: '4 × 3, as 0.png',
        hint: 'size=64 resizes all pictures to 64 × 64',
      },
    ]);
    for (let i = 0; i < 6; i++) file(`damaged/${i}.png`, i === 5 ? grey(0).subarray(0, 40) : grey(0));
    expect(elementAt(left(await openData(join(root, 'damaged'))()), 0).path).toBe(
      join(root, 'damaged/5.png'),
    );
    mkdirSync(join(root, 'empty'));
    expect(left(await loadData(join(root, 'empty'))())[0]).toMatchObject({
      path: join(root, 'empty'),
      found: 'no pictures',
    });
  });
});
