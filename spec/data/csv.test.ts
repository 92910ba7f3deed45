/** Tables are read exactly, or refused with the line and the column; standardisation is what it says. */
import { atLeast, elementAt, float32At } from '../../dsl/lookup.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import type { Either } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import { afterAll, describe, expect } from 'vitest';
import { type Dataset, inMemory, labelsOf } from '../../data/dataset.js';
import { assemble } from '../../data/parts.js';
import { tableSettings } from '../../data/readers/table/settings.js';
import { readTable } from '../../data/readers/table/table.js';
import { type ValuesOf, withDefaults } from '../../data/settings.js';
import { loadData } from '../../data/load.js';
import type { Problem } from '../../dsl/problem.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

type Given = Partial<ValuesOf<typeof tableSettings>>;
const path = join(folder, 't.csv');
/** All rows of a table in memory. */
const decode = async (
  text: string | Uint8Array,
  given: Given = {},
): Promise<Either<readonly Problem[], Dataset>> => {
  writeFileSync(path, text);
  const values = right(withDefaults(path, tableSettings, { holdOut: 0, ...given }));
  return pipe(
    readTable(path, values, {}),
    TaskEither.chain((found) => assemble(path, found, values, {})),
    TaskEither.chain(({ train }) => inMemory(train)),
  )();
};

const words = 'categories=onehot makes one-hot vectors of words, labels=COLUMN takes a column as classes';

const numbers = fc.float({ noNaN: true, noDefaultInfinity: true });
const tables = fc
  .integer({ min: 1, max: 5 })
  .chain((width) =>
    fc.array(fc.array(numbers, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }),
  );

