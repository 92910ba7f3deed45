/** Attention, norms over the last axis, gates and positions mean what their sources say, for sequences, vectors and images. */
import { describe, expect, test } from 'vitest';
import {
  add,
  apply,
  attention,
  data,
  embedding,
  type Expr,
  field,
  gated,
  input,
  integerField,
  layerNorm,
  network,
  type Network,
  normalInitializer,
  parameter,
  pipe,
  reshaped,
  rmsNorm,
  selfAttention,
  shapeOf,
  sinusoidalPositions,
  softmaxLayer,
  sqNorm,
  through,
} from '../../../dsl/index.js';
import { forAll, gradientsAgree, meaningOf, networks } from '../../../laws/index.js';
import { right } from '../../shared/either.js';

const near = (found: number | undefined, expected: number): void => expect(found).toBeCloseTo(expected, 9);

const meant = (node: Expr, values: Readonly<Record<string, readonly number[]>> = {}) => {
  const { values: y, shape, inputs } = right(meaningOf(node, { seed: 3, values }));
  const of = (name: string): Float64Array => inputs.get(name) ?? new Float64Array();
  return { y, shape, of };
};

const softmaxed = (scores: readonly number[]): readonly number[] => {
  const parts = scores.map(Math.exp);
  const total = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / total);
};

describe('attention', () => {
  const [t, c, heads] = [3, 4, 2];
  const width = c / heads;
  /** By loops, of the weights of a layer and t places of c numbers. */
  const byLoops = (
    x: (place: number, channel: number) => number,
    of: (role: string) => Float64Array,
    sees: (place: number, other: number) => boolean,
  ): readonly number[] => {
    const part = (role: string, h: number, place: number, j: number): number =>
      Array.from(
        { length: c },
        (_, i) => x(place, i) * (of(role)[(i * heads + h) * width + j] ?? NaN),
      ).reduce((a, b) => a + b);
    return Array.from({ length: t * c }, (_, at) => {
      const [place, channel] = [Math.floor(at / c), at % c];
      let sum = 0;
      for (let h = 0; h < heads; h++) {
        const others = Array.from({ length: t }, (_o, s) => s).filter((s) => sees(place, s));
        const shares = softmaxed(
          others.map((s) => {
            let agreement = 0;
            for (let j = 0; j < width; j++) agreement += part('query', h, place, j) * part('key', h, s, j);
            return agreement / Math.sqrt(width);
          }),
        );
        for (let j = 0; j < width; j++)
          others.forEach((s, k) => {
            sum +=
              (shares[k] ?? NaN) *
              part('value', h, s, j) *
              (of('output')[(h * width + j) * c + channel] ?? NaN);
          });
      }
      return sum;
    });
  };

  test.each([false, true])('of a sequence to itself, causal: %s', (causal) => {
    const net = network('n', pipe(input(3, 4), selfAttention({ heads, causal })));
    const { y, of } = meant(apply(net, data(t, c)));
    const x = of('data');
    const expected = byLoops(
      (place, i) => x[place * c + i] ?? NaN,
      (role) => of(`n/0.selfAttention/${role}`),
      (place, other) => !causal || other <= place,
    );
    expected.forEach((value, i) => near(y[i], value));
  });

  test('of the rows of an image each on their own, and of all pixels at once', () => {
    const rows = network('n', pipe(input(2, 3, 4), selfAttention({ heads, axis: 1 })));
    const { y, of } = meant(apply(rows, data(2, t, c)));
    const x = of('data');
    for (const row of [0, 1]) {
      const expected = byLoops(
        (place, i) => x[(row * t + place) * c + i] ?? NaN,
        (role) => of(`n/0.selfAttention/${role}`),
        () => true,
      );
      expected.forEach((value, i) => near(y[row * t * c + i], value));
    }
    const whole = network('n', pipe(input(1, 3, 4), selfAttention({ heads })));
    const flat = network('n', pipe(input(3, 4), selfAttention({ heads })));
    const [image, sequence] = [meant(apply(whole, data(1, t, c))), meant(apply(flat, data(t, c)))];
    image.y.forEach((value, i) => near(value, sequence.y[i] ?? NaN));
  });

  test('looks at nothing that is not allowed', () => {
    const of = (role: string): Expr<readonly [1, 3, 2]> => parameter(role, normalInitializer(1), 1, 3, 2);
    const said = attention(of('q'), of('k'), of('v'), field('allowed', 3, 3));
    const { y, of: given } = meant(said, { allowed: [1, 0, 0, 0, 1, 0, 0, 0, 1] });
    y.forEach((value, i) => near(value, given('v')[i] ?? NaN));
  });
});

