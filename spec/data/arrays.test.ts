/** NumPy's files are read exactly, whatever their type, order and version, or refused with what was found. */
import { atLeast, elementAt, entryOf, float32At, uint32At } from '../../dsl/lookup.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import * as Either from 'fp-ts/lib/Either.js';
import { zipSync, type Zippable } from 'fflate';
import { afterAll, describe, expect } from 'vitest';
import { inMemory, labelsOf } from '../../data/dataset.js';
import { decodeNpy, npyExamples } from '../../data/readers/npy.js';
import { loadData } from '../../data/load.js';
import { openData } from '../../data/source.js';
import { zipEntries } from '../../data/readers/zip.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-arrays-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const file = (extension: string, bytes: Uint8Array): string => {
  const path = join(folder, `${files++}${extension}`);
  writeFileSync(path, bytes);
  return path;
};

const halfBits = (value: number): number => {
  const single = uint32At(new Uint32Array(Float32Array.of(value).buffer), 0);
  return value === 0
    ? 0
    : ((single >>> 16) & 0x8000) | ((((single >>> 23) & 255) - 112) << 10) | ((single >>> 13) & 1023);
};

type Writer = {
  readonly bytes: number;
  readonly put: (view: DataView, at: number, value: number, little: boolean) => void;
};
/** Writers of every type; integers −100 … 100 (0 … 100 without sign, 0 and 1 for bool) are exact in all. */
const writers: Readonly<Record<string, Writer>> = {
  b1: { bytes: 1, put: (view, at, value) => view.setUint8(at, value) },
  i1: { bytes: 1, put: (view, at, value) => view.setInt8(at, value) },
  u1: { bytes: 1, put: (view, at, value) => view.setUint8(at, value) },
  i2: { bytes: 2, put: (view, at, value, little) => view.setInt16(at, value, little) },
  u2: { bytes: 2, put: (view, at, value, little) => view.setUint16(at, value, little) },
  i4: { bytes: 4, put: (view, at, value, little) => view.setInt32(at, value, little) },
  u4: { bytes: 4, put: (view, at, value, little) => view.setUint32(at, value, little) },
  i8: { bytes: 8, put: (view, at, value, little) => view.setBigInt64(at, BigInt(value), little) },
  u8: { bytes: 8, put: (view, at, value, little) => view.setBigUint64(at, BigInt(value), little) },
  f2: { bytes: 2, put: (view, at, value, little) => view.setUint16(at, halfBits(value), little) },
  f4: { bytes: 4, put: (view, at, value, little) => view.setFloat32(at, value, little) },
  f8: { bytes: 8, put: (view, at, value, little) => view.setFloat64(at, value, little) },
};

type Npy = {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** In C order. */
  readonly values: readonly number[];
  readonly fortran?: boolean;
  readonly big?: boolean;
  readonly version?: number;
};

