/** Functions of several arguments, layers defined by expressions, contractions, reductions and statistics over the batch mean what they say. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { decodeExperiment, encodeExperiment } from '../../../dsl/codec/index.js';
import {
  add,
  another,
  apply,
  batchCovariance,
  batchMean,
  batchVariance,
  concat,
  constantInitializer,
  cumulatedSum,
  data,
  dense,
  dot,
  elu,
  experiment,
  type Expr,
  field,
  hyper,
  input,
  integerField,
  jvp,
  layer,
  logSumExp,
  mul,
  network,
  normalInitializer,
  ones,
  parameter,
  pipe,
  range,
  scale,
  setHypers,
  adam,
  shapeOf,
  softmax,
  sqNorm,
  square,
  sub,
  sum,
  sumOver,
  meanOver,
  through,
  vjp,
  type Node,
  sqrt,
  div,
} from '../../../dsl/index.js';
import { compile } from '../../../compiler/compile.js';
import { createContext } from '../../../compiler/elaborate/context.js';
import { createElaborate } from '../../../compiler/elaborate/expression.js';
import { calculate } from '../../shared/expressions.js';
import { left, right } from '../../shared/either.js';

const near = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-9): void => {
  expect(a.length).toBe(b.length);
  Array.from(a).forEach((x, i) => {
    expect(Math.abs(x - (b[i] ?? Number.NaN))).toBeLessThan(tolerance * (1 + Math.abs(x)));
  });
};

const decoder = network('decoder', { z: [3], c: [2] }, ({ z, c }) =>
  through('out', concat(through('first', z, dense(4)), mul(c, c)), (s) => pipe(s, dense(5), elu, dense(4))),
);
const z = parameter('z', normalInitializer(1), 3);
const c = parameter('c', normalInitializer(1), 2);

describe('a function of several arguments', () => {
  test('has its parameters under its name, each once', () => {
    const context = createContext(createElaborate, 'train', 2);
    createElaborate(context)(apply(decoder, { z, c }), 'y');
    expect(context.problems).toEqual([]);
    expect([...context.parameters.keys()].filter((name) => name.startsWith('decoder'))).toEqual([
      'decoder/0.body/first/0.dense/kernel',
      'decoder/0.body/first/0.dense/bias',
      'decoder/0.body/out/0.dense/kernel',
      'decoder/0.body/out/0.dense/bias',
      'decoder/0.body/out/2.dense/kernel',
      'decoder/0.body/out/2.dense/bias',
    ]);
  });

  test('is differentiated in the argument that is named, and in it alone', () => {
    const v = parameter('v', normalInitializer(1), 2);
    const step = 1e-5;
    const moved = (by: number): Expr<readonly [4]> => apply(decoder, { z, c: add(c, scale(by, v)) });
    const of = calculate({
      exact: jvp(decoder, { z, c }, v, 'c'),
      difference: scale(1 / (2 * step), sub(moved(step), moved(-step))),
    });
    near(of('exact'), of('difference'), 1e-6);
  });

  test('tells two arguments apart where both are one value', () => {
    const both = network('both', { a: [3], b: [3] }, ({ a, b }) => mul(a, mul(b, b)));
    const of = calculate({
      a: jvp(both, { a: z, b: z }, z, 'a'),
      b: jvp(both, { a: z, b: z }, z, 'b'),
      cube: mul(z, mul(z, z)),
      back: vjp(both, { a: z, b: z }, z, 'b'),
    });
    near(of('a'), of('cube'));
    near(
      of('b'),
      of('cube').map((x) => 2 * x),
    );
    near(
      of('back'),
      of('cube').map((x) => 2 * x),
    );
  });

  test.each<readonly [string, Node, string]>([
    [
      'data',
      apply(
        network('n', { a: [2] }, ({ a }) => add(a, data(2))),
        c,
      ),
      'pass it as an argument',
    ],
    [
      'a field',
      apply(
        network('n', { a: [2] }, ({ a }) => add(a, field('w', 2))),
        c,
      ),
      'pass it as an argument',
    ],
    ['an argument elsewhere', { tag: 'argument', name: 'a', shape: [2] }, 'an expression outside of bodies'],
    ['layers elsewhere', through('t', c, dense(2)), 'give them a network and apply it'],
    [
      'two parameters of one name',
      apply(
        network('n', { a: [2] }, ({ a }) =>
          add(add(a, parameter('w', ones, 2)), parameter('w', constantInitializer(2), 2)),
        ),
        c,
      ),
      'one parameter for each name',
    ],
    ['a wrong shape', { tag: 'apply', network: decoder, at: c, given: { c }, output: '' }, '[3]'],
    ['an argument left out', { tag: 'apply', network: decoder, at: z, output: '' }, '[2]'],
    [
      'an argument too many',
      { tag: 'apply', network: decoder, at: z, given: { c, d: c }, output: '' },
      'one of z, c',
    ],
  ])('%s is a problem', (_, node, words) => {
    const context = createContext(createElaborate, 'train', 2);
    expect(createElaborate(context)(node, 'y')).toBe(null);
    expect(JSON.stringify(context.problems)).toContain(words);
  });
});

/** x/√(mean x² + ε)·gain along the last axis of a vector. */
const rmsNorm = layer('rmsNorm', (x: Expr<readonly [number]>, [n]) =>
  mul(x, scale(div(1, sqrt(add(meanOver(square(x), [0]), 1e-6))), parameter('gain', ones, n))),
);

