/** Data is read exactly, or refused with what was found and what was expected. */
import { elementAt } from '../../dsl/lookup.js';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fc, test } from '@fast-check/vitest';
import * as Either from 'fp-ts/lib/Either.js';
import { afterAll, describe, expect } from 'vitest';
import { labelsOf } from '../../data/dataset.js';
import { decodeImages, decodeLabels, readImages } from '../../data/readers/idx.js';
import { loadData } from '../../data/load.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

const encodeIdx = (sizes: readonly number[], values: Uint8Array): Uint8Array => {
  const bytes = Buffer.alloc(4 + 4 * sizes.length + values.length);
  bytes.writeUInt32BE(0x800 + sizes.length, 0);
  sizes.forEach((size, i) => bytes.writeUInt32BE(size, 4 + 4 * i));
  bytes.set(values, 4 + 4 * sizes.length);
  return bytes;
};

const values = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => (i * 37) % 256);
const small = encodeIdx([3, 2, 4], values(24));

const flip = (bytes: Uint8Array, at: number, bit: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte));

describe('IDX', () => {
  test.prop([
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 6 }),
    fc.boolean(),
    fc.infiniteStream(fc.nat(255)),
  ])('what is encoded is decoded, plain or gzip', (size, height, width, zipped, stream) => {
    const pixels = Uint8Array.from([...stream.take(size * height * width)]);
    const bytes = encodeIdx([size, height, width], pixels);
    const images = right(decodeImages('x', zipped ? gzipSync(bytes) : bytes));
    expect(images.shape).toEqual([height, width, 1]);
    expect(images.size).toBe(size);
    expect(Uint8Array.from(images.bytes)).toEqual(pixels);
    const labels = encodeIdx([pixels.length], pixels);
    expect(right(decodeLabels('x', zipped ? gzipSync(labels) : labels))).toEqual(pixels);
  });

  test.each([
    ['kernels', small],
    ['gzip', gzipSync(small)],
  ])('a %s file cut at any byte is a problem', (_, bytes) => {
    for (let end = 0; end < bytes.length; end++) {
      const problems = left(decodeImages('x', bytes.subarray(0, end)));
      expect(problems.length).toBeGreaterThan(0);
      for (const problem of problems)
        expect(problem).toMatchObject({
          path: 'x',
          found: expect.stringMatching(/./),
          expected: expect.stringMatching(/./),
        });
    }
  });

  test('a flipped bit of a gzip file is found or does no harm', () => {
    const zipped = gzipSync(small);
    const intact = right(decodeImages('x', zipped));
    for (let at = 0; at < zipped.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const decoded = decodeImages('x', flip(zipped, at, bit));
        if (Either.isRight(decoded)) expect(decoded.right).toEqual(intact);
      }
    }
  });

  test.prop([fc.uint8Array({ maxLength: 64 }), fc.boolean()])('no bytes make it throw', (bytes, asGzip) => {
    decodeImages(
      'x',
      asGzip ? Uint8Array.from([0x1f, 0x8b, 8, 0, ...bytes]) : Uint8Array.from([0, 0, 8, 3, ...bytes]),
    );
    decodeLabels('x', bytes);
  });

  const cut = 'copy or download the file again';
  test.each<[string, Uint8Array, readonly object[]]>([
    [
      'cut short',
      small.subarray(0, 30),
      [{ found: '30 bytes', expected: '40 bytes (3 × 2 × 4 and the header)', hint: cut }],
    ],
    [
      'empty',
      new Uint8Array(0),
      [{ found: '0 bytes', expected: 'at least 16 bytes (the header)', hint: cut }],
    ],
    [
      'labels for images',
      encodeIdx([3], values(3)),
      [{ found: 'magic number 0x00000801', expected: '0x00000803 (images)' }],
    ],
    [
      'trailing bytes',
      Buffer.concat([small, values(5)]),
      [{ found: '45 bytes, 5 too many', expected: '40 bytes (3 × 2 × 4 and the header)' }],
    ],
    [
      'trailing bytes within gzip',
      gzipSync(Buffer.concat([small, values(5)])),
      [{ found: 'more than 40 bytes (inflated)', expected: '40 bytes' }],
    ],
    [
      'one trailing byte within gzip',
      gzipSync(Buffer.concat([small, values(1)])),
      [{ found: '41 bytes, 1 too many', expected: '40 bytes (3 × 2 × 4 and the header)' }],
    ],
    [
      'trailing bytes after gzip',
      Buffer.concat([gzipSync(small), Buffer.alloc(7)]),
      [{ found: '7 bytes after the gzip data', expected: 'no bytes after the gzip data' }],
    ],
    [
      'cut before it was zipped',
      gzipSync(small.subarray(0, 30)),
      [{ found: '30 bytes', expected: '40 bytes (3 × 2 × 4 and the header)', hint: cut }],
    ],
    [
      'zero sizes',
      encodeIdx([0, 2, 0], values(0)),
      [
        { found: 'number of images 0', expected: 'number of images at least 1' },
        { found: 'width 0', expected: 'width at least 1' },
      ],
    ],
    [
      'corrupt gzip',
      Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 255, 255, 255]),
      [{ found: 'corrupt gzip data (invalid block type)', expected: 'intact gzip data', hint: cut }],
    ],
    [
      'a false checksum',
      flip(gzipSync(small), gzipSync(small).length - 8, 0),
      [{ found: 'corrupt gzip data (incorrect data check)', expected: 'intact gzip data', hint: cut }],
    ],
    [
      '10¹² values, plain',
      encodeIdx([10000, 10000, 10000], values(9)),
      [
        {
          found: '25 bytes',
          expected: '1000000000016 bytes (10000 × 10000 × 10000 and the header)',
          hint: cut,
        },
      ],
    ],
    [
      '10¹² values, gzip',
      gzipSync(encodeIdx([10000, 10000, 10000], values(9))),
      [
        {
          found: 'a header that promises 1000000000000 values (10000 × 10000 × 10000)',
          expected: 'at most 536870912 values',
        },
      ],
    ],
    [
      '5 · 10⁸ values, gzip',
      gzipSync(encodeIdx([500, 1000, 1000], values(9))),
      [{ found: '25 bytes', expected: '500000016 bytes (500 × 1000 × 1000 and the header)', hint: cut }],
    ],
    [
      'a gzip bomb',
      gzipSync(encodeIdx([1, 1, 1], new Uint8Array(1e7))),
      [{ found: 'more than 17 bytes (inflated)', expected: '17 bytes' }],
    ],
  ])('is refused: %s', (_, bytes, problems) => {
    expect(left(decodeImages('x', bytes))).toEqual(problems.map((problem) => ({ path: 'x', ...problem })));
  });

  test('a missing file, a folder and a pipe are problems', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(left(await readImages(join(folder, 'none'))())).toEqual([
      { path: join(folder, 'none'), found: 'no such file', expected: 'an IDX file' },
    ]);
    expect(left(await readImages(folder)())).toEqual([
      { path: folder, found: 'a folder', expected: 'an IDX file' },
    ]);
    expect(left(await readImages(pipe)())).toEqual([
      { path: pipe, found: 'not a regular file', expected: 'an IDX file' },
    ]);
  });
});

