/** Entries of a table at whole numbers: what a product with one-hot vectors is, without the products, on every backend and in every derivative. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { lowerWasm } from '../../../backends/index.js';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import { costOf, printLoops } from '../../../compiler/index.js';
import { elementCount } from '../../../compiler/ir/type.js';
import {
  basis, contract, data, dense, type Expr, field, gather, input, jvp, layer, mul, network, normalInitializer, oneHot, parameter,
  pipe, range, reshaped, scale, square, sum, tanh, vjp,
} from '../../../dsl/index.js'; // prettier-ignore
import { equal, forAll, gradientsAgree, networks } from '../../../laws/index.js';
import { valuesIn } from '../../../laws/arbitrary/values.js';
import { random } from '../../arbitrary/loop.js';
import { indices } from '../../arbitrary/placed.js';
import { everywhere } from '../../shared/backends.js';
import { arrayOf, calculate, calculation } from '../../shared/expressions.js';
import { gradientName, interpret } from '../../shared/outputs.js';

const weights = <const S extends readonly number[]>(name: string, ...shape: S) =>
  parameter(name, normalInitializer(1), ...shape);

type Numbers = Expr<readonly [number]>;
type Look = (table: Expr<readonly [number, number]>, index: Numbers) => Expr<readonly [number, number]>;

const byPlaces: Look = (table, index) => gather(table, index);
const byProducts: Look = (table, index) => contract('iz,zj->ij', oneHot(3, index), table);

/** Entries of a table that a network makes of its argument, at places of which one is out of range. */
const looking = (name: string, look: Look) =>
  network(
    name,
    pipe(
      input(2),
      dense(6),
      tanh,
      layer('look', (x: Numbers): Numbers => {
        const index = scale(2, range(3));
        const entries = look(reshaped(x, 3, 2), index);
        return reshaped(mul(entries, entries), 6);
      }),
    ),
  );

describe('entries of a table', () => {
  test('are those of a product with one-hot vectors, in any derivative', () => {
    const index = scale(3, data(4));
    const shared = weights('w', 3, 5);
    const each = mul(shared, reshaped(gather(weights('v', 2, 15), sum(data(4))), 3, 5));
    const [places, products] = [looking('f', byPlaces), looking('f', byProducts)];
    const at = data(2);
    forAll(networks('unused', [1], [1]), () => [
      ...equal(byPlaces(shared, index), byProducts(shared, index)),
      ...equal(byPlaces(each, index), byProducts(each, index)),
    ]);
    const exact = (of: typeof places): Expr => jvp(of, at, basis(2));
    const back = (of: typeof places): Expr => vjp(of, at, basis(6));
    const values = (of: Expr) => calculate({ of }, { batch: 2, seed: 3 })('of');
    for (const derivative of [exact, back])
      values(derivative(places)).forEach((x, i) =>
        expect(x).toBeCloseTo(values(derivative(products))[i] ?? NaN, 12),
      );
  });

  test('agree with their slopes, and so do their tangents', () => {
    const f = looking('f', byPlaces);
    const at = data(2);
    forAll(networks('unused', [1], [1]), () => [
      ...gradientsAgree(sum(square(gather(square(weights('w', 3, 2)), field('index', 4))))),
      ...gradientsAgree(sum(square(jvp(f, at, at)))),
      ...gradientsAgree(sum(square(vjp(f, at, basis(6))))),
    ]);
  });

  test.prop(
    [
      fc.record({
        entries: fc.integer({ min: 1, max: 70 }),
        width: fc.integer({ min: 1, max: 70 }),
        count: fc.integer({ min: 1, max: 70 }),
        batch: fc.integer({ min: 1, max: 5 }),
        own: fc.boolean(),
        seed: fc.integer({ min: 1, max: 1 << 30 }),
      }),
    ],
    { numRuns: 8 },
  )(
    'are the interpreter’s on every backend, wherever an index is, and so is their gradient',
    async ({ entries, width, count, batch, own, seed }) => {
      const shared = weights('w', entries, width);
      const table = own ? mul(shared, reshaped(field('scale', entries * width), entries, width)) : shared;
      const rows = gather(table, field('index', count));
      const program = differentiate(calculation({ loss: sum(square(rows)), rows }, batch).program);
      const inputs = new Map(
        program.binders.map(({ name, var: x }) => {
          const size = elementCount(x.type, batch);
          return [
            name,
            name === 'index'
              ? Float64Array.from(indices(size, entries, random(seed)))
              : valuesIn([-1, 1], size, seed, name).map(Math.fround),
          ];
        }),
      );
      const expected = interpret(program, inputs);
      for (const [backend, arrays] of await everywhere(program, inputs))
        for (const name of ['rows', gradientName('w')]) {
          const right = arrayOf(expected, name);
          const scale = right.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
          arrayOf(arrays, name).forEach((x, i) =>
            expect(Math.abs(x - (right[i] ?? NaN)), `${backend} ${name}[${i}]`).toBeLessThan(1e-5 * scale),
          );
        }
    },
    300_000,
  );

  test('cost no product, however many there are', () => {
    const cost = (n: number) =>
      costOf(
        differentiate(calculation({ loss: sum(gather(weights('w', n, 8), field('index', 4))) }).program),
      );
    expect(cost(10_000).flops).toBe(0);
    expect(cost(10_000).equations.length).toBe(cost(10).equations.length);
  });

  test('are loops that a person can read', () => {
    const rows = gather(weights('w', 7, 5), field('index', 2));
    const loss = sum(mul(rows, rows));
    expect(printLoops(lowerWasm(differentiate(calculation({ loss }, 3).program)))).toMatchInlineSnapshot(`
      "0  for i < 3, j < 2, k < 5                       30 FLOP, 264 B
           %2[10i + 5j + k] = %0[5·round(%1[2i + j], below 7) + k]
      1  for i < 3, j < 2, k < 5                       60 FLOP, 132 B
           t0 = %2[10i + 5j + k]
           %3[i] += t0·t0
      2  for i < 3                                     0 FLOP, 12 B
           %4[i] = 1
      3  for i < 3, j < 2, k < 5                       0 FLOP, 132 B
           %5[10i + 5j + k] = %4[i]
      4  for i < 3, j < 2, k < 5                       60 FLOP, 360 B
           %6[10i + 5j + k] = %5[10i + 5j + k]·2·%2[10i + 5j + k]
      5  for i < 3, j < 2, k < 5                       60 FLOP, 264 B
           %7[5·round(%1[2i + j], below 7) + k] += %6[10i + 5j + k]
      "
    `);
  });

  test('are of a table', () => {
    const of = { tag: 'gather', table: sum(data(2)), index: data(2) } as const;
    expect(() => calculation({ y: of })).toThrow(/"y\.table".*"a table \[n, …\]"/);
  });
});

test('a range is as long as it should be', () => {
  for (const n of [1, 2, 255, 256, 257, 1000, 65_537])
    expect(calculate({ y: range(n) })('y')).toEqual(Float64Array.from({ length: n }, (_, i) => i));
});
