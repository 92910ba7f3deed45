/** Preprocessing is a value: it survives JSON, brings rows to examples and back, and is fitted in double precision. */
import { elementAt } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { fingerprintOf } from '../../data/fingerprint.js';
import { decodePreprocessing, encodePreprocessing } from '../../data/preprocessing/codec.js';
import {
  applyValues,
  type Column,
  columnWidth,
  elementsOf,
  invertValues,
  plainPreprocessing,
  type Preprocessing,
} from '../../data/preprocessing/preprocessing.js';
import { applyRows, invertRows } from '../../data/preprocessing/rows.js';
import { loadData } from '../../data/load.js';
import { left, right } from '../shared/either.js';
import { npy, testFolder } from './files.js';

const folder = testFolder('preprocessing');

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }).map((x) => x + 0);
const names = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 });

const columnsOf = (given: readonly string[]): fc.Arbitrary<readonly Column[]> =>
  fc.tuple(
    ...given.map((name) =>
      fc.oneof(
        fc.constant<Column>({ tag: 'number', name }),
        fc
          .uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 })
          .map((categories): Column => ({ tag: 'category', name, categories })),
      ),
    ),
  );

const tables: fc.Arbitrary<Preprocessing & { readonly columns: readonly Column[] }> = names
  .chain(columnsOf)
  .chain((columns) => {
    const size = columns.reduce((sum, column) => sum + columnWidth(column), 0);
    const each = (of: fc.Arbitrary<number>) => fc.array(of, { minLength: size, maxLength: size });
    return fc.record({
      shape: fc.constant([size]),
      columns: fc.constant(columns),
      pictures: fc.constant(undefined),
      missing: fc.constantFrom('refuse', 'drop', 'mask'),
      range: fc.option(fc.constant({ least: -3, most: 252 }), { nil: undefined }),
      scaling: fc.option(
        fc.record({ mean: each(finite), deviation: each(fc.double({ min: 1e-3, max: 1e3, noNaN: true })) }),
        { nil: undefined },
      ),
      labels: fc.array(fc.record({ field: fc.string(), classes: fc.array(fc.string()) }), { maxLength: 2 }),
    });
  });

const rowOf = (columns: readonly Column[]) =>
  fc
    .tuple(
      ...columns.map((column) =>
        column.tag === 'number' ? finite.map((x) => Math.round(x)) : fc.constantFrom(...column.categories),
      ),
    )
    .map((cells): Readonly<Record<string, number | string>> =>
      Object.fromEntries(cells.map((cell, i) => [elementAt(columns, i).name, cell])),
    );

