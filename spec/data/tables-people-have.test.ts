/** Tables as pandas, numpy, Excel and hospitals write them are read as pandas and numpy read them, or something is asked. Figures are theirs. */
import { elementAt, entryOf } from '../../dsl/lookup.js';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { labelsOf } from '../../data/dataset.js';
import { loadData } from '../../data/load.js';
import { openData } from '../../data/source.js';
import { left, right } from '../shared/either.js';
import { npy, parquet, testFolder } from './files.js';

const folder = testFolder('tables');

const whole = async (name: string, bytes: Uint8Array | string, settings = '') => {
  const path = folder.file(name, bytes);
  return right(await loadData(`${path}?holdOut=0${settings}`)()).train;
};
const values = async (name: string, bytes: Uint8Array | string, settings = '') => {
  const { examples, shape } = await whole(name, bytes, settings);
  const width = elementAt(shape, 0);
  return Array.from({ length: examples.length / width }, (_, i) => [
    ...examples.subarray(i * width, (i + 1) * width),
  ]);
};
const refused = async (name: string, bytes: Uint8Array | string, settings = '') =>
  elementAt(left(await loadData(`${folder.file(name, bytes)}?holdOut=0${settings}`)()), 0);

/** The population's deviation, as numpy's `std`. */
const std = (all: readonly number[]): number => {
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  return Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length);
};

describe('headers and indices', () => {
  // pd.DataFrame(np.arange(12).reshape(4, 3) / 8 - 0.5)
  const counted = '0,1,2\n-0.5,-0.375,-0.25\n-0.125,0.0,0.125\n0.25,0.375,0.5\n0.625,0.75,0.875\n';
  const indexed = ',0,1,2\n0,-0.5,-0.375,-0.25\n1,-0.125,0.0,0.125\n2,0.25,0.375,0.5\n3,0.625,0.75,0.875\n';

  test('a first row that counts up is a header: 4 examples of deviation 0.4315', async () => {
    const rows = await values('counted.csv', counted);
    expect(rows).toHaveLength(4);
    expect(std(rows.flat())).toBeCloseTo(0.43150656619183286, 12);
    expect(await values('data.csv', counted, '&header=no')).toHaveLength(5);
    expect(await values('one.csv', '0\n0.5\n0.25\n')).toEqual([[0.5], [0.25]]);
  });

  test('names that count up from elsewhere are names, and a row of integers may do so by chance', async () => {
    const rows = '0.5,0.25,1,2\n1.5,3,0.75,4\n';
    for (const [i, names] of ['1,2,3,4', '2019,2020,2021,2022'].entries())
      expect(await values(`counted-${i}.csv`, `${names}\n${rows}`)).toEqual([
        [0.5, 0.25, 1, 2],
        [1.5, 3, 0.75, 4],
      ]);
    expect((await values('short.csv', '1,2,3\n7,5,1\n9,2,4\n'))[0]).toEqual([1, 2, 3]);
    expect((await values('series.csv', '3,4,5,6\n4,5,6,7\n'))[0]).toEqual([3, 4, 5, 6]);
  });

  test('an index of pandas that counts from elsewhere, is shuffled or of words is left out; one with a name is asked about', async () => {
    const indices = [
      ['100', '101', '102'],
      ['2', '0', '1'],
      ['r0', 'r1', 'r2'],
    ];
    for (const [i, index] of indices.entries())
      expect(
        await values(`index-${i}.csv`, `,a,b\n${index.map((name, row) => `${name},${row},5\n`).join('')}`),
      ).toEqual([
        [0, 5],
        [1, 5],
        [2, 5],
      ]);
    const named = folder.file('named.csv', 'id,a\n0,0.5\n1,0.25\n2,0.75\n');
    expect(left(await loadData(named)())[0]).toMatchObject({
      path: `${named}?index`,
      found: 'a first column "id" that counts the rows',
    });
    const twice = folder.file('twice.csv', ',a\n0,0.5\n0,0.25\n2,0.75\n');
    expect(left(await loadData(twice)())[0]?.found).toBe(
      'a first column without a name, in which values are repeated',
    );
  });

  test("pandas' index is left out, or kept on request", async () => {
    expect(std((await values('indexed.csv', indexed)).flat())).toBeCloseTo(0.43150656619183286, 12);
    expect((await values('kept.csv', indexed, '&index=keep'))[2]).toEqual([2, 0.25, 0.375, 0.5]);
    expect(await values('again.csv', 'Unnamed: 0,x\n0,5\n1,7\n')).toEqual([[5], [7]]);
  });

  test('without a header a column that counts the rows is asked about', async () => {
    const text = '0,0.5\n1,0.25\n2,0.75\n3,0.5\n';
    expect(await refused('bare.csv', text)).toMatchObject({
      found: 'no header, and a first column that counts the rows from 0',
      expected: 'index=drop if it is an index, index=keep if it is data',
    });
    expect(await values('bare.csv', text, '&index=drop')).toEqual([[0.5], [0.25], [0.75], [0.5]]);
    expect((await values('bare.csv', text, '&index=keep'))[3]).toEqual([3, 0.5]);
  });

  test('names among years, above numbers, are a header', async () => {
    expect(await values('years.csv', 'x,1990,1991\n1,2,3\n4,5,6\n')).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });
});