describe('tables', () => {
  test.prop([
    tables,
    fc.boolean(),
    fc.boolean(),
    fc.constantFrom('\n', '\r\n'),
    fc.constantFrom(
      [',', 'comma'] as const,
      ['\t', 'tab'] as const,
      [';', 'semicolon'] as const,
      [' ', 'space'] as const,
    ),
    fc.boolean(),
  ])('what is written is read', async (rows, quoted, header, end, [delimiter, name], last) => {
    const field = (value: unknown): string => (quoted ? `"${value}"` : String(value));
    const names = elementAt(rows, 0).map((_, i) => field(quoted ? `a ""${delimiter}\n${i}` : `a${i}`));
    const lines = [...(header ? [names] : []), ...rows.map((row) => row.map(field))].map((line) =>
      line.join(delimiter),
    );
    const table = right(
      await decode(lines.join(end) + (last ? end : ''), {
        delimiter: name,
        decimal: 'point',
        header: header ? 'yes' : 'no',
        index: 'keep',
      }),
    );
    expect([...table.examples]).toEqual(rows.flat().map((value) => value + 0));
    expect([table.size, table.shape]).toEqual([rows.length, [elementAt(rows, 0).length]]);
  });

  test('a long field that is no number is refused as fast as it is read', async () => {
    const digits = '1'.repeat(300_000);
    const [{ found }] = atLeast(1, left(await decode(`1,2\n${digits}x,3`)));
    expect(found).toBe(`"${digits.slice(0, 80)}" in column 1`);
  });

  test('the delimiter is told by the first line', async () => {
    for (const text of ['1,2\n3,4', '1\t2\n3\t4', '1;2\n3;4', '1 2\n3 4', '\ufeffa,b\n1,2\n3,4\n\n'])
      expect([...right(await decode(text)).examples]).toEqual([1, 2, 3, 4]);
    expect([...right(await decode('  1   2 \n 3 4')).examples]).toEqual([1, 2, 3, 4]);
    expect([...right(await decode('\n\r\n1\t2\n3\t4')).examples]).toEqual([1, 2, 3, 4]);
  });

  test('spaces in the names of columns do not make it a space', async () => {
    const iris =
      'sepal length (cm),petal width (cm),kind of iris\n5.1,0.2,iris setosa\n7,1.4,iris versicolor';
    const table = right(await decode(iris, { labels: 'kind of iris' }));
    expect([...table.examples]).toEqual([5.1, 0.2, 7, 1.4].map(Math.fround));
    expect(labelsOf(table)).toEqual(Uint8Array.of(0, 1));
  });

  test('a first row of missing values is no header, one with an index that has no name is', async () => {
    for (const row of ['nan,NaN', ',', 'NA,?'])
      expect(elementAt(left(await decode(`${row}\n1,2`)), 0).found).toBe(
        '2 missing values: 1 in column 1, 1 in column 2; the first in line 1',
      );
    expect([...right(await decode(',x\n0,1\n1,2')).examples]).toEqual([1, 2]);
    expect([...right(await decode(',x\n0,1\n1,2', { index: 'keep' })).examples]).toEqual([0, 1, 1, 2]);
  });

  test('missing values are problems with line and column', async () => {
    expect(left(await decode('x,y\n1,2\n3,\n?,NA\n5,nan'))).toEqual([
      {
        path,
        found: '4 missing values: 1 in column 1 (x), 3 in column 2 (y); the first in line 3',
        expected: 'a value everywhere',
        hint: 'missing=drop leaves such rows out, missing=mask keeps them with a mask',
      },
    ]);
    expect(left(await decode('1,2\n\n3,4,5\n0x10,1e99'))).toEqual([
      { path: `${path}:3`, found: '3 fields', expected: '2, as in the first row' },
      { path: `${path}:4`, found: '"0x10" in column 1', expected: 'a finite number', hint: words },
    ]);
    expect(left(await decode('1,1e99\n2,3'))).toEqual([
      {
        path,
        found: '1e+99 in column 2',
        expected: 'a finite number in single precision',
        hint: 'standardize, which is done in double precision',
      },
    ]);
    expect(left(await decode(`a\n${'x\n'.repeat(100)}`))).toEqual([
      { path: `${path}:2`, found: '"x" in column 1 (a)', expected: 'a finite number', hint: words },
    ]);
    expect(left(await decode(`1\n${'1,2\n'.repeat(100)}`))).toHaveLength(5);
  });

  test.each([
    ['', 'no rows'],
    ['\n\n', 'no rows'],
    ['a,b\n', 'a header without rows'],
  ])('is refused: %j', async (text, found) => {
    expect(left(await decode(text))[0]).toMatchObject({ path, found });
  });

  test.each([
    ['1,"2\n3,4', 1, 'a quote that is never closed'],
    ['1,2\n3,"4', 2, 'a quote that is never closed'],
    ['1,2\n3,"4"5\n6,7', 2, 'a quote within a cell'],
  ])('is refused: %j', async (text, line, found) => {
    expect(left(await decode(text))[0]).toMatchObject({ path: `${path}:${line}`, found });
  });

  test('a column of labels is taken out, by name or by number', async () => {
    const text = 'x,kind,y\n1,b,2\n3,a,4\n5,b,6';
    const byName = right(await decode(text, { labels: 'kind' }));
    expect([...byName.examples]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(labelsOf(byName)).toEqual(Uint8Array.of(1, 0, 1));
    expect(right(await decode(text, { labels: '2', header: 'yes' }))).toEqual(byName);
    expect(left(await decode(text, { labels: 'kinds' }))[0]).toMatchObject({
      path: `${path}?labels`,
      expected: 'one of x, kind, y',
      hint: 'did you mean "kind"?',
    });
    expect(left(await decode(text.replace('a', ''), { labels: 'kind' }))).toEqual([
      { path: `${path}:3`, found: 'nothing in column 2 (kind)', expected: 'a class' },
    ]);
    // Classes that are numbers are in numeric order.
    expect(labelsOf(right(await decode('10,1\n9,2\n10,3', { labels: '1' })))).toEqual(Uint8Array.of(1, 0, 1));
  });

  test.prop([fc.uint8Array({ maxLength: 100 })])('no bytes make it throw or hang', async (bytes) => {
    await decode(bytes);
  });
});

describe('standardisation', () => {
  test.prop(
    [
      fc.array(fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 0, max: 9 })), {
        minLength: 250,
        maxLength: 600,
      }),
    ],
    { numRuns: 8 },
  )('gives the training set mean 0 and deviation 1, and the test set the same map', async (rows) => {
    const varied = [[-1, 0], [1, 9], ...rows];
    const path = file('s.csv', varied.map((row) => row.join()).join('\n'));
    const plain = right(await loadData(path)());
    const { train, test, preprocessing } = right(await loadData(`${path}?standardize`)());
    const scaling = preprocessing?.scaling;
    for (const column of [0, 1]) {
      const of = (examples: Float32Array) =>
        Array.from({ length: examples.length / 2 }, (_, i) => float32At(examples, 2 * i + column));
      const values = of(plain.train.examples);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
      expect(scaling?.mean[column]).toBeCloseTo(mean, 8);
      expect(scaling?.deviation[column]).toBeCloseTo(deviation, 8);
      const mapped = (examples: Float32Array) =>
        of(examples).map((value) => Math.fround((value - mean) / deviation));
      of(train.examples).forEach((value, i) =>
        expect(value).toBeCloseTo(elementAt(mapped(plain.train.examples), i), 5),
      );
      of(test.examples).forEach((value, i) =>
        expect(value).toBeCloseTo(elementAt(mapped(plain.test.examples), i), 5),
      );
    }
  });

  test('a constant column is a problem', async () => {
    const path = file('constant.csv', '1,7\n2,7\n3,7\n4,7\n5,7\n6,8');
    expect(left(await loadData(`${path}?standardize`)())[0]).toMatchObject({
      path,
      found: 'column 2 is 7 in every training example',
    });
    expect(elementAt(left(await loadData(`${path}?standardise`)()), 0).hint).toBe(
      'did you mean "standardize"?',
    );
  });
});
