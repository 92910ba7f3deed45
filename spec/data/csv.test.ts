/** Tables are read exactly, or refused with the line and the column; standardisation is what it says. */
import { elementAt, float32At } from '../../dsl/lookup.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { labelsOf } from '../../data/dataset.js';
import { csvSettings, decodeCsv } from '../../data/readers/csv.js';
import { withDefaults } from '../../data/settings.js';
import { loadData } from '../../data/source.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

type Given = Parameters<typeof withDefaults<typeof csvSettings>>[2];
const decode = (text: string, given: Given = {}) =>
  decodeCsv('t.csv', new TextEncoder().encode(text), right(withDefaults('t.csv', csvSettings, given)));

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
  ])('what is written is read', (rows, quoted, header, end, [delimiter, name], last) => {
    const field = (value: unknown): string => (quoted ? `"${value}"` : String(value));
    const names = elementAt(rows, 0).map((_, i) => field(quoted ? `a ""${delimiter}\n${i}` : `a${i}`));
    const lines = [...(header ? [names] : []), ...rows.map((row) => row.map(field))].map((line) =>
      line.join(delimiter),
    );
    const table = right(decode(lines.join(end) + (last ? end : ''), { delimiter: name }));
    expect([...table.examples]).toEqual(rows.flat().map((value) => value + 0));
    expect([table.size, table.shape]).toEqual([rows.length, [elementAt(rows, 0).length]]);
  });

  test('a long field that is no number is refused as fast as it is read', () => {
    const digits = '1'.repeat(300_000);
    const { found } = elementAt(left(decode(`1,2\n${digits}x,3`)), 0);
    expect(found).toBe(`"${digits.slice(0, 80)}" in column 1`);
  });

  test('the delimiter is told by the first line', () => {
    for (const text of ['1,2\n3,4', '1\t2\n3\t4', '1;2\n3;4', '1 2\n3 4', '\ufeffa,b\n1,2\n3,4\n\n'])
      expect([...right(decode(text)).examples]).toEqual([1, 2, 3, 4]);
    expect([...right(decode('  1   2 \n 3 4')).examples]).toEqual([1, 2, 3, 4]);
    expect([...right(decode('\n\r\n1\t2\n3\t4')).examples]).toEqual([1, 2, 3, 4]);
  });

  test('spaces in the names of columns do not make it a space', () => {
    const iris =
      'sepal length (cm),petal width (cm),kind of iris\n5.1,0.2,iris setosa\n7,1.4,iris versicolor';
    const table = right(decode(iris, { labels: 'kind of iris' }));
    expect([...table.examples]).toEqual([5.1, 0.2, 7, 1.4].map(Math.fround));
    expect(labelsOf(table)).toEqual(Uint8Array.of(0, 1));
  });

  test('a first row of missing values is no header, one with an index that has no name is', () => {
    for (const row of ['nan,NaN', ',', 'NA,?'])
      expect(left(decode(`${row}\n1,2`))[0]).toMatchObject({ path: 't.csv:1', expected: 'a finite number' });
    expect([...right(decode(',x\n0,1\n1,2')).examples]).toEqual([0, 1, 1, 2]);
  });

  test('missing values are problems with line and column', () => {
    expect(left(decode('x,y\n1,2\n3,\n?,NA\n5,nan'))).toEqual([
      { path: 't.csv:3', found: 'nothing in column 2 (y)', expected: 'a finite number' },
      { path: 't.csv:4', found: '"?" in column 1 (x)', expected: 'a finite number' },
      { path: 't.csv:4', found: '"NA" in column 2 (y)', expected: 'a finite number' },
      { path: 't.csv:5', found: '"nan" in column 2 (y)', expected: 'a finite number' },
    ]);
    expect(left(decode('1,2\n\n3,4,5\n0x10,1e99'))).toEqual([
      { path: 't.csv:3', found: '3 fields', expected: '2, as in the first row' },
      { path: 't.csv:4', found: '"0x10" in column 1', expected: 'a finite number' },
      { path: 't.csv:4', found: '"1e99" in column 2', expected: 'a finite number in single precision' },
    ]);
    expect(left(decode(`a\n${'x\n'.repeat(100)}`))).toHaveLength(5);
  });

  test.each([
    ['', 'no rows'],
    ['\n\n', 'no rows'],
    ['a,b\n', 'a header without rows'],
    ['1,"2\n3,4', 'a quote in line 1 that is never closed'],
    ['1,2\n3,"4', 'a quote in line 2 that is never closed'],
  ])('is refused: %j', (text, found) => {
    expect(left(decode(text))[0]).toMatchObject({ path: 't.csv', found });
  });

  test('a column of labels is taken out, by name or by number', () => {
    const text = 'x,kind,y\n1,b,2\n3,a,4\n5,b,6';
    const byName = right(decode(text, { labels: 'kind' }));
    expect([...byName.examples]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(labelsOf(byName)).toEqual(Uint8Array.of(1, 0, 1));
    expect(right(decode(text, { labels: '2', header: 'yes' }))).toEqual(byName);
    expect(left(decode(text, { labels: 'kinds' }))[0]).toMatchObject({
      path: 't.csv?labels',
      expected: 'one of x, kind, y',
      hint: 'did you mean "kind"?',
    });
    expect(left(decode(text.replace('a', ''), { labels: 'kind' }))).toEqual([
      { path: 't.csv:3', found: 'nothing in column 2 (kind)', expected: 'a class' },
    ]);
    // Classes that are numbers are in numeric order.
    expect(labelsOf(right(decode('10,1\n9,2\n10,3', { labels: '1' })))).toEqual(Uint8Array.of(1, 0, 1));
  });

  test.prop([fc.uint8Array({ maxLength: 100 })])('no bytes make it throw or hang', (bytes) => {
    decodeCsv('t.csv', bytes, right(withDefaults('t.csv', csvSettings, {})));
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
      found: 'element 2 of 2 is 7 in every training example',
    });
    expect(elementAt(left(await loadData(`${path}?standardise`)()), 0).hint).toBe(
      'did you mean "standardize"?',
    );
  });
});
