/** Reductions by operator, comparisons, angles, order and entries of tables: their values by plain loops, their slopes on every backend. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import {
  add,
  atan2,
  crossEntropy,
  data,
  equal,
  type Expr,
  fill,
  gather,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logSumExp,
  maxOver,
  minOver,
  mul,
  norm,
  normalInitializer,
  notEqual,
  parameter,
  productOver,
  quantile,
  range,
  ranks,
  reshaped,
  scale,
  shapeOf,
  sort,
  square,
  sub,
  sum,
} from '../../../dsl/index.js';
import { equal as same, forAll, given, gradientsAgree, networks } from '../../../laws/index.js';
import { elementCount } from '../../../compiler/ir/type.js';
import { valuesIn } from '../../../laws/arbitrary/values.js';
import { everywhere } from '../../shared/backends.js';
import { arrayOf, calculate, calculation } from '../../shared/expressions.js';
import { gradientName, interpret } from '../../shared/outputs.js';

const near = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-9): void => {
  expect(a.length).toBe(b.length);
  Array.from(a).forEach((x, i) => {
    expect(Math.abs(x - (b[i] ?? Number.NaN))).toBeLessThan(tolerance * (1 + Math.abs(x)));
  });
};

const weights = <const S extends readonly number[]>(name: string, ...shape: S) =>
  parameter(name, normalInitializer(1), ...shape);

/** The gradient of a scalar of `w` where that has some values. */
const slopes = (loss: Expr<readonly []>, values: readonly number[]): Float64Array =>
  arrayOf(
    interpret(differentiate(calculation({ loss }).program), new Map([['w', Float64Array.from(values)]])),
    gradientName('w'),
  );

const scalar = (e: Expr): Expr<readonly []> => sum(e);

describe('reductions by operator', () => {
  test('elements that tie share the slope of an extremum', () => {
    near(slopes(scalar(maxOver(weights('w', 4), [0])), [2, 5, 5, 1]), [0, 0.5, 0.5, 0]);
    near(slopes(scalar(minOver(weights('w', 4), [0])), [2, 5, 5, 1]), [0, 0, 0, 1]);
    near(slopes(scalar(maxOver(weights('w', 2, 2), [0])), [2, 5, 5, 1]), [0, 1, 1, 0]);
  });

  test('a product has slopes wherever elements are 0, and slopes of slopes', () => {
    const product = scalar(productOver(weights('w', 3), [0]));
    near(slopes(product, [0, 2, 3]), [6, 0, 0]);
    near(slopes(product, [0, 0, 3]), [0, 0, 0]);
    near(slopes(product, [4, 2, 3]), [6, 12, 8]);
  });

  test('along several axes they agree with their slopes', () => {
    const x = weights('w', 3, 5, 2);
    // Where several elements tie there are several slopes.
    const apart = add(scale(0.1, x), reshaped(range(30), 3, 5, 2));
    forAll(networks('unused', [1], [1]), () => [
      ...gradientsAgree(scalar(square(maxOver(apart, [1])))),
      ...gradientsAgree(scalar(square(minOver(apart, [0, 2])))),
      ...gradientsAgree(scalar(square(productOver(x, [2, 0])))),
      ...gradientsAgree(scalar(square(logSumExp(x, [1, 0])))),
    ]);
  });

  test('are one equation, and ln Σ exp as many for many numbers as for few', () => {
    const equations = (loss: Expr<readonly []>, derivative: boolean): number => {
      const { program } = calculation({ loss });
      return (derivative ? differentiate(program) : program).equations.length;
    };
    expect(equations(scalar(maxOver(weights('w', 50), [0])), false)).toBe(1);
    for (const derivative of [false, true])
      for (const of of [
        (n: number) => scalar(logSumExp(weights('w', 3, n), [1])),
        (n: number) => scalar(maxOver(weights('w', 3, n), [1])),
        (n: number) => scalar(sort(weights('w', 3, n), 1)),
        (n: number) => crossEntropy<number>(weights('w', n), weights('p', n)),
      ])
        expect(equations(of(100), derivative)).toBe(equations(of(4), derivative));
  });
});

const numbers = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 6 });

describe('comparisons', () => {
  test('are 1 where they hold', () => {
    const [a, b] = [weights('a', 3), weights('b', 3)];
    const of = calculate(
      {
        less: less(a, b),
        lessEqual: lessEqual(a, b),
        greater: greater(a, b),
        greaterEqual: greaterEqual(a, b),
        equal: equal(a, b),
        notEqual: notEqual(a, b),
      },
      {
        given: new Map([
          ['a', Float64Array.of(1, 2, 3)],
          ['b', Float64Array.of(2, 2, 2)],
        ]),
      },
    );
    near(of('less'), [1, 0, 0]);
    near(of('lessEqual'), [1, 1, 0]);
    near(of('greater'), [0, 0, 1]);
    near(of('greaterEqual'), [0, 1, 1]);
    near(of('equal'), [0, 1, 0]);
    near(of('notEqual'), [1, 0, 1]);
  });
});

