/** Objectives that look across the batch are their formulas, computed example by example, and their gradients reach every example. */
import { describe, expect, test } from 'vitest';
import {
  another,
  apply,
  basis,
  batchCovariance,
  batchMean,
  batchVariance,
  concat,
  data,
  dense,
  draw,
  type Expr,
  field,
  greater,
  input,
  jvp,
  log,
  network,
  normal,
  orthogonal,
  parameter,
  pipe,
  scale,
  type Shape,
  sqNorm,
  square,
  sub,
  sum,
  tanh,
  volume,
  zeros,
  mul,
  add,
} from '../../dsl/index.js';
import {
  type Autoencoder,
  autoencoders,
  equal,
  forAll,
  given,
  gradientsAgree,
  meaningOf,
} from '../../laws/index.js';
import { geometricAe, isometricAe, mmdWae } from '../../objectives/index.js';
import { right } from '../shared/either.js';

const encoder = network('encoder', pipe(input(4), dense(5), tanh, dense(2)));
const decoder = network('decoder', pipe(input(2), dense(5), tanh, dense(4)));
const world = { batch: 5, seed: 4 };
const valuesOf = (e: Expr): Float64Array => right(meaningOf(e, world)).values;
const rowsOf = (e: Expr, size: number): readonly (readonly number[])[] => {
  const values = valuesOf(e);
  return Array.from({ length: 5 }, (_, b) => [...values.subarray(b * size, (b + 1) * size)]);
};
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const expectEach = (found: Float64Array, expected: number): void => {
  expect(found).toHaveLength(5);
  found.forEach((value) => expect(value).toBeCloseTo(expected, 9));
};

describe('the terms are their formulas', () => {
  test('the variance of ln det JᵀJ', () => {
    const logDets = [...valuesOf(volume(decoder, apply(encoder, data(4)), { method: 'exact' }))].map(
      (v) => 2 * v,
    );
    const variance = mean(logDets.map((v) => (v - mean(logDets)) ** 2));
    expectEach(valuesOf(geometricAe(encoder, decoder, { weight: 3 }).distortion), 3 * variance);
  });

  test('isometry is least for an isometry up to a factor, where it is 1/E‖v‖²', () => {
    const flat = network('flat', pipe(input(2), dense(4, { bias: false, kernel: orthogonal })));
    const kernel = [1, 0, 0, 0, 0, 1, 0, 0].map((value) => 7 * value);
    const at = { ...world, values: { 'flat/0.dense/kernel': kernel } };
    const found = right(meaningOf(isometricAe(encoder, flat, { weight: 1 }).isometry, at)).values;
    const squares = rowsOf(draw('v', normal(2)), 2).map(([a = 0, b = 0]) => a * a + b * b);
    expectEach(found, 1 / mean(squares));
  });

  test('the discrepancy of codes from normal ones, a pair for each', () => {
    const [h, z, other] = [apply(encoder, data(4)), draw('z', normal(2)), draw('other z', normal(2))].map(
      (e) => rowsOf(e, 2),
    );
    const kernel = (a: readonly number[] = [], b: readonly number[] = []): number =>
      4 / (4 + a.reduce((total, value, i) => total + (value - (b[i] ?? 0)) ** 2, 0));
    const terms = Array.from(
      { length: 5 },
      (_, i) =>
        kernel(h?.[i], h?.[(i + 1) % 5]) +
        kernel(z?.[i], other?.[i]) -
        kernel(h?.[i], z?.[i]) -
        kernel(h?.[i], other?.[i]),
    );
    expectEach(valuesOf(mmdWae(encoder, decoder, { weight: 2 }).discrepancy), 2 * mean(terms));
  });
});

describe('gradients reach every example', () => {
  const score = ({ decoder: net, codes }: Autoencoder): Expr<Shape> =>
    apply(net, mul(data(codes), parameter('w', zeros, codes)));
  const statistics: Readonly<Record<string, (e: Expr<Shape>) => Expr<readonly []>>> = {
    'the mean': (e) => sum(square(batchMean(e))),
    'the variance': (e) => sum(square(batchVariance(e))),
    'another example': (e) => sum(mul(e, square(another(e)))),
    'two of the others': (e) => sqNorm(sub(another(e, 2), another(e))),
    'a mean of a function of the mean': (e) => sum(batchMean(square(sub(e, batchMean(e))))),
  };
  test.each(Object.entries(statistics))('of %s', (_, of) => {
    forAll(autoencoders({ smooth: true }), (model) => gradientsAgree(of(score(model))), { examples: 4 });
  });

  test('of a covariance', () => {
    const [a, b] = [apply(encoder, data(4)), field('y', 3)];
    forAll(autoencoders(), () => gradientsAgree(sqNorm(batchCovariance(a, b))), { runs: 20, examples: 4 });
  });

  const kinds = { geometricAe, isometricAe, mmdWae };
  test.each(Object.entries(kinds))('of %s, where the decoder is an immersion', (_, made) => {
    forAll(autoencoders({ smooth: true, layers: 2 }), ({ encoder: h, decoder: g, data: shape, codes: d }) => {
      const at = apply(h, data(...shape));
      // ½ ln det JᵀJ less what it is at most for a J of that norm: how far from round J is.
      const most = scale(d / 2, log(scale(1 / d, sqNorm(jvp(g, at, basis(d))))));
      const isImmersion = greater(sub(volume(g, at, { method: 'exact' }), most), -3);
      return given(
        isImmersion,
        Object.values(made(h, g)).flatMap((term) => gradientsAgree(term)),
      );
    });
  });
});

test('statistics of the batch are those of its examples', () => {
  forAll(autoencoders(), () => {
    const x = data(3);
    const [first, second, third] = [0, 1, 2].map((by) => (by === 0 ? x : another(x, by)));
    if (first === undefined || second === undefined || third === undefined) return [];
    const total = scale(1 / 3, add<readonly [3]>(add<readonly [3]>(first, second), third));
    return [
      ...equal(sum(batchMean(concat(x))), sum(batchMean(x))),
      ...equal(another(batchMean(x)), batchMean(x)),
      ...equal(batchMean(total), batchMean(x)),
    ];
  });
});