/** Position in Fortran order of the element at a position in C order. */
const fortranPlace = (shape: readonly number[], place: number): number => {
  const index = shape.map(
    (size, axis) => Math.floor(place / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % size,
  );
  return index.reduce((sum, i, axis) => sum + i * shape.slice(0, axis).reduce((a, b) => a * b, 1), 0);
};

const encodeNpy = ({ dtype, shape, values, fortran = false, big = false, version = 1 }: Npy): Uint8Array => {
  const { bytes, put } = entryOf(writers, dtype);
  const mark = bytes === 1 ? '|' : big ? '>' : '<';
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${mark}${dtype}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${tuple}), }`;
  const start = version === 1 ? 10 : 12;
  const header = `${text.padEnd(64 * Math.ceil((start + text.length + 1) / 64) - start - 1)}\n`;
  const all = Buffer.alloc(start + header.length + bytes * values.length);
  all.write('\x93NUMPY', 'latin1');
  all[6] = version;
  if (version === 1) all.writeUInt16LE(header.length, 8);
  else all.writeUInt32LE(header.length, 8);
  all.write(header, start, 'latin1');
  const view = new DataView(all.buffer, all.byteOffset + start + header.length);
  values.forEach((value, place) =>
    put(view, bytes * (fortran ? fortranPlace(shape, place) : place), value, !big),
  );
  return all;
};

const kept = (dtype: string, value: number): number =>
  dtype === 'b1' ? Math.abs(value) % 2 : dtype.startsWith('u') ? Math.abs(value) : value;

const arrays = fc
  .record({
    dtype: fc.constantFrom(...Object.keys(writers)),
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }),
    fortran: fc.boolean(),
    big: fc.boolean(),
    version: fc.integer({ min: 1, max: 3 }),
    numbers: fc.infiniteStream(fc.integer({ min: -100, max: 100 })),
  })
  .map(({ numbers, ...rest }) => ({
    ...rest,
    values: [...numbers.take(rest.shape.reduce((a, b) => a * b, 1))].map(
      (value) => kept(rest.dtype, value) + 0,
    ),
  }));

const counting = (dtype: string, ...shape: readonly number[]): Npy => ({
  dtype,
  shape,
  values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i % 100),
});
const small = encodeNpy(counting('f4', 4, 3));
const npz = (entries: Readonly<Record<string, Npy>>, level: 0 | 6 = 6): Uint8Array =>
  zipSync(
    Object.fromEntries(
      Object.entries(entries).map(([key, of]): [string, Zippable[string]] => [
        `${key}.npy`,
        [encodeNpy(of), { level }],
      ]),
    ),
  );

describe('npy', () => {
  test.prop([arrays])('what is written is read, from memory and by row from the file', async (npy) => {
    const bytes = encodeNpy(npy);
    const source = right(npyExamples('x', right(decodeNpy('x', bytes)), true)).source;
    const dataset = right(await inMemory(source)());
    expect([...dataset.examples]).toEqual(npy.values);
    expect(dataset.size).toBe(npy.shape[0]);
    expect(dataset.shape).toEqual(npy.shape.length === 3 ? [...npy.shape.slice(1), 1] : npy.shape.slice(1));
    if (elementAt(npy.shape, 0) < 2) return;
    const path = file('.npy', bytes);
    const streamed = right(await openData(`${path}?raw&holdOut=2`)());
    const loaded = right(await loadData(`${path}?raw&holdOut=2`)());
    expect(right(await inMemory(streamed.train)()).examples).toEqual(loaded.train.examples);
    expect(loaded.train.size + loaded.test.size).toBe(npy.shape[0]);
  });

  test('every half-precision number is read as single precision has it', async () => {
    const bits = Array.from({ length: 2 ** 16 }, (_, i) => i).filter((i) => ((i >> 10) & 31) < 31);
    const bytes = encodeNpy({ dtype: 'f2', shape: [bits.length, 1], values: bits.map(() => 0) });
    new Uint16Array(bytes.buffer, bytes.byteOffset + bytes.length - 2 * bits.length).set(bits);
    const read = right(
      await inMemory(right(npyExamples('x', right(decodeNpy('x', bytes)), false)).source)(),
    ).examples;
    const wrong = bits.filter((half, i) => {
      const subnormal = ((half >> 10) & 31) === 0;
      return subnormal
        ? Math.abs(float32At(read, i)) !== (half & 1023) * 2 ** -24
        : halfBits(float32At(read, i)) !== half;
    });
    expect(wrong).toEqual([]);
  });

  test('bytes become 0 … 1', async () => {
    const path = file('.npy', encodeNpy({ dtype: 'u1', shape: [2, 1, 1], values: [51, 255] }));
    expect(right(await loadData(`${path}?holdOut=2`)()).test.examples).toEqual(Float32Array.of(1));
    expect(right(await loadData(`${path}?holdOut=2`)()).train.examples).toEqual(Float32Array.of(51 / 255));
    expect(right(await loadData(`${path}?holdOut=2&raw`)()).train.examples).toEqual(Float32Array.of(51));
  });

  test('a file cut at any byte is a problem, in memory and on disk', async () => {
    for (let end = 0; end < small.length; end++)
      expect(elementAt(left(decodeNpy('x', small.subarray(0, end))), 0).path).toBe('x');
    for (const end of [0, 5, 11, 60, 130]) {
      const path = file('.npy', small.subarray(0, end));
      expect(elementAt(left(await loadData(path)()), 0).path).toBe(path);
    }
  });

  test.prop([fc.uint8Array({ maxLength: 200 }), fc.boolean()])('no bytes make it throw', (bytes, asNpy) => {
    decodeNpy('x', asNpy ? Uint8Array.from([...small.subarray(0, 10), ...bytes]) : bytes);
  });

  const header = (text: string): Uint8Array => {
    const bytes = Buffer.alloc(10 + text.length);
    bytes.write('\x93NUMPY\x01\x00', 'latin1');
    bytes.writeUInt16LE(text.length, 8);
    bytes.write(text, 10, 'latin1');
    return bytes;
  };
  test.each([
    ['no magic', Buffer.from('PK\x03\x04'), '"PK\\u0003\\u0004" as its first bytes', 'an npy file'],
    [
      'objects',
      header("{'descr': '|O', 'fortran_order': False, 'shape': (3,)}"),
      'values of type "|O"',
      /^one of b1/,
    ],
    [
      'records',
      header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}"),
      'a structured array',
      /^one of b1/,
    ],
    [
      'a huge claim',
      header("{'descr': '<f8', 'fortran_order': True, 'shape': (1000000, 1000000)}"),
      /^\d+ bytes$/,
      /^8000000000078 bytes \(1000000 × 1000000 of f8/,
    ],
    ['nonsense', header('{}'), 'the header "{}"', 'descr, fortran_order and shape'],
    [
      'a newer version',
      Uint8Array.from(small, (byte, i) => (i === 6 ? 9 : byte)),
      'version 9 of the npy format',
      'version 1, 2 or 3',
    ],
  ])('is refused: %s', (_, bytes, found, expected) => {
    const as = (text: string | RegExp): unknown =>
      typeof text === 'string' ? text : expect.stringMatching(text);
    expect(left(decodeNpy('x', bytes))[0]).toMatchObject({
      path: 'x',
      found: as(found),
      expected: as(expected),
    });
  });

  test('numbers that are not finite, and arrays without examples, are problems', async () => {
    const nan = file('.npy', encodeNpy({ dtype: 'f8', shape: [6, 1], values: [0, 1, NaN, 3, 4, 5] }));
    expect(left(await loadData(nan)())).toEqual([
      {
        path: nan,
        found: '1 missing value in element 1 of 1; the first in example 2 (element 1 of 1)',
        expected: 'a value everywhere',
        hint: 'missing=drop leaves such examples out, missing=mask keeps them with a mask',
      },
    ]);
    const huge = file('.npy', encodeNpy({ dtype: 'f8', shape: [6, 1], values: [0, 1, 2, 3, 1e300, 5] }));
    expect(left(await loadData(huge)())[0]).toMatchObject({
      found: '1e+300 in element 1 of 1',
      expected: 'a finite number in single precision',
    });
    const infinite = file(
      '.npy',
      encodeNpy({ dtype: 'f4', shape: [6, 1], values: [0, 1, 2, -Infinity, 4, 5] }),
    );
    expect(elementAt(left(await loadData(infinite)()), 0).found).toBe(
      '-Infinity in example 3 (element 1 of 1)',
    );
    const flat = file('.npy', encodeNpy(counting('f4', 6)));
    expect(elementAt(left(await loadData(flat)()), 0).found).toBe('an array of shape (6)');
  });
});

describe('npz', () => {
  test.each([
    ['train', 'test', 'val', 'y'],
    ['x_train', 'x_test', 'x_val', 'y_train'],
    ['train_images', 'test_images', 'validation_images', 'train_labels'],
    ['X_train', 'X_test', 'X_valid', 'Y_train'],
  ])('parts are found by their names: %s', async (train, test, validation, labels) => {
    for (const level of [0, 6] as const) {
      const parts = {
        [train]: counting('f4', 5, 2),
        [test]: counting('f8', 3, 2),
        [validation]: counting('f2', 2, 2),
      };
      const path = file('.npz', npz({ ...parts, [labels]: counting('i8', 5) }, level));
      const data = right(await loadData(path)());
      expect([data.train.size, data.test.size, data.validation?.size]).toEqual([5, 3, 2]);
      expect([...data.train.examples]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      if (labels !== 'y') expect(labelsOf(data.train)).toEqual(Uint8Array.of(0, 1, 2, 3, 4));
      expect(labelsOf(data.test)).toBeUndefined();
    }
  });

  test('the way Keras stores MNIST: bytes without a channel axis', async () => {
    const arrays = {
      x_train: counting('u1', 4, 3, 3),
      y_train: counting('u1', 4),
      x_test: counting('u1', 2, 3, 3),
      y_test: counting('u1', 2),
    };
    const data = right(await loadData(file('.npz', npz(arrays)))());
    expect(data.train.shape).toEqual([3, 3, 1]);
    expect(data.train.examples[5]).toBe(Math.fround(5 / 255));
    expect(labelsOf(data.test)).toEqual(Uint8Array.of(0, 1));
  });

  test('one array is split; a choice is asked for, and checked', async () => {
    const one = file('.npz', npz({ arr_0: counting('f4', 12, 2), y: counting('i4', 12) }));
    const data = right(await loadData(`${one}?holdOut=4`)());
    expect([data.train.size, data.test.size]).toEqual([9, 3]);
    expect(labelsOf(data.test)).toEqual(Uint8Array.of(3, 7, 11));
    const two = file(
      '.npz',
      npz({ a: counting('f4', 12, 2), b: counting('f4', 12, 3), kinds: counting('i4', 12) }),
    );
    expect(left(await loadData(two)())[0]).toMatchObject({
      found: 'the arrays a, b, kinds',
      hint: expect.stringContaining('key=NAME'),
    });
    expect(labelsOf(right(await loadData(`${two}?key=b&labels=kinds`)()).train)?.length).toBe(10);
    expect(left(await loadData(`${two}?key=c`)())[0]).toMatchObject({
      found: 'no array "c"',
      expected: 'one of a, b, kinds',
    });
  });

  test('labels that do not fit are problems', async () => {
    const path = file('.npz', npz({ x: counting('f4', 12, 2), y: counting('f4', 11) }));
    expect(left(await loadData(path)())[0]).toMatchObject({
      found: 'labels of shape (11)',
      expected: '(12,), one for each example',
    });
    expect(labelsOf(right(await loadData(`${path}?labels=none`)()).train)).toBeUndefined();
    const half = file(
      '.npz',
      npz({ x: counting('f4', 12, 2), y: { dtype: 'f4', shape: [12], values: Array(12).fill(0.5) } }),
    );
    expect(left(await loadData(half)())[0]).toMatchObject({ found: 'the label 0.5' });
  });

  test('parts of two shapes are a problem', async () => {
    const path = file('.npz', npz({ train: counting('f4', 4, 2), test: counting('f4', 4, 3) }));
    expect(left(await loadData(path)())[0]).toMatchObject({
      path,
      found: expect.stringContaining('of shape [3]'),
      expected: '[2], as the training set',
    });
  });
});

describe('zip', () => {
  const archive = npz({ x: counting('f4', 12, 2) });

  test('a flipped bit is found or does no harm', async () => {
    const read = async (bytes: Uint8Array) => {
      const entries = zipEntries('x', bytes);
      if (Either.isLeft(entries)) return entries;
      const found = entries.right.find(({ name }) => name === 'x.npy');
      return found === undefined ? Either.left([]) : found.bytes();
    };
    const intact = right(await read(archive));
    for (let at = 0; at < archive.length; at++) {
      const flipped = await read(archive.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte)));
      if (Either.isRight(flipped)) expect(Buffer.compare(flipped.right, intact)).toBe(0);
    }
  });

  test('a cut archive is a problem', () => {
    for (let end = 0; end < archive.length; end += 3)
      expect(Either.isLeft(zipEntries('x', archive.subarray(0, end)))).toBe(true);
  });

  test('an entry that promises less than it holds is not inflated further', async () => {
    const bomb = zipSync({ 'x.npy': [new Uint8Array(5e6), { level: 9 }] });
    const view = new DataView(bomb.buffer, bomb.byteOffset);
    const central = Buffer.from(bomb.buffer, bomb.byteOffset, bomb.length).indexOf('PK\x01\x02', 0, 'latin1');
    view.setUint32(central + 24, 100, true);
    const [entry] = atLeast(1, right(zipEntries('x', bomb)));
    expect(left(await entry.bytes())[0]).toMatchObject({
      path: 'x/x.npy',
      expected: 'an intact zip archive',
    });
    view.setUint32(central + 24, 0xfffffff0, true);
    const [larger] = atLeast(1, right(zipEntries('x', bomb)));
    expect(elementAt(left(await larger.bytes()), 0).found).toBe('an entry that promises 4294967280 bytes');
  });
});
