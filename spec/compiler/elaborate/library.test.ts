/** The language's own library of layers: each means what its source says, computed by plain loops, and bijections that are none are refused. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/index.js';
import {
  add,
  adam,
  apply,
  bijection,
  conv1d,
  data,
  dense,
  depthwiseConv,
  dilatedConv,
  embedding,
  experiment,
  exp,
  type Expr,
  field,
  fill,
  film,
  fourierFeatures,
  groupNorm,
  householder,
  rotation,
  input,
  integerField,
  inversion,
  latent,
  luLinear,
  maxPool,
  neg,
  network,
  type Network,
  type Node,
  parameter,
  pipe,
  pixelShuffle,
  scale,
  scaling,
  showProblem,
  specialConformal,
  sqNorm,
  through,
  translation,
  zeros,
  constant,
  circularSpline,
  elementwise,
  logDet,
} from '../../../dsl/index.js';
import { equal, forAll, invertible, meaningOf, networks, shapes } from '../../../laws/index.js';
import { left, right } from '../../shared/either.js';

type Values = { readonly shape: readonly number[]; readonly at: (...index: readonly number[]) => number };

/** A row-major array read by its indices; 0 outside. */
const reading = (values: ArrayLike<number>, shape: readonly number[]): Values => ({
  shape,
  at: (...index) =>
    index.some((i, axis) => i < 0 || i >= (shape[axis] ?? 0))
      ? 0
      : (values[index.reduce((place, i, axis) => place * (shape[axis] ?? 1) + i, 0)] ?? Number.NaN),
});

const meant = (node: Node, seed = 3) => {
  const { values, shape, inputs } = right(meaningOf(node, { seed }));
  const weight = (name: string, ...of: readonly number[]): Values => reading(inputs.get(name) ?? [], of);
  return { y: reading(values, shape), x: (...of: readonly number[]) => weight('data', ...of), weight };
};

const each = (shape: readonly number[], f: (...index: readonly number[]) => void): void => {
  const count = shape.reduce((a, b) => a * b, 1);
  for (let i = 0; i < count; i++) {
    let rest = i;
    const index = shape.map((_, axis) => {
      const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      const own = Math.floor(rest / inner);
      rest -= own * inner;
      return own;
    });
    f(...index);
  }
};

const near = (found: number, expected: number): void => expect(found).toBeCloseTo(expected, 9);