describe('a preprocessing', () => {
  test.prop([tables])('is what its JSON says', (preprocessing) => {
    const json: unknown = JSON.parse(JSON.stringify(encodePreprocessing(preprocessing)));
    expect(right(decodePreprocessing(json))).toEqual(preprocessing);
  });

  test.prop([tables.chain((p) => fc.tuple(fc.constant(p), fc.array(rowOf(p.columns), { maxLength: 4 })))])(
    'brings rows to examples by name and back, within single precision',
    ([preprocessing, rows]) => {
      const applied = right(applyRows(preprocessing, rows));
      const back = invertRows(preprocessing, applied.examples);
      const { unit, offset } = elementsOf(preprocessing);
      const most = Math.max(...unit.map(Math.abs), ...offset.map(Math.abs), 1e9) * 1e-6;
      expect(back.length).toBe(rows.length);
      back.forEach((row, i) => {
        if (Array.isArray(row)) throw new Error('rows by name were expected');
        for (const [name, cell] of Object.entries(row))
          if (typeof cell === 'number')
            expect(Math.abs(cell - Number(elementAt(rows, i)[name]))).toBeLessThan(most);
          else expect(cell).toBe(elementAt(rows, i)[name]);
      });
      // The order of the names in a row does not matter, and neither do others.
      const turned = rows.map((row) => ({ ...Object.fromEntries(Object.entries(row).reverse()) }));
      expect(right(applyRows(preprocessing, turned)).examples).toEqual(applied.examples);
    },
  );

  const person: Preprocessing = {
    ...plainPreprocessing([4]),
    columns: [
      { tag: 'number', name: 'age' },
      { tag: 'category', name: 'kind', categories: ['a', 'b'] },
      { tag: 'number', name: 'height' },
    ],
    scaling: { mean: [40, 0, 0, 1.5], deviation: [10, 1, 1, 0.25] },
  };

  test('standardises numbers, and makes one-hot vectors of categories', () => {
    const rows = [
      { height: 2, kind: 'b', age: 30, other: 'x' },
      { age: '50', kind: 'a', height: 1.5 },
    ];
    expect([...right(applyRows(person, rows)).examples]).toEqual([-1, 0, 1, 2, 1, 1, 0, 0]);
    expect([...right(applyRows(person, [[30, 'b', 2]])).examples]).toEqual([-1, 0, 1, 2]);
    expect(invertRows(person, [-1, 0.2, 0.7, 2])).toEqual([{ age: 30, kind: 'b', height: 2 }]);
    expect([...elementsOf(person).unit]).toEqual([10, 1, 1, 0.25]);
  });

  test('says which cell of which row it cannot take', () => {
    expect(left(applyRows(person, [{ ages: 30, kind: 'c', height: NaN }, [1, 'a']]))).toEqual([
      { path: 'rows[0]["age"]', found: 'no column "age"', expected: 'a value', hint: 'did you mean "ages"?' },
      { path: 'rows[0]["kind"]', found: '"c"', expected: 'one of a, b' },
      { path: 'rows[0]["height"]', found: 'null', expected: 'a value' },
      { path: 'rows[1]', found: '2 cells', expected: '3, one for each column' },
    ]);
  });

  test('masks what is missing where it was fitted so: a 0, and a 0 in the mask of each of its elements', () => {
    const { examples, mask } = right(applyRows({ ...person, missing: 'mask' }, [{ age: null, height: 2 }]));
    expect([...examples]).toEqual([0, 0, 0, 2]);
    expect(mask).toEqual(Uint8Array.of(0, 0, 0, 1));
  });

  test('counts the range of bytes: 0 … 255 become 0 … 1, and back', () => {
    const bytes: Preprocessing = { ...plainPreprocessing([2]), range: { least: 0, most: 255 } };
    expect([...applyValues(bytes, [0, 255, 51, 102])]).toEqual([0, 1, Math.fround(0.2), Math.fround(0.4)]);
    expect([...invertValues(bytes, [0, 1])]).toEqual([0, 255]);
    expect([...elementsOf(bytes).unit]).toEqual([255, 255]);
  });

  test('whose parts do not fit is a problem with its path', () => {
    const json = (change: object): unknown => ({
      ...JSON.parse(JSON.stringify(encodePreprocessing(person))),
      ...change,
    });
    const problems = (change: object) => left(decodePreprocessing(json(change))).map(({ path }) => path);
    expect(problems({ shape: [5] })).toEqual(['columns', 'scaling']);
    expect(problems({ scaling: { mean: [0], deviation: [0] } })).toEqual(['scaling.deviation[0]']);
    expect(problems({ range: { least: 1, most: 1 } })).toEqual(['range']);
    expect(problems({ missing: 'mark' })).toEqual(['missing']);
  });
});

describe('standardisation', () => {
  test('is in double precision from whatever the file holds, as numpy has it', async () => {
    const values = Array.from({ length: 1000 }, (_, i) => [
      101325 + 0.002 * Math.sin(i),
      -2e9 + 0.5 * Math.cos(i),
    ]).flat();
    const path = folder.file('offset.npy', npy('f8', [1000, 2], values));
    const { train, preprocessing } = right(await loadData(`${path}?standardize`)());
    // numpy: x[arange(1000) % 6 != 5].mean(0), .std(0), and the first standardised rows.
    const { mean, deviation } = preprocessing?.scaling ?? { mean: [], deviation: [] };
    expect(mean[0]).toBeCloseTo(101325.00000790486, 9);
    expect(mean[1]).toBeCloseTo(-1999999999.9956675, 5);
    expect(deviation[0]).toBeCloseTo(0.0014135544903305915, 10);
    expect(deviation[1]).toBeCloseTo(0.3536860165504066, 7);
    const first = [-0.005592187878568625, 1.4014335721127524, 1.184982344607559, 0.7515665970592494];
    first.forEach((value, i) => expect(train.examples[i]).toBeCloseTo(value, 5));
    expect(new Set(train.examples.filter((_, i) => i % 2 === 0)).size).toBe(834);
  });
});

test('a fingerprint is of what a set holds, not of its name', async () => {
  const values = Array.from({ length: 24 }, (_, i) => i / 8);
  const of = async (name: string, given: readonly number[], settings = '') =>
    right(
      await fingerprintOf(right(await loadData(folder.file(name, npy('f8', [12, 2], given)) + settings)()))(),
    );
  const one = await of('a.npy', values);
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(await of('b.npy', values)).toBe(one);
  expect(await of('c.npy', [...values.slice(0, -1), 7])).not.toBe(one);
  expect(await of('d.npy', values, '?holdOut=3')).not.toBe(one);
});