describe('tables by other names', () => {
  const semicolons = 'Zeit;Druck\n0,5;1013,25\n1,5;1013,5\n2,5;1012\n';
  const expected = [
    [0.5, 1013.25],
    [1.5, 1013.5],
    [2.5, 1012],
  ];

  test.each(['a.txt', 'a.data', 'a', 'a.CSV', 'a.tsv', 'a.npy.bak'])(
    '%s is read by what it holds',
    async (name) => {
      expect(await values(name, semicolons)).toEqual(expected);
    },
  );

  test('semicolons with decimal commas, as pd.read_csv(sep=";", decimal=",") has it', async () => {
    expect(await values('de.csv', semicolons)).toEqual(expected);
    expect(await values('de.csv', 'a\tb\n1,5\t2,25\n', '&decimal=comma')).toEqual([[1.5, 2.25]]);
    // Between tabs 1,234 may be a thousand: it is asked about.
    expect(await refused('us.csv', 'a\tb\n1,234\t2,345\n')).toMatchObject({ expected: 'a finite number' });
    expect(await values('pipe.csv', 'a|b\n1|2\n')).toEqual([[1, 2]]);
  });

  test('.csv.gz', async () => {
    expect(await values('a.csv.gz', gzipSync(semicolons))).toEqual(expected);
    const cut = gzipSync(semicolons.repeat(3000)).subarray(0, 200);
    expect((await refused('cut.csv.gz', cut)).found).toMatch(/^corrupt gzip data/);
  });

  test('quotes after spaces', async () => {
    expect(await values('quotes.csv', '"a", "b", "c"\n1, 2.5, "3"\n4, 5.5, "6"\n')).toEqual([
      [1, 2.5, 3],
      [4, 5.5, 6],
    ]);
  });

  test("savetxt's header", async () => {
    const text = '# a b c\n1.500000000000000000e+00 2.0e+00 3.0e+00\n4.0e+00 5.0e+00 6.25e+00\n';
    expect(await values('savetxt.txt', text)).toEqual([
      [1.5, 2, 3],
      [4, 5, 6.25],
    ]);
    expect(entryOf((await whole('named.txt', text, '&labels=b')).fields ?? {}, 'b').classes).toEqual([
      '2.0e+00',
      '5.0e+00',
    ]);
  });

  test.each([
    ['utf16le', Buffer.from('\ufeffgröße,b\n1.5,2\n3,4\n', 'utf16le')],
    ['utf16be', Buffer.from('\ufeffgröße,b\n1.5,2\n3,4\n', 'utf16le').swap16()],
    ['latin1', Buffer.from('größe,b\n1.5,2\n3,4\n', 'latin1')],
    ['utf8 with a mark', Buffer.from('\ufeffgröße,b\n1.5,2\n3,4\n')],
  ])('%s', async (name, bytes) => {
    const split = right(await openData(`${folder.file(`${name}.csv`, bytes)}?holdOut=0`)());
    expect(split.preprocessing?.columns?.map((column) => column.name)).toEqual(['größe', 'b']);
    expect(await values(`${name}.csv`, bytes)).toEqual([
      [1.5, 2],
      [3, 4],
    ]);
  });

  test.each([
    ['page.csv', '<!DOCTYPE html><html></html>', 'a page of HTML or XML'],
    ['table.csv', '{"a": [1, 2]}', 'JSON'],
    [
      'sheet.xlsx',
      Buffer.from(`PK\x03\x04${'\0'.repeat(22)}\x13\0\0\0[Content_Types].xml`, 'latin1'),
      'an Excel sheet',
    ],
    ['x.bin', Buffer.from([0x93, 0, 1, 2]), 'a file that begins with the bytes 93 00 01 02'],
    ['x.h5', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), 'an HDF5 file'],
    ['model.pkl', Buffer.from('\x80\x04\x95', 'latin1'), 'a Python pickle'],
    ['x', '', 'an empty file'],
  ])('%s is said to be what it looks like', async (name, bytes, found) => {
    const problem = elementAt(left(await loadData(folder.file(`other/${name}`, bytes))()), 0);
    if (!name.endsWith('.csv')) expect(problem.found).toBe(found);
    else expect(problem.found.length).toBeGreaterThan(0);
  });
});