describe('norms', () => {
  test.each([[[4]], [[3, 4]], [[2, 3, 4]]])('are over the last axis of %j', (shape) => {
    const x = parameter('x', normalInitializer(1), ...shape);
    const moments = (y: Float64Array): readonly (readonly [number, number])[] =>
      Array.from({ length: y.length / 4 }, (_, i) => {
        const part = Array.from(y.subarray(4 * i, 4 * i + 4));
        const mean = part.reduce((a, b) => a + b) / 4;
        return [mean, part.reduce((a, b) => a + b * b, 0) / 4];
      });
    const ones = { 'n/0.layerNorm/gain': [1, 1, 1, 1], 'n/0.layerNorm/shift': [0, 0, 0, 0] };
    const net: Network = network('n', pipe(input(...shape), layerNorm(0)));
    for (const [mean, square] of moments(meant(apply(net, x), ones).y)) {
      near(mean, 0);
      near(square, 1);
    }
    const rms: Network = network('n', pipe(input(...shape), rmsNorm(0)));
    for (const [, square] of moments(meant(apply(rms, x), { 'n/0.rmsNorm/gain': [1, 1, 1, 1] }).y))
      near(square, 1);
    const shares: Network = network('n', pipe(input(...shape), softmaxLayer()));
    for (const [mean] of moments(meant(apply(shares, x)).y)) near(mean, 1 / 4);
  });
});

describe('sequences', () => {
  test('sinusoidal positions are added', () => {
    const net = network('n', pipe(input(3, 5), sinusoidalPositions()));
    const { y, of } = meant(apply(net, data(3, 5)));
    y.forEach((value, at) => {
      const [place, i] = [Math.floor(at / 5), at % 5];
      const angle = place * 10_000 ** (-(i % 3) / 3);
      near(value, (of('data')[at] ?? NaN) + (i < 3 ? Math.sin(angle) : Math.cos(angle)));
    });
  });

  test('of tokens are embedded place by place', () => {
    const net = network('n', { tokens: [3] }, ({ tokens }) => through('words', tokens, embedding(5, 2)));
    const { y, shape, of } = meant(apply(net, integerField('tokens', 3)), { tokens: [4, 0, 4] });
    expect(shape).toEqual([3, 2]);
    const table = of('n/0.body/words/0.embedding/table');
    [4, 0, 4].forEach((token, i) => [0, 1].forEach((j) => near(y[2 * i + j], table[2 * token + j] ?? NaN)));
  });

  test('gates are of vectors and of tokens, and all have the slopes of their values', () => {
    const vector = network('v', pipe(input(3), gated(2, { by: 'silu' })));
    const tokens = network(
      't',
      pipe(input(2, 3), gated(2), layerNorm(), selfAttention({ heads: 2, causal: true })),
    );
    expect([shapeOf(apply(vector, data(3))), shapeOf(apply(tokens, reshaped(data(6), 2, 3)))]).toEqual([
      [2],
      [2, 2],
    ]);
    const x = parameter('x', normalInitializer(1), 6);
    forAll(networks('unused', [1], [1]), () => [
      ...gradientsAgree(sqNorm(apply(tokens, reshaped(x, 2, 3)))),
      ...gradientsAgree(sqNorm(add(apply(vector, parameter('y', normalInitializer(1), 3)), data(2)))),
    ]);
  });
});
