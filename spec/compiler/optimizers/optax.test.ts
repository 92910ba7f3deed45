/** Every optimizer goes where optax's goes in 50 steps, in float64: spec/compiler/optimizers/optax.json is what bench/references/optax_steps.py found. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.js';
import {
  accumulate,
  adafactor,
  adagrad,
  adam,
  adamW,
  averaged,
  chain,
  clipNorm,
  contract,
  freeze,
  input,
  lion,
  lookahead,
  momentum,
  nadam,
  network,
  objective,
  only,
  type Optimizer,
  parameter,
  pipe,
  rmsProp,
  scale,
  scaleByAdam,
  scaleByRate,
  scaleUpdate,
  schedule,
  sgd,
  sqNorm,
  square,
  sub,
  sum,
  clipValue,
  dense,
  reshaped,
  concat,
  weightDecay,
  zeros,
  constantInitializer,
} from '../../../dsl/index.js';
import { root } from '../../shared/command.js';
import { right } from '../../shared/either.js';
import { arrayOf } from '../../shared/expressions.js';
import { type Arrays, interpret } from '../../shared/outputs.js';

type Shown = {
  readonly step: number;
  readonly weights: readonly number[];
  readonly average?: readonly number[];
};

const reference: {
  readonly start: readonly number[];
  readonly cases: Readonly<Record<string, readonly Shown[]>>;
} = JSON.parse(readFileSync(join(root, 'spec', 'compiler', 'optimizers', 'optax.json'), 'utf8'));

const p = parameter('p', zeros, 3);
const w = parameter('w', zeros, 4, 3);
const target = concat(
  ...[1, -0.5, 0.25, 0.75].map((value, i) =>
    reshaped(parameter(`target${i}`, constantInitializer(value), 1), 1),
  ),
);
const rest = sub(contract('ij,j->i', w, p), target);
const terms = objective({
  rest: scale(0.5, sqNorm(rest)),
  p: scale(0.25, sum(square(square(p)))),
  w: scale(0.05, sum(square(square(w)))),
});

const rate = 0.05;
/** The targets are constants of the problem. */
const held = (optimizer: Optimizer): Optimizer => ({
  ...optimizer,
  chain: [freeze('target*'), ...optimizer.chain],
});

const optimizers: Readonly<Record<string, Optimizer>> = {
  'sgd': sgd({ rate }),
  'sgd with momentum': sgd({ rate, momentum: 0.9 }),
  'sgd with Nesterov': sgd({ rate, momentum: 0.9, nesterov: true }),
  'adam': averaged(adam({ rate }), { decay: 0.9 }),
  'adam of other numbers': adam({ rate, beta1: 0.5, beta2: 0.9, epsilon: 0.01 }),
  'adamW': adamW({ rate, weightDecay: 0.1 }),
  'adamW of one array': adamW({ rate, weightDecay: 0.1, decayed: 'w' }),
  'nadam': nadam({ rate }),
  'lion': lion({ rate: rate / 10, weightDecay: 0.01 }),
  'rmsProp': rmsProp({ rate: rate / 10 }),
  'rmsProp, centred, with momentum': rmsProp({ rate: rate / 10, decay: 0.8, centered: true, momentum: 0.5 }),
  'adagrad': adagrad({ rate }),
  'adafactor': adafactor({ rate, least: 2 }),
  'adafactor, not factored': adafactor({ rate }),
  'clipped by norm': adam({ rate, clipNorm: 0.5 }),
  'clipped by value': chain(clipValue(0.2), momentum(0.9), scaleByRate(rate)),
  'a rate of its own': chain(scaleByAdam(), only('p', scaleUpdate(0.1)), scaleByRate(rate)),
  'frozen': chain(freeze('w'), scaleByAdam(), scaleByRate(rate)),
  'accumulated': accumulate(3, adam({ rate })),
  'lookahead': lookahead(adam({ rate }), { period: 4, share: 0.5 }),
  'a chain': chain(clipNorm(1), scaleByAdam({ beta1: 0.8 }), weightDecay(0.05), momentum(0.5), scaleByRate(rate)),
  'cosine': adam({ rate: schedule.cosine(rate, rate / 10, 40) }),
  'warm-up and cosine': adam({
    rate: schedule.join(schedule.linear(0, rate, 10), { from: 10, then: schedule.cosine(rate, 0.001, 35) }),
  }),
  'one cycle': adam({ rate: schedule.oneCycle(50, 0.1) }),
  'piecewise': sgd({
    rate: schedule.piecewise(rate, { from: 20, value: rate / 10 }, { from: 35, value: rate / 20 }),
  }),
}; // prettier-ignore

const unused = network('unused', pipe(input(1), dense(1)));

/** The weights and their averages after each of 50 steps. */
const trajectory = (optimizer: Optimizer): readonly Arrays[] => {
  const { step, states } = right(
    compile({
      encoder: unused,
      decoder: unused,
      objective: terms,
      optimizer: held(optimizer),
      batch: 1,
      steps: 50,
      data: 'none',
      validation: { every: 0 },
    }),
  );
  const start = { p: reference.start.slice(0, 3), w: reference.start.slice(3) };
  const begun = states.map(({ name, shape, initializer, copies }): readonly [string, Float64Array] => {
    const value = initializer.tag === 'constant' ? initializer.value : 0;
    const copied = copies?.name === 'p' ? start.p : copies?.name === 'w' ? start.w : undefined;
    return [
      name,
      copied === undefined
        ? new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(value)
        : Float64Array.from(copied),
    ];
  });
  let arrays: Arrays = new Map([
    ...begun,
    ...Object.entries(start).map(([name, values]) => [name, Float64Array.from(values)] as const),
    ...[1, -0.5, 0.25, 0.75].map((value, i) => [`target${i}`, Float64Array.of(value)] as const),
  ]);
  return Array.from({ length: 50 }, (_, i) => {
    const outputs = interpret(step, new Map([...arrays, ['step', Float64Array.of(i)]]));
    arrays = new Map([...arrays].map(([name, values]) => [name, outputs.get(`next ${name}`) ?? values]));
    return arrays;
  });
};

const expectNear = (found: readonly number[], expected: readonly number[], step: number): void =>
  expected.forEach((value, i) =>
    expect(Math.abs((found[i] ?? Number.NaN) - value), `number ${i} after ${step} steps`).toBeLessThan(
      1e-12 * Math.max(1, Math.abs(value)),
    ),
  );

describe('optax', () => {
  test('has a case for each of ours', () => {
    expect(Object.keys(optimizers)).toEqual(Object.keys(reference.cases));
  });

  test.each(Object.entries(optimizers))('%s goes the same way', (name, optimizer) => {
    const found = trajectory(optimizer);
    for (const { step, weights, average } of reference.cases[name] ?? []) {
      const arrays = found[step - 1] ?? new Map();
      const both = (prefix: string) => [...arrayOf(arrays, `${prefix}p`), ...arrayOf(arrays, `${prefix}w`)];
      expectNear(both(''), weights, step);
      if (average !== undefined) expectNear(both('average/'), average, step);
    }
  });
});