describe('a layer defined by an expression', () => {
  const encoder = network(
    'encoder',
    pipe(input(4), dense(3), rmsNorm, (s) => s, dense(2)),
  );
  const back = network('decoder', { h: [2], w: [2] }, ({ h, w }) => through('up', concat(h, w), dense(4)));
  const x = data(4);
  const spec = experiment({
    encoder,
    decoder: network('kernels', pipe(input(2), dense(4))),
    objective: {
      rec: sqNorm(sub(x, apply(back, { h: apply(encoder, x), w: field('w', 2) }))),
      gate: scale(hyper('g', 0.5), square(integerField('label'))),
    },
    optimizer: adam({ rate: 1e-3 }),
    batch: 3,
    steps: 4,
    data: 'digits',
  });

  test('normalises', () => {
    const of = calculate(
      { y: sum(square(apply(network('r', pipe(input(3), rmsNorm)), z))) },
      { given: new Map([['r/0.rmsNorm/gain', Float64Array.of(1, 1, 1)]]) },
    );
    expect(of('y')[0]).toBeCloseTo(3, 3);
  });

  test('is written with its body, and JSON alone rebuilds it', () => {
    const json: unknown = JSON.parse(JSON.stringify(right(encodeExperiment(spec))));
    expect(right(decodeExperiment(json))).toEqual(JSON.parse(JSON.stringify(spec)));
    expect(JSON.stringify(json)).toContain('rmsNorm');
  });

  test('compiles, with fields as inputs of the program', () => {
    const { step: program } = right(compile(spec));
    expect(
      program.binders
        .filter((b) => b.kind === 'data')
        .map((b) => b.name)
        .sort(),
    ).toEqual(['data', 'label', 'w']);
  });

  test('a hyper-parameter in a body is set like any other', () => {
    const gated = layer('gated', (y: Expr<readonly [number]>) => scale(hyper('gain', 1), y));
    const inside = { ...spec, encoder: network('encoder', pipe(input(4), dense(2), gated)) };
    const changed = right(
      setHypers({ ...inside, objective: { rec: sqNorm(apply(inside.encoder, x)) } }, { gain: 3 }),
    );
    expect(JSON.stringify(changed.encoder)).toContain('"value":3');
    expect(JSON.stringify(changed.objective)).toContain('"value":3');
    expect(JSON.stringify(changed)).not.toContain('"name":"gain","value":1');
  });

  test('that calls the network it is in is a problem', () => {
    const json: unknown = JSON.parse(JSON.stringify(right(encodeExperiment(spec))));
    const text = JSON.stringify(json).replace(
      '"layers":[{"tag":"dense"',
      '"layers":[{"tag":"defined","name":"loop","arguments":{"x":[4]},"outputs":{"":{"tag":"apply","network":"encoder","at":{"tag":"argument","name":"x","shape":[4]},"output":""}}},{"tag":"dense"',
    );
    expect(JSON.stringify(left(decodeExperiment(JSON.parse(text))))).toContain(
      'itself in its body (encoder → encoder)',
    );
  });
});

const sizes = fc.integer({ min: 1, max: 4 });