describe('layers of images', () => {
  test('maxPool takes the greatest of each window', () => {
    const net = network('n', pipe(input(4, 6, 2), maxPool(2)));
    const { y, x } = meant(apply(net, data(4, 6, 2)));
    expect(y.shape).toEqual([2, 3, 2]);
    const from = x(4, 6, 2);
    each(y.shape, (i = 0, j = 0, c = 0) => {
      const window = [0, 1].flatMap((a) => [0, 1].map((b) => from.at(2 * i + a, 2 * j + b, c)));
      near(y.at(i, j, c), Math.max(...window));
    });
  });

  test('pixelShuffle puts channels beside each other', () => {
    const net = network('n', pipe(input(2, 3, 8), pixelShuffle(2)));
    const { y, x } = meant(apply(net, data(2, 3, 8)));
    expect(y.shape).toEqual([4, 6, 2]);
    const from = x(2, 3, 8);
    each(y.shape, (i = 0, j = 0, c = 0) =>
      near(y.at(i, j, c), from.at(i >> 1, j >> 1, ((i & 1) * 2 + (j & 1)) * 2 + c)),
    );
  });

  test('groupNorm has mean 0 and variance 1 in each group before its gain and shift', () => {
    const net = network('n', pipe(input(2, 3, 4), groupNorm(2, 0)));
    const { y, weight } = meant(apply(net, data(2, 3, 4)));
    const [gain, shift] = [weight('n/0.groupNorm/gain', 4), weight('n/0.groupNorm/shift', 4)];
    for (const channels of [
      [0, 1],
      [2, 3],
    ]) {
      const values: number[] = [];
      each([2, 3], (i = 0, j = 0) =>
        channels.forEach((c) => values.push((y.at(i, j, c) - shift.at(c)) / gain.at(c))),
      );
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      near(mean, 0);
      near(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length, 1);
    }
  });

  test.each([1, 2])('dilatedConv and depthwiseConv see pixels %i apart', (dilation) => {
    const [h, w, c] = [5, 4, 2];
    const wide = network('n', pipe(input(5, 4, 2), dilatedConv(3, { kernel: 3, dilation })));
    const { y, x, weight } = meant(apply(wide, data(h, w, c)));
    const from = x(h, w, c);
    each(y.shape, (i = 0, j = 0, f = 0) => {
      let expected = weight('n/0.dilatedConv/bias', 3).at(f);
      each([3, 3, c], (a = 0, b = 0, k = 0) => {
        const kernel = weight(`n/0.dilatedConv/kernel${3 * a + b}`, c, 3);
        expected += kernel.at(k, f) * from.at(i + (a - 1) * dilation, j + (b - 1) * dilation, k);
      });
      near(y.at(i, j, f), expected);
    });
    const deep = network('n', pipe(input(5, 4, 2), depthwiseConv({ kernel: 3, dilation })));
    const other = meant(apply(deep, data(h, w, c)));
    each(other.y.shape, (i = 0, j = 0, k = 0) => {
      let expected = other.weight('n/0.depthwiseConv/bias', c).at(k);
      each([3, 3], (a = 0, b = 0) => {
        const kernel = other.weight('n/0.depthwiseConv/kernel', 9, c);
        expected +=
          kernel.at(3 * a + b, k) * other.x(h, w, c).at(i + (a - 1) * dilation, j + (b - 1) * dilation, k);
      });
      near(other.y.at(i, j, k), expected);
    });
  });

  test.each([false, true])('conv1d along a sequence, causal: %s', (causal) => {
    const net = network('n', pipe(input(6, 2), conv1d(3, { kernel: 3, dilation: 2, causal })));
    const { y, x, weight } = meant(apply(net, data(6, 2)));
    each(y.shape, (t = 0, f = 0) => {
      let expected = weight('n/0.conv1d/bias', 3).at(f);
      each([3, 2], (k = 0, c = 0) => {
        const place = t + (causal ? k - 2 : k - 1) * 2;
        expected += weight(`n/0.conv1d/kernel${k}`, 2, 3).at(c, f) * x(6, 2).at(place, c);
      });
      near(y.at(t, f), expected);
    });
  });
});

describe('conditions', () => {
  const told = network('told', { x: [2, 3], label: [] }, ({ x, label }) =>
    film('film', x, through('class', label, embedding(4, 5))),
  );

  test('an embedding is the row of its class, and FiLM scales and shifts by it', () => {
    const of = apply(told, { x: field('x', 2, 3), label: integerField('label') });
    for (const label of [0, 3]) {
      const { values, inputs } = right(meaningOf(of, { seed: 5, values: { label: [label] } }));
      const weight = (name: string, ...shape: readonly number[]) =>
        reading(inputs.get(`told/0.body/${name}`) ?? [], shape);
      const row = (j: number): number => weight('class/0.embedding/table', 4, 5).at(label, j);
      const dense = (role: string, c: number): number =>
        [0, 1, 2, 3, 4].reduce(
          (total, j) => total + row(j) * weight(`film ${role}/0.dense/kernel`, 5, 3).at(j, c),
          weight(`film ${role}/0.dense/bias`, 3).at(c),
        );
      const x = reading(inputs.get('x') ?? [], [2, 3]);
      each([2, 3], (i = 0, c = 0) =>
        near(reading(values, [2, 3]).at(i, c), x.at(i, c) * (1 + dense('gain', c)) + dense('shift', c)),
      );
    }
  });

  test('Fourier features are sines and cosines, and their frequencies have no gradient', () => {
    const net = network('n', pipe(input(2), fourierFeatures(3)));
    const { y, x, weight } = meant(apply(net, data(2)));
    const frequencies = weight('n/0.fourierFeatures/frequencies', 2, 3);
    each([3], (j = 0) => {
      const angle = [0, 1].reduce((total, i) => total + x(2).at(i) * frequencies.at(i, j), 0);
      near(y.at(j), Math.sin(angle));
      near(y.at(3 + j), Math.cos(angle));
    });
    const { step } = right(
      compile(training(net, sqNorm(apply(net, data(2))), network('decoder', pipe(input(6), dense(2))))),
    );
    const next = step.outputs.find((o) => o.kind === 'next' && o.name === 'n/0.fourierFeatures/frequencies');
    expect(next).toBeDefined();
  });
});