describe('sources', () => {
  test('the bundled digits are 1,498 and 299 real images with labels', async () => {
    const { train, test } = right(await loadData('digits')());
    expect([train.size, test.size]).toEqual([1498, 299]);
    for (const set of [train, test]) {
      expect(set.shape).toEqual([8, 8, 1]);
      expect(set.examples.length).toBe(set.size * 64);
      expect(labelsOf(set)?.length).toBe(set.size);
      expect(set.examples.reduce((a, b) => Math.min(a, b))).toBe(0);
      expect(set.examples.reduce((a, b) => Math.max(a, b))).toBe(1);
      expect(new Set(Array.from(labelsOf(set) ?? [])).size).toBe(10);
    }
    expect(train.name).toBe('digits (train)');
    // The source lists its digits in order, and every sixth is in the test set.
    expect([...Array.from(labelsOf(train) ?? [])].slice(0, 8)).toEqual([0, 1, 2, 3, 4, 6, 7, 8]);
    expect([...Array.from(labelsOf(test) ?? [])].slice(0, 2)).toEqual([5, 1]);
  });

  test('a folder with MNIST names is read, relative to the root', async () => {
    const root = mkdtempSync(join(folder, 'root-'));
    const at = (name: string): string => join(root, name);
    writeFileSync(at('train-images-idx3-ubyte'), small);
    writeFileSync(at('t10k-images-idx3-ubyte.gz'), gzipSync(small));
    expect(labelsOf(right(await loadData('.', root)()).test)).toBeUndefined();
    writeFileSync(at('train-labels-idx1-ubyte'), encodeIdx([3], values(3)));
    expect(labelsOf(right(await loadData(root)()).train)).toEqual(values(3));
    writeFileSync(at('train-labels-idx1-ubyte'), encodeIdx([4], values(4)));
    expect(left(await loadData(root)())).toEqual([
      { path: at('train-labels-idx1-ubyte'), found: '4 labels', expected: '3 labels (one for each image)' },
    ]);
    rmSync(at('train-labels-idx1-ubyte'));
    writeFileSync(at('t10k-images-idx3-ubyte.gz'), gzipSync(encodeIdx([3, 4, 2], values(24))));
    expect(left(await loadData(root)())).toEqual([
      {
        path: root,
        found: expect.stringMatching(/\(test\) of shape \[4, 2, 1\]$/),
        expected: '[2, 4, 1], as the training set',
      },
    ]);
    rmSync(at('t10k-images-idx3-ubyte.gz'));
    expect(left(await loadData(root)())[0]).toMatchObject({
      found: 'no such file',
      expected: 't10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz',
    });
  });

  test('a single file gives up every sixth example', async () => {
    const { train, test } = right(await loadData(file('one.idx', encodeIdx([13, 1, 1], values(13))))());
    const bytes = (examples: Float32Array): number[] => [...examples].map((value) => Math.round(value * 255));
    expect(bytes(test.examples)).toEqual([values(13)[5], values(13)[11]]);
    expect(bytes(train.examples)).toEqual([...values(13)].filter((_, i) => i !== 5 && i !== 11));
    expect(left(await loadData(file('few.idx', small))())[0]).toMatchObject({
      found: '3 examples',
      expected: 'at least 6, since every 6th is held out',
    });
  });

  test('an unknown reference is answered with the nearest known name', async () => {
    expect(left(await loadData('digit', folder)())).toEqual([
      {
        path: 'data',
        found: '"digit", which does not exist',
        expected:
          'a file, a folder, or one of digits, circle, linear, sine, sphere, sprites, swiss-roll, torus',
        hint: 'did you mean "digits"?',
      },
    ]);
    expect(elementAt(left(await loadData('mnist', folder)()), 0).hint).toMatch(/^Nothing is downloaded/);
    expect(elementAt(left(await loadData('FashionMNIST', folder)()), 0).hint).toMatch(
      /^did you mean "fashion-mnist"\? Nothing is downloaded/,
    );
    for (const reference of ['', '\0', 'a/b/c'])
      expect(elementAt(left(await loadData(reference, folder)()), 0).hint).toBeUndefined();
  });
});
