/** Optimizers by composition: averaged weights are what is evaluated, frozen ones stay, paths name weights, and a plateau is seen. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect, test } from 'vitest';
import { type Arrays, compile, interpret } from '../../../compiler/index.js';
import { matches } from '../../../compiler/optimizers/where.js';
import {
  adam,
  adamW,
  averaged,
  chain,
  constant,
  data,
  dense,
  describeOptimizer,
  type Experiment,
  experiment,
  freeze,
  input,
  lookahead,
  momentum,
  nadam,
  network,
  only,
  type Optimizer,
  pipe,
  scaleByRate,
  scaleUpdate,
  schedule,
  sgd,
  showProblem,
  sizeOf,
  sqNorm,
  step,
  sub,
  tanh,
  apply,
  weightDecay,
  accumulate,
} from '../../../dsl/index.js';
import { fit } from '../../../runs/index.js';
import { backends } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';
import { calculate } from '../../shared/expressions.js';
import { initialState } from '../../../runs/index.js';

const encoder = network('encoder', pipe(input(3), dense(4), tanh, dense(2)));
const decoder = network('decoder', pipe(input(2), dense(3)));
const x = data(3);
const specWith = (optimizer: Optimizer, steps = 6): Experiment =>
  experiment({
    encoder,
    decoder,
    objective: { reconstruction: sqNorm(sub(x, apply(decoder, apply(encoder, x)))) },
    optimizer,
    batch: 4,
    steps,
    data: 'none',
  });

const examples = Float32Array.from({ length: 3 * 40 }, (_, i) => Math.sin(i));
const split = (() => {
  const source = (name: string) => ({ name, shape: [3], size: 40, examples });
  return { train: source('train'), test: source('test') };
})();

const fitted = async (optimizer: Optimizer) =>
  right(await fit(specWith(optimizer), { data: split, backend: backends.wasm, seed: 2 }));

const weightsOf = async (optimizer: Optimizer) => {
  const model = await fitted(optimizer);
  const { arrays } = await model.state();
  const codes = await model.encode(examples);
  model.dispose();
  return { arrays, codes };
};

describe('averaged weights', () => {
  test('are what evaluation reads, and what is trained is as without them', async () => {
    const plain = await weightsOf(sgd({ rate: 0.05 }));
    const { arrays, codes } = await weightsOf(averaged(sgd({ rate: 0.05 }), { decay: 0.8 }));
    const names = [...plain.arrays.keys()];
    for (const name of names) expect(arrays.get(name)?.data).toEqual(plain.arrays.get(name)?.data);
    const { encode } = right(compile(specWith(sgd({ rate: 0.05 }))));
    const at = (prefix: string) =>
      interpret(
        { ...encode, batch: 40 },
        new Map([
          ['data', Float64Array.from(examples)],
          ...names.map(
            (name) => [name, Float64Array.from(arrays.get(`${prefix}${name}`)?.data ?? [])] as const,
          ),
        ]),
      ).value.get('code') ?? new Float64Array();
    const distance = (of: Float64Array): number =>
      Math.max(...of.map((value, i) => Math.abs(value - (codes[i] ?? 0))));
    expect(distance(at('average/'))).toBeLessThan(1e-5);
    expect(distance(at(''))).toBeGreaterThan(1e-3);
  });

  test('begin as the weights do', () => {
    const { arrays } = initialState(right(compile(specWith(averaged(adam({ rate: 0.1 }))))), 1);
    const names = [...arrays.keys()].filter((name) => name.startsWith('average/'));
    expect(names).toHaveLength(6);
    for (const name of names) expect(arrays.get(name)).toEqual(arrays.get(name.slice('average/'.length)));
  });
});

test('frozen weights stay, and have no moments and no part in the norm', async () => {
  const { arrays } = await weightsOf(chain(freeze('encoder'), momentum(0.9), scaleByRate(0.05)));
  const begun = initialState(right(compile(specWith(sgd({ rate: 1 })))), 2).arrays;
  for (const [name, { data: values }] of begun)
    expect(arrays.get(name)?.data.some((value, i) => value !== values[i])).toBe(name.startsWith('decoder'));
  expect([...arrays.keys()].filter((name) => name.startsWith('momentum/encoder'))).toEqual([]);
});

describe('a path', () => {
  test.each<readonly [string, readonly string[]]>([
    ['decoder', ['decoder/0.dense/kernel', 'decoder/0.dense/bias', 'decoder/1.defined/gain']],
    ['decoder/0.dense', ['decoder/0.dense/kernel', 'decoder/0.dense/bias']],
    ['**/kernel', ['decoder/0.dense/kernel', 'encoder/2.residual/0.dense/kernel']],
    ['*/*/kernel', ['decoder/0.dense/kernel']],
    ['decoder/*/bias', ['decoder/0.dense/bias']],
    [
      '**',
      [
        'decoder/0.dense/kernel',
        'decoder/0.dense/bias',
        'decoder/1.defined/gain',
        'encoder/2.residual/0.dense/kernel',
      ],
    ],
    ['de', []],
  ])('%s names its weights', (where, expected) => {
    const all = [
      'decoder/0.dense/kernel',
      'decoder/0.dense/bias',
      'decoder/1.defined/gain',
      'encoder/2.residual/0.dense/kernel',
    ];
    expect(all.filter(matches(where))).toEqual(expected);
  });
});