const training = (
  encoder: Network,
  term: Expr<readonly []>,
  decoder: Network = network('decoder', pipe(input(2), dense(2))),
) =>
  experiment({
    encoder,
    decoder,
    objective: { term },
    optimizer: adam({ rate: 1 }),
    batch: 2,
    steps: 1,
    data: 'none',
  });

describe('bijections of expressions', () => {
  test.each(Object.entries({ scaling, translation, rotation, householder: () => householder(3) }))(
    '%s undoes itself, and has its log-determinant',
    (_, made) => {
      forAll(shapes({ axes: 1 }), ([n = 1]) => invertible(network('flow', pipe(latent(n), made())), data(n)));
    },
  );

  // Of all points but one.
  test.each(Object.entries({ inversion: [inversion, 4], specialConformal: [specialConformal, 0] } as const))(
    '%s undoes itself, and has its log-determinant, away from its pole',
    (_, [made, from]) => {
      forAll(shapes({ axes: 1 }), ([n = 1]) => {
        const at = add(scale(0.1, data(n)), fill(from, n));
        const law = invertible(network('flow', pipe(latent(n), made())), at);
        return law.filter((claim) => claim.tag === 'gradient' || claim.names[0] !== 'again');
      });
    },
  );

  test('compose with built-in ones, also inside couplings and the other way round', () => {
    const flow = network(
      'flow',
      pipe(latent(3), luLinear, scaling(), elementwise(circularSpline()), householder(2)),
    );
    forAll(networks('unused', [1], [1]), () => invertible(flow, data(3)));
  });

  test('a circular spline has the slope at one end that it has at the other', () => {
    const flow = network('flow', pipe(latent(1), elementwise(circularSpline({ bins: 4, bound: 2 }))));
    const almost = 2 - 1e-9;
    forAll(networks('unused', [1], [1]), () => {
      const at = (value: number) =>
        logDet(flow, add(scale(0, data(1)), { tag: 'fill', of: constant(value), shape: [1] }));
      return equal(at(almost), at(-almost), 1e-6);
    });
  });

  const shift = (): Expr<readonly []> => parameter('shift', zeros);
  const refused = (flow: Network): readonly string[] => {
    const compiled = compile(training(flow, sqNorm(apply(flow, data(2)))));
    return isLeft(compiled) ? left(compiled).map(showProblem) : [];
  };

  test('whose inverse is none are refused with the point', () => {
    const wrong = bijection<readonly [2], readonly [2]>('double', {
      forward: (x) => scale(2, x),
      inverse: (y) => scale(0.4, y),
      logDeterminant: () => constant(2 * Math.log(2)),
    });
    expect(refused(network('flow', pipe(latent(2), wrong)))).toEqual([
      expect.stringMatching(
        /^networks\.flow\.layers\[0\]\.inverse: found a way back from x = \[.*\] to \[.*\], expected a way back to x \(double is no bijection/,
      ),
    ]);
  });

  test('with another log-determinant are refused with the two numbers', () => {
    const wrong = bijection<readonly [2], readonly [2]>('grown', {
      forward: (x) => scale(exp(shift()), x),
      inverse: (y) => scale(exp(neg(shift())), y),
      logDeterminant: () => shift(),
    });
    expect(refused(network('flow', pipe(latent(2), luLinear, wrong)))).toEqual([
      expect.stringMatching(
        /^networks\.flow\.layers\[1\]\.logDeterminant: found .* at x = \[.*\], expected .*, that of its Jacobian there$/,
      ),
    ]);
  });

  test.each<readonly [string, Node, Node, string]>([
    [
      'that forget their argument',
      constant(1),
      { tag: 'argument', name: 'y', shape: [2] },
      'layers[0].forward: found nothing, expected an expression of the argument x',
    ],
    [
      'of two sizes',
      { tag: 'slice', of: { tag: 'argument', name: 'x', shape: [2] }, begin: [0], size: [1] },
      { tag: 'argument', name: 'y', shape: [2] },
      'layers[0].forward: found [1], expected [2]',
    ],
  ])('%s are problems', (_, forward, back, words) => {
    const layer = {
      tag: 'bijection',
      name: 'odd',
      input: [2],
      output: [2],
      forward,
      inverse: back,
      logDeterminant: constant(0),
    } as const;
    expect(refused({ name: 'flow', input: [2], layers: [layer] }).join()).toContain(words);
  });
});