describe('the angle of a point', () => {
  const places = [-2, -1, 0, 1, 2].flatMap((y) => [-2, -1, 0, 1, 2].map((x) => [y, x] as const));

  test('is in its quadrant', () => {
    const of = calculate(
      { angle: atan2(weights('y', 25), weights('x', 25)) },
      {
        given: new Map([
          ['y', Float64Array.from(places, ([y]) => y)],
          ['x', Float64Array.from(places, ([, x]) => x)],
        ]),
      },
    );
    near(
      of('angle'),
      places.map(([y, x]) => Math.atan2(y, x)),
    );
  });

  test('turns as the point does, also on the diagonals', () => {
    for (const [y, x] of places) {
      const w = weights('w', 2);
      const part = (i: number): Expr => reshaped({ tag: 'slice', of: w, begin: [i], size: [1] });
      const r2 = x * x + y * y;
      near(slopes(scalar(atan2(part(0), part(1))), [y, x]), r2 === 0 ? [1, 0] : [x / r2, -y / r2]);
    }
  });
});

describe('order', () => {
  test.prop([numbers])('a sorted array is in order, and has the slopes of its elements', (values) => {
    const n = values.length;
    const sorted = [...values].sort((a, b) => a - b);
    const w = weights('w', n);
    const of = calculate(
      { sorted: sort(w, 0), ranks: ranks(w, 0), median: quantile(w, 0.5, 0), most: quantile(w, 1, 0) },
      { given: new Map([['w', Float64Array.from(values)]]) },
    );
    near(of('sorted'), sorted);
    expect([...of('ranks')].sort((a, b) => a - b)).toEqual(values.map((_, i) => i));
    const middle = (n - 1) / 2;
    near(of('median'), [((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2]);
    near(of('most'), [sorted.at(-1) ?? 0]);
    const marks = Float64Array.from(values, (_, i) => i + 1);
    const given = new Map([
      ['w', Float64Array.from(values)],
      ['m', marks],
    ]);
    const { program } = calculation({ loss: sum(mul(sort(w, 0), weights('m', n))) });
    const found = arrayOf(interpret(differentiate(program), given), gradientName('w'));
    near(
      found,
      [...of('ranks')].map((rank) => rank + 1),
    );
  });

  test('along any axis', () => {
    const x = weights('w', 2, 3, 2);
    expect(shapeOf(sort(x, 1))).toEqual([2, 3, 2]);
    expect(shapeOf(quantile(x, 0.3, 1))).toEqual([2, 2]);
    forAll(networks('unused', [1], [1]), () => [
      ...same(maxOver(x, [1]), quantile(x, 1, 1)),
      ...same(minOver(x, [1]), quantile(x, 0, 1)),
      // Apart from each other: where elements tie, an order has several slopes.
      ...gradientsAgree(sum(square(quantile(add(scale(0.1, x), reshaped(range(12), 2, 3, 2)), 0.3, 0)))),
      ...given(norm(x), same(sum(sort(x, 2)), sum(x))),
    ]);
  });
});

describe('entries of a table', () => {
  test('are its rows at whole numbers, zeros out of range, and add up in its gradient', () => {
    const table = weights('w', 3, 2);
    const index: Expr<readonly [2, 2]> = data(2, 2);
    const of = calculate(
      { rows: gather(table, index) },
      {
        given: new Map([
          ['w', Float64Array.of(1, 2, 3, 4, 5, 6)],
          ['data', Float64Array.of(2, 0, 2, 7)],
        ]),
      },
    );
    near(of('rows'), [5, 6, 1, 2, 5, 6, 0, 0]);
    const at = add(fill(1, 2), mul(fill(0, 2), sub(fill(1, 2), fill(0, 2))));
    near(slopes(sum(scale(3, gather(table, at))), [1, 2, 3, 4, 5, 6]), [0, 0, 6, 6, 0, 0]);
  });
});

describe('on every backend', () => {
  const extremes = () => {
    const [a, b, c] = [weights('a', 4, 9), weights('b', 4, 9), weights('w', 4, 9)];
    // Products and sums that a backend may round in one step or in two.
    const e = add(mul(a, b), mul(c, mul(a, c)));
    const weighed = (of: Expr<readonly [4]>): Expr<readonly [4]> => mul(of, weights('m', 4));
    return sum(
      add(weighed(maxOver(e, [1])), add(weighed(minOver(e, [1])), weighed(productOver(scale(0.5, e), [1])))),
    );
  };

  test('extrema and products have the slopes that the interpreter finds', async () => {
    const program = differentiate(calculation({ loss: extremes() }).program);
    const inputs = new Map(
      program.binders.map(({ name, var: x }) => [
        name,
        valuesIn([-1, 1], elementCount(x.type, 1), 7, name).map(Math.fround),
      ]),
    );
    const expected = arrayOf(interpret(program, inputs), gradientName('w'));
    for (const [, arrays] of await everywhere(program, inputs))
      near(arrayOf(arrays, gradientName('w')), expected, 1e-5);
  });
});