describe('arrays', () => {
  test.prop([
    fc.constantFrom(
      'ik,kj->ij',
      'ik,jk->ji',
      'hik,hjk->hij',
      'hik,kj->hij',
      'i,j->ij',
      'i,i->',
      'ij,j->i',
      'ij,ij->j',
      'ij,k->i',
      'abc,cb->a',
    ),
    fc.dictionary(fc.constantFrom(...'abchijk'), sizes),
    fc.constantFrom('both', 'left', 'right', 'neither'),
    fc.nat(),
  ])(
    'a contraction sums products over the letters that the result lacks',
    (text, given, perExample, seed) => {
      const [operands = '', out = ''] = text.split('->');
      const [l = '', r = ''] = operands.split(',');
      const size = (letter: string): number => given[letter] ?? 2;
      const shape = (letters: string): readonly number[] => [...letters].map(size);
      const dims = (letters: string): number => shape(letters).reduce((a, b) => a * b, 1);
      const own = (name: string, letters: string, each: boolean): Node =>
        each
          ? { tag: 'field', name, shape: shape(letters), type: 'float' }
          : parameter(name, normalInitializer(1), ...shape(letters));
      const a = own('a', l, perExample === 'both' || perExample === 'left');
      const b = own('b', r, perExample === 'both' || perExample === 'right');
      const of = calculate({ a, b, y: { tag: 'contract', subscripts: text, left: a, right: b } }, { seed });
      const letters = [...new Set([...l, ...r])];
      const expected = new Float64Array(dims(out));
      const visit = (rest: readonly string[], at: Readonly<Record<string, number>>): void => {
        const [letter, ...others] = rest;
        if (letter === undefined) {
          const index = (text2: string): number =>
            [...text2].reduce((i, key) => i * size(key) + (at[key] ?? 0), 0);
          expected[index(out)] =
            (expected[index(out)] ?? 0) + (of('a')[index(l)] ?? 0) * (of('b')[index(r)] ?? 0);
          return;
        }
        for (let i = 0; i < size(letter); i++) visit(others, { ...at, [letter]: i });
      };
      visit(letters, {});
      near(of('y'), expected);
      expect(shapeOf({ tag: 'contract', subscripts: text, left: a, right: b })).toEqual(shape(out));
    },
  );

  test.prop([
    fc.constantFrom('add', 'max', 'min', 'mul'),
    sizes,
    fc.integer({ min: 1, max: 9 }),
    sizes,
    fc.nat(),
  ])('a reduction is its operator between all elements', (op, n, m, k, seed) => {
    const x: Node = parameter('x', normalInitializer(1), n, m, k);
    const of = calculate({ x, y: { tag: 'reduce', op, of: x, axes: [1] } }, { seed });
    const f = {
      add: (a: number, b: number) => a + b,
      max: Math.max,
      min: Math.min,
      mul: (a: number, b: number) => a * b,
    }[op];
    const expected = Array.from({ length: n * k }, (_, i) =>
      Array.from(
        { length: m },
        (_unused, j) => of('x')[Math.floor(i / k) * m * k + j * k + (i % k)] ?? 0,
      ).reduce((a, b) => f(a, b)),
    );
    near(of('y'), expected);
  });

  test('softmax, logSumExp, cumulated sums and ranges', () => {
    const x = parameter('x', normalInitializer(1), 3, 4);
    const of = calculate({
      total: sumOver(softmax(x, [1]), [1]),
      far: logSumExp(scale(1e4, x), [1]),
      lse: logSumExp(x, [1]),
      x,
      sums: cumulatedSum(x, 1),
      range: range(4),
    });
    near(of('total'), [1, 1, 1]);
    expect([...of('far')].every(Number.isFinite)).toBe(true);
    const rows = [0, 1, 2].map((i) => Array.from(of('x').slice(4 * i, 4 * i + 4)));
    near(
      of('lse'),
      rows.map((row) => Math.log(row.reduce((s, v) => s + Math.exp(v), 0))),
    );
    near(
      of('sums'),
      rows.flatMap((row) => row.map((_, i) => row.slice(0, i + 1).reduce((s, v) => s + v, 0))),
    );
    near(of('range'), [0, 1, 2, 3]);
  });
});

describe('statistics over the batch', () => {
  test('are of all its examples', () => {
    const x = data(2);
    const given = new Map([['data', Float64Array.of(1, 2, 3, 5, 8, 14)]]);
    const of = calculate(
      {
        m: batchMean(x),
        v: batchVariance(x),
        c: batchCovariance(x, x),
        next: another(x),
        far: another(x, 4),
      },
      { batch: 3, given },
    );
    near(of('m'), [4, 7]);
    near(of('v'), [26 / 3, 26]);
    near(
      of('c'),
      [26 / 3, 15, 15, 26].map((n, i) => (i === 1 || i === 2 ? (3 * 5 + 1 * 2 + 4 * 7) / 3 : n)),
    );
    near(of('next'), [3, 5, 8, 14, 1, 2]);
    near(of('far'), [3, 5, 8, 14, 1, 2]);
  });

  test('have derivatives through every example', () => {
    const w = parameter('w', normalInitializer(1), 2);
    const x = data(2);
    const score = dot(w, x);
    const spread = batchVariance(mul(score, score));
    const encoder = network('encoder', pipe(input(2), dense(2)));
    const spec = experiment({
      encoder,
      decoder: encoder,
      objective: { spread: add(spread, mul(another(score), score)) },
      optimizer: adam({ rate: 1e-3 }),
      batch: 4,
      steps: 1,
      data: 'digits',
    });
    const { step: program } = right(compile(spec));
    expect(program.outputs.length).toBeGreaterThan(0);
  });
});