describe('columnar files', () => {
  test("are tables: pyarrow's own file, by its names, with classes, missing values and one-hot vectors", async () => {
    expect(await values('t.parquet', parquet, '&categories=onehot&missing=drop')).toEqual([
      [1.5, 1, 1, 0],
      [2.5, 2, 0, 1],
      [3.25, 3, 1, 0],
    ]);
    expect(await refused('t.parquet', parquet, '&labels=kind')).toMatchObject({
      found: '1 missing value: 1 in column 1 (x); the first in line 4',
    });
    const set = await whole('t.parquet', parquet, '&labels=kind&missing=mask');
    expect([entryOf(set.fields ?? {}, 'kind').classes, labelsOf(set)]).toEqual([
      ['a', 'b'],
      Uint8Array.of(0, 1, 0, 1),
    ]);
    expect([...(entryOf(set.fields ?? {}, 'mask').values ?? [])]).toEqual([1, 1, 1, 1, 1, 1, 0, 1]);
    expect((await refused('cut.parquet', parquet.subarray(0, 300))).path).toMatch(/cut\.parquet$/);
    expect((await refused('x.arrow', Buffer.from('ARROW1\0\0'))).found).toBe('an Arrow file');
  });
});

describe('missing and categorical cells', () => {
  const people = 'age,kind,h\n30,a,1.5\n,b,1.75\n50,,2\n40,a,NA\n';

  test('are refused with the count by column', async () => {
    expect(await refused('people.csv', people, '&categories=onehot')).toMatchObject({
      found:
        '3 missing values: 1 in column 1 (age), 1 in column 2 (kind), 1 in column 3 (h); the first in line 3',
      hint: 'missing=drop leaves such rows out, missing=mask keeps them with a mask',
    });
    expect(await refused('words.csv', 'x,kind\n1,a\n2,b\n')).toMatchObject({
      found: '"a" in column 2 (kind)',
      hint: 'categories=onehot makes one-hot vectors of words, labels=COLUMN takes a column as classes',
    });
  });

  test('missing=drop keeps what df.dropna() keeps', async () => {
    expect(await values('people.csv', people, '&categories=onehot&missing=drop')).toEqual([[30, 1, 0, 1.5]]);
  });

  test('missing=mask has 0 and a mask, and means of what is there: 40 and 1.75, deviations 8.165 and 0.2041', async () => {
    const path = folder.file('people.csv', people);
    const split = right(await loadData(`${path}?holdOut=0&categories=onehot&missing=mask&standardize`)());
    const { scaling, columns, missing } = split.preprocessing ?? {};
    expect([missing, columns?.[1]]).toEqual([
      'mask',
      { tag: 'category', name: 'kind', categories: ['a', 'b'] },
    ]);
    expect(scaling?.mean).toEqual([40, 0, 0, 1.75]);
    expect(scaling?.deviation[0]).toBeCloseTo(8.16496580927726, 12);
    expect(scaling?.deviation[3]).toBeCloseTo(0.2041241452319315, 12);
    const mask = split.train.fields?.['mask'];
    expect(mask).toMatchObject({ shape: [4], type: 'float' });
    expect([...(mask?.values ?? [])]).toEqual([1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0]);
    const [first, second] = [split.train.examples.subarray(0, 4), split.train.examples.subarray(4, 8)];
    expect([...first]).toEqual([-10 / 8.16496580927726, 1, 0, -0.25 / 0.2041241452319315].map(Math.fround));
    expect([...second]).toEqual([0, 0, 1, 0]);
  });

  test('one-hot vectors of named columns, numbers among them', async () => {
    expect(await values('n.csv', 'x,n\n5,10\n6,9\n', '&categories=n')).toEqual([
      [5, 0, 1],
      [6, 1, 0],
    ]);
  });

  test('a NaN in row 2,990 of 3,000 of an array is found when it is opened', async () => {
    const numbers = Array.from({ length: 3000 }, (_, i) => (i === 2990 ? NaN : i / 7));
    const path = folder.file('late.npy', npy('f4', [3000, 1], numbers));
    expect(left(await openData(path)())[0]).toMatchObject({
      path,
      found: '1 missing value in element 1 of 1; the first in example 2990 (element 1 of 1)',
    });
    expect(right(await openData(`${path}?missing=drop&holdOut=0`)()).train.size).toBe(2999);
    const masked = entryOf(
      right(await openData(`${path}?missing=mask&holdOut=0`)()).train.fields ?? {},
      'mask',
    ).values;
    expect([masked?.[2989], masked?.[2990]]).toEqual([1, 0]);
  });
});