test.each<readonly [string, Optimizer, readonly string[]]>([
  [
    'a path of no weights',
    chain(only('decodr', scaleUpdate(0.1)), scaleByRate(1)),
    [
      'optimizer.chain[0].where: found "decodr", expected the path of weights, in encoder, decoder (did you mean "decoder"?)',
    ],
  ],
  [
    'nothing to train',
    chain(freeze('**'), scaleByRate(1)),
    ['optimizer.chain: found every weight frozen, expected weights that are trained'],
  ],
  [
    'a decay that is a function of the data',
    chain(only('encoder', weightDecay(sqNorm(x))), scaleByRate(1)),
    [
      'optimizer.chain[0].chain[0].weight: found an expression of the data, expected a schedule: a scalar of the step',
    ],
  ],
  [
    'a share of all',
    averaged(adam({ rate: 1 }), { decay: 1 }),
    ['optimizer.average: found 1, expected a number in [0, 1)'],
  ],
])('%s is a problem', (_, optimizer, lines) => {
  const compiled = compile(specWith(optimizer));
  expect(isLeft(compiled)).toBe(true);
  expect(left(compiled).map(showProblem)).toEqual(lines);
});

test('optimizers are described in a few words', () => {
  expect(
    [
      sgd({ rate: 1 }),
      sgd({ rate: 1, momentum: 0.9, nesterov: true }),
      adam({ rate: 1, clipNorm: 10 }),
      adam({ rate: 1, beta2: 0.9 }),
      adamW({ rate: 1, decayed: '**/kernel' }),
      lookahead(accumulate(4, averaged(nadam({ rate: 1 })))),
    ].map(describeOptimizer),
  ).toEqual([
    'sgd',
    'nesterov momentum 0.9',
    'clip norm 10, adam',
    'adam beta2 0.9',
    'adam, of **/kernel (weight decay 0.0001)',
    'nadam, accumulated over 4 steps, lookahead 6 steps by 0.5, evaluated by weights averaged at 0.999',
  ]);
});

describe('schedules', () => {
  const along = (of: ReturnType<typeof schedule.cosine>, steps: readonly number[]): readonly number[] =>
    steps.map(
      (i) =>
        calculate({ value: of }, { given: new Map([['step', Float64Array.of(i)]]) })('value')[0] ??
        Number.NaN,
    );

  test('cosine falls along half a cosine and stays', () => {
    const found = along(schedule.cosine(2, 1, 10), [0, 5, 10, 20]);
    [2, 1.5, 1, 1].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 12));
  });

  test('join counts the steps of each from its own beginning', () => {
    const joined = schedule.join(
      schedule.linear(0, 1, 4),
      { from: 4, then: schedule.linear(1, 0, 4) },
      { from: 8, then: 7 },
    );
    expect(along(joined, [0, 2, 4, 6, 8, 9])).toEqual([0, 0.5, 1, 0.5, 7, 7]);
  });

  test('oneCycle rises to its peak and falls to next to nothing', () => {
    const found = along(schedule.oneCycle(10, 1), [0, 3, 10]);
    [1 / 25, 1, 1 / 25e4].forEach((value, i) => expect(found[i]).toBeCloseTo(value, 12));
  });

  test('plateau lowers the rate when nothing has improved for so many steps', () => {
    // 5, 4, 3, 2, 1, 1, 1, …: two steps of patience after the last that was better.
    const watched = { tag: 'binary', op: 'max', left: sub(5, step), right: constant(1) } as const;
    const rate = schedule.plateau(1, watched, { patience: 2, factor: 0.5 });
    const { step: program, states } = right(compile({ ...specWith(sgd({ rate })), objective: { watched } }));
    let arrays: Arrays = new Map(
      states.map(({ name, shape, initializer }) => [
        name,
        new Float64Array(sizeOf(shape)).fill(initializer.tag === 'constant' ? initializer.value : 0),
      ]),
    );
    const rates = Array.from({ length: 12 }, (_, i) => {
      const found = interpret(program, new Map([...arrays, ['step', Float64Array.of(i)]]));
      arrays = new Map([...arrays].map(([name, values]) => [name, found.next.get(name) ?? values]));
      return found.telemetry.get('rate')?.[0];
    });
    expect(rates).toEqual([1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]);
  });
});
