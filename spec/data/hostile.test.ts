/** References and files that would hang, fill the memory or be something else than they say: counted before anything is read, and refused in a line. */
import { elementAt, entryOf } from '../../dsl/lookup.js';
import { execFileSync } from 'node:child_process';
import { mkdirSync, openSync, closeSync, ftruncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { read } from '../../data/dataset.js';
import { loadData } from '../../data/load.js';
import { nameOf, openData, pathOf } from '../../data/source.js';
import { left, right } from '../shared/either.js';
import { npy, npyHeader, testFolder } from './files.js';

const folder = testFolder('hostile');
const root = folder.path;
const problem = async (reference: string, options = {}) =>
  elementAt(left(await openData(reference, root, options)()), 0);

describe('references', () => {
  const table = 'a,b\n1,2\n3,4\n';

  test('a path that exists wins, whatever is in its name', async () => {
    folder.file('what?.csv', table);
    folder.file('a?labels=b', '5,6\n7,8\n');
    folder.file('50%.csv', table);
    folder.file('x=1&y.csv', table);
    for (const name of ['what?.csv', '50%.csv', 'x=1&y.csv'])
      expect(right(await loadData(`${name}?holdOut=0&labels=b`, root)()).train.examples).toEqual(
        Float32Array.of(1, 3),
      );
    expect(right(await openData('a?labels=b?holdOut=0', root)()).train.size).toBe(2);
    expect([nameOf('what?.csv?labels=b', root), pathOf('what?.csv?labels=b', root)]).toEqual([
      'what?.csv',
      join(root, 'what?.csv'),
    ]);
  });

  test('percent signs escape what would end a path or a value', async () => {
    folder.file('plain.csv', 'a&b,c\n1,2\n3,4\n');
    const { train } = right(await openData('plain.csv?labels=a%26b&holdOut=0', root)());
    expect(entryOf(train.fields ?? {}, 'a&b').classes).toEqual(['1', '3']);
    expect(right(await openData('what%3F.csv?holdOut=0', root)()).train.size).toBe(2);
  });

  test('a name of ours that is a path too is asked about', async () => {
    mkdirSync(join(root, 'digits'));
    folder.file('digits/0.csv', '');
    folder.file('circle', table);
    expect(await problem('digits?standardize')).toEqual({
      path: 'data',
      found: '"digits", which is a set of ours and a path here',
      expected: './digits for the path, or immersion:digits',
    });
    expect(right(await openData('immersion:digits', root)()).train.size).toBe(1498);
    expect(right(await openData('immersion:circle?count=5', root)()).train.size).toBe(5);
    expect(right(await openData('./circle?holdOut=0', root)()).train.size).toBe(2);
    expect((await problem('./digits')).found).toBe('no pictures');
  });

  test.each(['https://example.org/x.csv?raw=1', 's3://bucket/x.npy', 'file:///tmp/x.csv'])(
    '%s',
    async (reference) => {
      expect(await problem(reference)).toMatchObject({ path: 'data', expected: 'a path on this machine' });
    },
  );

  test('pipes and devices are refused before anything of them is read', async () => {
    execFileSync('mkfifo', [join(root, 'pipe.csv'), join(root, 'pipe')]);
    for (const reference of ['pipe.csv', 'pipe', '/dev/zero', '/dev/random?holdOut=0'])
      expect((await problem(reference)).found).toBe('a device or a pipe');
  });
});

describe('settings out of range', () => {
  test.each([
    ['immersion:circle?radius=1e300', 'circle?radius'],
    ['swiss-roll?scale=1e-300', 'swiss-roll?scale'],
    ['sine?amplitude=1e39', 'sine?amplitude'],
    ['torus?minor=-1', 'torus?minor'],
    ['sprites?size=256&count=16777216', 'sprites?count'],
  ])('%s names the setting', async (reference, path) => {
    expect((await problem(reference)).path).toBe(path);
  });

  test('holdOut where there is a test part, and one that holds out everything', async () => {
    const digits = await problem('immersion:digits?holdOut=3');
    expect(digits.path).toMatch(/\?holdOut$/);
    expect(digits.expected).toBe('no such setting where there is a test part');
    const path = folder.file('few.csv', '1\n2\n3\n');
    expect(await problem(path)).toMatchObject({ found: '3 examples', hint: 'holdOut=0 holds nothing out' });
    expect((await problem(`${path}?holdOut=1`)).expected).toBe(
      '0 to hold nothing out, or an integer from 2 on',
    );
    const { train, test: held } = right(await openData(`${path}?holdOut=0`)());
    expect([train.size, held.size]).toEqual([3, 0]);
  });
});

/** Resident bytes beyond those before. */
const growthOf = async (run: () => Promise<unknown>): Promise<number> => {
  const before = process.memoryUsage.rss();
  await run();
  return process.memoryUsage.rss() - before;
};

describe('sizes that lie', () => {
  test('labels of shape (2147483648, 0) in a small archive', async () => {
    const archive = zipSync({
      'x.npy': npy('f4', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
      'y.npy': npyHeader('<f4', [2147483648, 0]),
    });
    const path = folder.file('labels.npz', archive);
    const grown = await growthOf(async () => expect((await problem(path)).path).toBe(`${path}/y.npy`));
    expect(grown).toBeLessThan(2 ** 28);
  });

  test('an archive that unpacks to more than is free', async () => {
    const path = folder.file(
      'bomb.npz',
      zipSync({
        'x.npy': [Buffer.concat([npyHeader('<f4', [2 ** 22, 1]), Buffer.alloc(2 ** 24)]), { level: 9 }],
      }),
    );
    expect(await problem(path, { memory: 2 ** 23 })).toMatchObject({
      path,
      found: 'arrays that unpack to: 16.8 MB',
      expected: 'at most 8.39 MB, which are free',
    });
  });

  test('a table, packed or not, with more rows than there is memory for', async () => {
    const text = '1,2,3\n'.repeat(700_000);
    for (const path of [folder.file('long.csv', text), folder.file('long.csv.gz', gzipSync(text))])
      expect(await problem(path, { memory: 2 ** 23 })).toMatchObject({
        path,
        found: expect.stringMatching(/^more than \d+ rows of 3 numbers: /),
        expected: 'at most 8.39 MB, which are free',
      });
  });

  test('a packed table that unpacks to a thousand times as much', async () => {
    const path = folder.file('bomb.csv.gz', gzipSync(Buffer.alloc(2 ** 25, `${'0'.repeat(200)},2\n`)));
    const { found, expected } = await problem(path);
    expect([found, expected]).toEqual([
      expect.stringMatching(/^\d+ bytes that unpack to more than/),
      'a table, packed',
    ]);
  });

  test('150 million rows on disk stay there', async () => {
    const path = join(root, 'large.npy');
    const header = npyHeader('|u1', [150_000_000, 2]);
    const file = openSync(path, 'w');
    writeSync(file, header);
    ftruncateSync(file, header.length + 300_000_000);
    closeSync(file);
    const grown = await growthOf(async () => {
      const { train, test: held } = right(await openData(path)());
      expect([train.size, held.size]).toEqual([125_000_000, 25_000_000]);
      right(await read(train, [0, 124_999_999], new Float32Array(4))());
    });
    expect(grown).toBeLessThan(2 ** 28);
    expect((await loadData(path, root, { memory: 2 ** 28 })())._tag).toBe('Left');
  });

  test.each([
    ['a shape beyond all numbers', [2 ** 60, 2 ** 60]],
    ['a size of 0 beside a huge one', [2 ** 50, 0]],
  ])('%s', async (name, shape) => {
    const path = folder.file(`${name}.npy`, npyHeader('<f4', shape));
    expect((await problem(path)).path).toBe(path);
  });
});
