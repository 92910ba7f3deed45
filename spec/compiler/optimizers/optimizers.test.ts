/** Optimizers and schedules in the intermediate representation equal their formulas; a step that is not finite is not committed. */
import { elementAt, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { compile } from '../../../compiler/compile.js';
import type { Objective } from '../../../dsl/experiment.js';
import type { Expr, Node } from '../../../dsl/expressions/expression.js';
import { add, constant, div, hyper, log, mul, pow, sqrt, sum } from '../../../dsl/expressions/expression.js';
import type { NetworkValue } from '../../../dsl/network.js';
import { adam, type Optimizer, sgd } from '../../../dsl/optimizer.js';
import { schedule } from '../../../dsl/expressions/schedule.js';
import type { Scalar } from '../../../dsl/shape.js';
import { dense } from '../../../laws/arbitrary/network.js';
import { backends, runOn } from '../../shared/backends.js';
import { right } from '../../shared/either.js';
import { arrayOf, calculate, free } from '../../shared/expressions.js';
import { type Arrays, interpret } from '../../shared/outputs.js';

const unused: NetworkValue = { name: 'unused', input: [1], layers: [dense(1)] };

const stepOf = (objective: Objective, optimizer: Optimizer) =>
  right(
    compile({
      encoder: unused,
      decoder: unused,
      objective,
      optimizer,
      batch: 1,
      steps: 1,
      data: 'none',
      validation: { every: 0 },
    }),
  );

/** Σ p⁴/4 + Σ 3q²/2: gradients p³ and 3q. */
const p = free('p', 3);
const q = free('q', 2, 1);
const product = (left: Node, right2: Node): Node => ({ tag: 'binary', op: 'mul', left, right: right2 });
const p2 = product(p, p);
const objective: Objective = {
  quartic: mul(0.25, sum(product(p2, p2))),
  quadratic: mul(1.5, sum(product(q, q))),
};
const gradientOf = (p0: Float64Array, q0: Float64Array): Float64Array =>
  Float64Array.of(...p0.map((x) => x ** 3), ...q0.map((x) => 3 * x));

const steps = 6;

/** Runs the step program over several steps from zero moments; every p and q on the way as one vector. */
const trajectory = (optimizer: Optimizer, start: Float64Array): readonly Float64Array[] => {
  const { step, states } = stepOf(objective, optimizer);
  expect(states.every(({ initializer }) => initializer.tag === 'zeros')).toBe(true);
  const results: Float64Array[] = [];
  let inputs: Arrays = new Map([
    ['p', start.slice(0, 3)],
    ['q', start.slice(3)],
    ...states.map(({ name, shape }) => [name, new Float64Array(shape.reduce((a, b) => a * b, 1))] as const),
  ]);
  for (let i = 0; i < steps; i++) {
    const outputs = interpret(step, new Map([...inputs, ['step', Float64Array.of(i)]]));
    inputs = new Map(
      [...inputs.keys()].map((name) => [name, outputs.get(`next ${name}`) ?? arrayOf(inputs, name)]),
    );
    results.push(Float64Array.of(...arrayOf(inputs, 'p'), ...arrayOf(inputs, 'q')));
  }
  return results;
};

/** The same by hand: `move` says how far each parameter goes at step i, from its clipped gradient. */
const byHand = (
  start: Float64Array,
  clipNorm: number | undefined,
  move: (g: Float64Array, i: number) => Float64Array,
): readonly Float64Array[] => {
  const results: Float64Array[] = [];
  let theta = start;
  for (let i = 0; i < steps; i++) {
    const g = gradientOf(theta.subarray(0, 3), theta.subarray(3));
    const norm = Math.sqrt(g.reduce((total, x) => total + x * x, 0));
    const factor = clipNorm !== undefined && norm > clipNorm ? clipNorm / norm : 1;
    const change = move(
      g.map((x) => x * factor),
      i,
    );
    theta = theta.map((x, k) => x - float64At(change, k));
    results.push(theta);
  }
  return results;
};

const expectSame = (found: readonly Float64Array[], expected: readonly Float64Array[]): void => {
  expected.forEach((values, i) =>
    values.forEach((x, k) =>
      expect(Math.abs(float64At(elementAt(found, i), k) - x), `step ${i}`).toBeLessThan(
        1e-11 * Math.max(1, Math.abs(x)),
      ),
    ),
  );
};

const starts = fc
  .array(fc.double({ min: -1.5, max: 1.5, noNaN: true }), { minLength: 5, maxLength: 5 })
  .map((values) => Float64Array.from(values));
const clips = fc.constantFrom(undefined, 0.1, 1, 100);
const clipped = (clipNorm: number | undefined) => (clipNorm === undefined ? {} : { clipNorm });
const fraction = fc.constantFrom(0, 0.5, 0.9);

describe('optimizers', () => {
  test.prop([starts, fraction, fc.boolean(), clips])(
    'SGD is m ← μm + g, θ ← θ − rate·m, and with Nesterov θ − rate·(g + μm)',
    (start, momentum, nesterov, clipNorm) => {
      const m = new Float64Array(5);
      const expected = byHand(start, clipNorm, (g) => {
        g.forEach((x, k) => (m[k] = momentum * float64At(m, k) + x));
        return m.map((x, k) => 0.05 * (nesterov ? float64At(g, k) + momentum * x : x));
      });
      expectSame(trajectory(sgd({ rate: 0.05, momentum, nesterov, ...clipped(clipNorm) }), start), expected);
    },
  );

  test.prop([starts, fraction, fc.constantFrom(0.5, 0.999), fc.constantFrom(1e-8, 0.1), clips], {
    examples: [[new Float64Array(5), 0, 0.5, 1e-8, undefined]],
  })(
    'Adam is algorithm 1 of Kingma and Ba, at a scheduled rate',
    (start, beta1, beta2, epsilon, clipNorm) => {
      const [m, v] = [new Float64Array(5), new Float64Array(5)];
      const expected = byHand(start, clipNorm, (g, i) => {
        const t = i + 1;
        const rate = 0.02 * Math.min(t / 4, 1);
        return g.map((x, k) => {
          m[k] = beta1 * float64At(m, k) + (1 - beta1) * x;
          v[k] = beta2 * float64At(v, k) + (1 - beta2) * x * x;
          const mean = m[k] / (1 - beta1 ** t);
          return (rate * mean) / (Math.sqrt(v[k] / (1 - beta2 ** t)) + epsilon);
        });
      });
      const rate = schedule.warmUp(4, 0.02);
      expectSame(trajectory(adam({ rate, beta1, beta2, epsilon, ...clipped(clipNorm) }), start), expected);
    },
  );

  test.prop([starts])('gradientNorm is the norm of all gradients before clipping', (start) => {
    const { step } = stepOf(objective, sgd({ rate: 0.1, clipNorm: 1e-3 }));
    const outputs = interpret(
      step,
      new Map([
        ['p', start.slice(0, 3)],
        ['q', start.slice(3)],
      ]),
    );
    const g = gradientOf(start.subarray(0, 3), start.subarray(3));
    expect(arrayOf(outputs, 'gradientNorm')[0]).toBeCloseTo(
      Math.sqrt(g.reduce((total, x) => total + x * x, 0)),
      10,
    );
  });
});

describe('commit', () => {
  const scalar: Expr<Scalar> = free('s');
  const cases: Readonly<Record<string, readonly [term: Expr<Scalar>, at: number, commit: number]>> = {
    'a loss that is no number': [log(scalar), -1, 0],
    'an infinite loss': [div(1, scalar), 0, 0],
    'a loss of −∞': [log(scalar), 0, 0],
    'an infinite gradient of a finite loss': [pow(scalar, 0.5), 0, 0],
    'a gradient that is no number': [mul(scalar, sqrt(add(scalar, 0))), -1, 0],
    'an ordinary step': [log(scalar), 2, 1],
  };
  for (const [name, [term, at, commit]] of Object.entries(cases)) {
    for (const [kind, optimizer] of [
      ['sgd', sgd({ rate: constant(0.1), clipNorm: 1 })],
      ['adam', adam({ rate: constant(0.1) })],
    ] as const) {
      example(`is ${commit} for ${name} under ${kind}`, async () => {
        const { step, states } = stepOf({ term }, optimizer);
        const inputs = new Map([
          ['s', Float64Array.of(at)],
          ['step', Float64Array.of(0)],
          ...states.map(({ name: state }) => [state, Float64Array.of(0)] as const),
        ]);
        expect([...arrayOf(interpret(step, inputs), 'commit')]).toEqual([commit]);
        for (const backend of Object.values(backends)) {
          expect([...arrayOf(await runOn(backend, step, inputs), 'commit')]).toEqual([commit]);
        }
      });
    }
  }
});

describe('schedules', () => {
  const at = (expression: Node, step: number): number =>
    float64At(
      calculate({ value: expression }, { given: new Map([['step', Float64Array.of(step)]]) })('value'),
      0,
    );
  const step = fc.nat(100_000);
  const number = fc.double({ min: -10, max: 10, noNaN: true });
  const positive = fc.double({ min: 0.1, max: 1000, noNaN: true });
  const expectNear = (found: number, expected: number): void =>
    expect(Math.abs(found - expected)).toBeLessThan(1e-12 * Math.max(1, Math.abs(expected)));

  test.prop([step, fc.constantFrom(1, 1.3, 0.5, 2), positive], { examples: [[0, 1.3, 1]] })(
    'power is 1 + scale·i^exponent',
    (i, exponent, factor) => {
      expectNear(at(schedule.power({ exponent, scale: factor }), i), 1 + factor * i ** exponent);
    },
  );

  test.prop([step, number, number, fc.integer({ min: 1, max: 1000 })], {
    examples: [
      [0, 1, 2, 10],
      [10, 1, 2, 10],
    ],
  })('linear goes from one value to the other, then stays', (i, from, to, over) => {
    expectNear(at(schedule.linear(from, to, over), i), i >= over ? to : from + ((to - from) * i) / over);
  });

  test.prop([step, number, positive])('exponential is start·e^(−i/timeConstant)', (i, start, time) => {
    expectNear(at(schedule.exponential(start, time), i), start * Math.exp(-i / time));
  });

  test.prop([step, number, fc.integer({ min: 1, max: 1000 })], {
    examples: [
      [0, 1, 1],
      [8, 1, 10],
      [9, 1, 10],
    ],
  })('warm-up is min((i + 1)/steps, 1) of its rate', (i, rate, over) => {
    expectNear(at(schedule.warmUp(over, rate), i), i + 1 >= over ? rate : (rate * (i + 1)) / over);
  });

  const pieces = fc
    .uniqueArray(fc.record({ from: fc.integer({ min: 1, max: 50 }), value: number }), {
      selector: ({ from }) => from,
      maxLength: 4,
    })
    .map((list) => [...list].sort((a, b) => a.from - b.from));
  test.prop([fc.nat(60), number, pieces])('piecewise is the last piece that has begun', (i, first, list) => {
    const expected = list.findLast(({ from }) => from <= i)?.value ?? first;
    expect(at(schedule.piecewise(first, ...list), i)).toBe(expected);
    const named = list.map(({ from, value }) => ({
      from: hyper('from', from),
      value: hyper('value', value),
    }));
    expect(at(schedule.piecewise(hyper('first', first), ...named), i)).toBe(expected);
  });
});