describe('labels and other columns', () => {
  const penguins = 'x,species,island,y,w\n1,Adelie,Dream,2,.5\n3,Gentoo,Biscoe,4,1\n5,Adelie,Torgersen,6,2\n';

  test('several columns of classes with their names, as pandas codes them, and numbers kept beside', async () => {
    const set = await whole('penguins.csv', penguins, '&labels=species,island&fields=w');
    expect([...set.examples]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(set.fields?.['species']).toMatchObject({
      type: 'integer',
      shape: [],
      classes: ['Adelie', 'Gentoo'],
    });
    expect([...(entryOf(set.fields ?? {}, 'species').values ?? [])]).toEqual([0, 1, 0]);
    expect(entryOf(set.fields ?? {}, 'island').classes).toEqual(['Biscoe', 'Dream', 'Torgersen']);
    expect([...(entryOf(set.fields ?? {}, 'island').values ?? [])]).toEqual([1, 0, 2]);
    expect(set.fields?.['w']).toMatchObject({ type: 'float', values: Float32Array.of(0.5, 1, 2) });
    expect(labelsOf(set)).toEqual(Uint8Array.of(0, 1, 0));
  });

  test('stay with their rows where some are held out', async () => {
    const path = folder.file('penguins.csv', penguins);
    const {
      train,
      test: held,
      preprocessing,
    } = right(await openData(`${path}?holdOut=2&labels=2,3&fields=w`)());
    expect([labelsOf(train), labelsOf(held)]).toEqual([Uint8Array.of(0, 0), Uint8Array.of(1)]);
    expect(entryOf(held.fields ?? {}, 'w').values).toEqual(Float32Array.of(1));
    expect(preprocessing?.labels).toEqual([
      { field: 'species', classes: ['Adelie', 'Gentoo'] },
      { field: 'island', classes: ['Biscoe', 'Dream', 'Torgersen'] },
    ]);
  });
});

describe('new rows', () => {
  test('are read by name under what was fitted before, whatever their order and whatever else there is', async () => {
    const old = folder.file('old.csv', 'a,kind,b,class\n1,x,10,p\n3,y,30,q\n5,x,50,p\n');
    const { preprocessing } = right(
      await openData(`${old}?holdOut=0&standardize&categories=onehot&labels=class`)(),
    );
    if (preprocessing === undefined) throw new Error('a preprocessing was expected');
    const fresh = folder.file('new.csv', 'extra,b,a,kind\nz,30,3,y\n');
    const opened = right(await loadData(fresh, folder.path, { preprocessing })());
    expect([opened.train.size, opened.test.size]).toEqual([1, 0]);
    expect([...opened.train.examples]).toEqual([0, 0, 1, 0]);
    const wrong = folder.file('wrong.csv', 'b,A,kind\n30,3,z\n');
    expect(left(await loadData(wrong, folder.path, { preprocessing })())[0]).toMatchObject({
      found: 'no column "a"',
      hint: 'did you mean "A"?',
    });
    const unknown = folder.file('unknown.csv', 'a,b,kind\n30,3,z\n');
    expect(left(await loadData(unknown, folder.path, { preprocessing })())[0]).toMatchObject({
      path: `${unknown}:2`,
      found: '"z" in column 3 (kind)',
      expected: 'one of x, y',
    });
  });
});

describe('single precision', () => {
  test('a column whose spread is near its spacing is named, unless it is standardised', async () => {
    const numbers = Array.from({ length: 1000 }, (_, i) => [101325 + 0.002 * Math.sin(i), i % 7]).flat();
    const path = folder.file('pressure.npy', npy('f8', [1000, 2], numbers));
    expect(left(await openData(path)())[0]).toMatchObject({
      path,
      found: 'element 1 of 2 with values near 101325 and a deviation of 0.00141',
      hint: 'standardize, which is done in double precision',
    });
    expect(right(await openData(`${path}?standardize`)()).train.size).toBe(834);
    const text = `t,p\n${Array.from({ length: 100 }, (_, i) => `${i / 3},${101325 + 0.002 * Math.sin(i)}`).join('\n')}`;
    expect((await refused('pressure.csv', text)).found).toMatch(/^column 2 \(p\) with values near 101325/);
    // Integers that single precision has are told apart, however close.
    expect(await values('exact.csv', 'a\n8388608\n8388609\n')).toEqual([[8388608], [8388609]]);
  });
});

test('millions of cells and thousands of columns are read as they come', async () => {
  const wide = `${Array.from({ length: 70_000 }, (_, i) => `c${i}`).join()}\n${Array.from({ length: 70_000 }, (_, i) => i % 10).join()}\n`;
  const set = await whole('wide.csv', wide);
  expect([set.shape, set.examples[69_999]]).toEqual([[70_000], 9]);
});

describe('Parquet', () => {
  // pq.write_table(pa.table({'x': [1.5, 2.5, 3.25]}), compression=…), pyarrow 26
  const packed = {
    gzip: [
      'UEFSMRUAFTwVTCwVBhUAFQYVBhwAAAAfiwgAAAAAAAIDY2JgYGBjZACDH/YQmsUBQnM5AADq+/g2HgAAABUEGSw1AB',
      'gGc2NoZW1hFQIAFQolAhgBeAAWBhkcGRwmABwVChklBgAZGAF4FQQWBhZiFnImCEkcFQAVABUCADwpBhkmAAYAAAAW',
      'YhYGJggWcgAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGRwcAAAAegAAAFBBUjE=',
    ].join(''),
    brotli: [
      'UEFSMRUAFTwVOCwVBhUAFQYVBhwAAAAbHQAABNxkhzGDtUip0aZAEkpmUYh0AyP0d1K3FQQZLDUAGAZzY2hlbWEVAg',
      'AVCiUCGAF4ABYGGRwZHCYAHBUKGSUGABkYAXgVCBYGFmIWXiYISRwVABUAFQIAPCkGGSYABgAAABZiFgYmCBZeACgg',
      'cGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZHBwAAAB6AAAAUEFSMQ==',
    ].join(''),
  };

  test('columns packed by gzip and brotli', async () => {
    for (const [codec, text] of Object.entries(packed))
      expect(await values(`${codec}.parquet`, Buffer.from(text, 'base64'))).toEqual([[1.5], [2.5], [3.25]]);
  });
});
