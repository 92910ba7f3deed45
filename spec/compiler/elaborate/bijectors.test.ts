/** Flows have their inverse, on both sides where they are onto, and their log-determinant is that of the full Jacobian. */
import { elementAt, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import type { Invertible } from '../../../dsl/layers/bijector.js';
import {
  householder,
  rotation,
  inversion,
  scaling,
  specialConformal,
  translation,
} from '../../../dsl/layers/bijections.js';
import { latent } from '../../../dsl/layers/flow.js';
import type { Node } from '../../../dsl/expressions/expression.js';
import type { Layer, Part, Transform } from '../../../dsl/layers/layer.js';
import type { NetworkValue } from '../../../dsl/network.js';
import { invert } from '../../../dsl/network.js';
import type { Shape } from '../../../dsl/shape.js';
import { sizeOf } from '../../../dsl/shape.js';
import { bijectiveFlow, injectiveFlow, outputOf } from '../../../laws/arbitrary/flow.js';
import { activation } from '../../../laws/arbitrary/network.js';
import { fromTape } from '../../../laws/arbitrary/tape.js';
import { backends, type Case, hasNative, runOn, runOnNative } from '../../shared/backends.js';
import { arrayOf, calculate, calculation, type Calculation, jvp, x } from '../../shared/expressions.js';
import { feed } from '../../shared/feeding.js';
import { type Arrays, interpret } from '../../shared/outputs.js';

const seed = fc.nat(1e6);
const batch = 2;

const apply = (network: NetworkValue, at: Node): Node => ({ tag: 'apply', network, at, output: '' });
const logDet = (network: NetworkValue, at: Node): Node => ({ tag: 'logDet', network, at });

const flows = fromTape((tape) => bijectiveFlow(tape, 4), 60);
const injections = fromTape(injectiveFlow, 60);
const singles = fromTape((tape) => bijectiveFlow(tape, 1), 30);

const furthest = (found: Float64Array, expected: Float64Array): number => {
  expect(found.length).toBe(expected.length);
  return Math.max(
    0,
    ...found.map(
      (value, i) => Math.abs(value - float64At(expected, i)) / Math.max(1, Math.abs(float64At(expected, i))),
    ),
  );
};

/** Both round trips from the data: through the flow and back, and through its inverse and back. */
const roundTrips = (flow: NetworkValue): Readonly<Record<string, Node>> => {
  const there = x(flow.input);
  return { point: there, back: apply(invert(flow), apply(flow, there)) };
};

/** log |det| of a matrix by Gaussian elimination with pivots. */
const logAbsDet = (matrix: readonly Float64Array[]): number => {
  const rows = matrix.map((row) => Float64Array.from(row));
  return rows.reduce((sum, _, k) => {
    const pivot = rows
      .slice(k)
      .reduce(
        (best, row, i) =>
          Math.abs(float64At(row, k)) > Math.abs(float64At(elementAt(rows, best), k)) ? k + i : best,
        k,
      );
    [rows[k], rows[pivot]] = [elementAt(rows, pivot), elementAt(rows, k)];
    for (const row of rows.slice(k + 1)) {
      const factor = float64At(row, k) / float64At(elementAt(rows, k), k);
      row.forEach((value, j) => {
        row[j] = value - factor * float64At(elementAt(rows, k), j);
      });
    }
    return sum + Math.log(Math.abs(float64At(elementAt(rows, k), k)));
  }, 0);
};

/** The standard basis as probes, for one example. */
const basis = (shape: Shape): Float64Array => {
  const n = sizeOf(shape);
  return Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
};

/** logDet against the determinant of the Jacobian by elimination, for one example in float64. */
const expectLogDet = (net: NetworkValue, s: number): void => {
  const n = sizeOf(net.input);
  const probes: Node = { tag: 'draw', name: 'e', distribution: 'normal', shape: net.input, probes: n };
  const at = x(net.input);
  const value = calculate(
    { J: jvp(net, at, probes), logDet: logDet(net, at) },
    { seed: s, given: new Map([['e', basis(net.input)]]) },
  );
  const columns = Array.from({ length: n }, (_, k) => value('J').subarray(k * n, (k + 1) * n));
  const expected = logAbsDet(columns);
  expect(Math.abs((value('logDet')[0] ?? NaN) - expected)).toBeLessThan(
    1e-9 * Math.max(1, Math.abs(expected)),
  );
};

const coupling = (transform: Transform, part: Part): Layer => ({
  tag: 'coupling',
  transform,
  part,
  conditioner: [activation('tanh')],
});

/** Every kind of invertible layer alone, on vectors and images; a kind without a case does not compile. */
const kinds: { readonly [T in Invertible['tag']]: readonly NetworkValue[] } = (() => {
  const on = (input: Shape, ...layers: readonly Layer[]): NetworkValue => ({ name: 'flow', input, layers });
  const transforms: readonly Transform[] = [
    { tag: 'affine', bound: 2 },
    { tag: 'spline', bins: 4, bound: 2 },
    { tag: 'circularSpline', bins: 4, bound: 2 },
  ];
  const bent = coupling(elementAt(transforms, 0), 'last');
  return {
    coupling: transforms.flatMap((transform) =>
      (['first', 'last'] as const).flatMap((part) =>
        [[3], [2, 2, 3]].map((shape) => on(shape, coupling(transform, part))),
      ),
    ),
    elementwise: transforms.flatMap((transform) =>
      [[1], [3], [2, 2, 2]].map((shape) => on(shape, { tag: 'elementwise', transform })),
    ),
    permutation: [[4], [2, 1, 3]].map((shape) => on(shape, { tag: 'permutation', seed: 1 })),
    luLinear: [[1], [4], [2, 2, 3]].map((shape) => on(shape, { tag: 'luLinear' })),
    squeeze: [on([2, 4, 1], { tag: 'squeeze', size: 2 })],
    factorOut: [[4], [2, 1, 4], [3]].map((shape) =>
      on(shape, { tag: 'factorOut', layers: [{ tag: 'luLinear' }] }),
    ),
    inverse: [on([3], { tag: 'inverse', input: [3], layers: [{ tag: 'luLinear' }, bent] })],
    inject: [on([2], { tag: 'inject', units: 3 }), on([1], { tag: 'inject', units: 4 })],
    bijection: [scaling, translation, inversion, specialConformal, rotation, () => householder(2)].map(
      (made) => on([3], ...made()(latent(3)).layers),
    ),
    flatten: [on([2, 1, 2], { tag: 'flatten' })],
    reshape: [on([4], { tag: 'reshape', shape: [2, 2, 1] })],
  };
})();

const kindCases = Object.entries(kinds).map(([tag, layers]) => ({ tag, layers }));
const seeds = [1, 2, 3];

/** There and back, and back and there where the layer is onto. */
const tripsOf = (tag: string, flow: NetworkValue): readonly Calculation[] =>
  (tag === 'inject' ? [flow] : [flow, invert(flow)]).map((net) => calculation(roundTrips(net), batch));

const kindRuns = (tag: string, layers: readonly NetworkValue[], of = seeds): readonly Case[] =>
  layers.flatMap((flow) =>
    tripsOf(tag, flow).flatMap(({ program, draws }) =>
      of.map((s) => ({ program, inputs: feed(program, draws, s) })),
    ),
  );

const expectBack = (results: Arrays, tolerance: number): void =>
  expect(furthest(arrayOf(results, 'back'), arrayOf(results, 'point'))).toBeLessThan(tolerance);

describe.each(kindCases)('$tag', ({ tag, layers }) => {
  example('has its inverse in float64', () => {
    for (const { program, inputs } of kindRuns(tag, layers)) expectBack(interpret(program, inputs), 1e-10);
  });

  example.each(['wasm', 'cpu'] as const)('has its inverse in float32 on %s', async (name) => {
    for (const { program, inputs } of kindRuns(tag, layers))
      expectBack(await runOn(backends[name], program, inputs), 1e-5);
  });

  example.skipIf(!hasNative())('has its inverse in float32 on native', async () => {
    for (const results of await runOnNative(kindRuns(tag, layers, [1]))) expectBack(results, 1e-5);
  });
});

example.each(kindCases.filter(({ tag }) => tag !== 'inject'))(
  '$tag has the log-determinant of its Jacobian, either way',
  ({ layers }) => {
    for (const flow of layers) {
      for (const s of seeds) {
        expectLogDet(flow, s);
        expectLogDet(invert(flow), s);
      }
    }
  },
);

describe('in float64', () => {
  test.prop([flows, seed])('the inverse undoes the flow', (flow, s) => {
    const value = calculate(roundTrips(flow), { batch, seed: s });
    expect(furthest(value('back'), value('point'))).toBeLessThan(1e-10);
  });

  test.prop([flows, seed])('the flow undoes its inverse', (flow, s) => {
    const value = calculate(roundTrips(invert(flow)), { batch, seed: s });
    expect(furthest(value('back'), value('point'))).toBeLessThan(1e-10);
  });

  test.prop([injections, seed])('an injection has a left inverse', (flow, s) => {
    const value = calculate(roundTrips(flow), { batch, seed: s });
    expect(furthest(value('back'), value('point'))).toBeLessThan(1e-10);
  });

  test.prop([injections, seed])('decoding what was encoded is a projection', (flow, s) => {
    const project = (at: Node): Node => apply(flow, apply(invert(flow), at));
    const once = project(x(outputOf(flow)));
    const value = calculate({ once, twice: project(once) }, { batch, seed: s });
    expect(furthest(value('twice'), value('once'))).toBeLessThan(1e-9);
  });

  test.prop([flows, fc.boolean(), seed])('logDet is that of the full Jacobian', (flow, inverted, s) => {
    expectLogDet(inverted ? invert(flow) : flow, s);
  });

  test.prop([flows, seed])(
    'the log-determinant of the inverse is the negative of that of the flow',
    (flow, s) => {
      const at = x(flow.input);
      const value = calculate(
        { there: logDet(flow, at), back: logDet(invert(flow), apply(flow, at)) },
        { seed: s },
      );
      expect(Math.abs(float64At(value('there'), 0) + float64At(value('back'), 0))).toBeLessThan(1e-9);
    },
  );

  test.prop([flows, seed])('layers apply in the order in which they are written', (flow, s) => {
    const first: NetworkValue = { ...flow, layers: flow.layers.slice(0, 1) };
    const rest: NetworkValue = { name: 'flow', input: outputOf(first), layers: flow.layers.slice(1) };
    const at = x(flow.input);
    const whole = calculation({ value: apply(flow, at), logDet: logDet(flow, at) }, batch);
    const given = feed(whole.program, whole.draws, s);
    const together = interpret(whole.program, given);
    // The weights of the whole under the names of its parts, one layer further up.
    const parts = new Map(
      [...given].map(([name, values]) => [
        name.replace(/^flow\/(\d+)/, (_, i: string) => (i === '0' ? 'flow/0' : `rest/${Number(i) - 1}`)),
        values,
      ]),
    );
    const middle = apply(first, at);
    const end = { ...rest, name: 'rest' };
    const value = calculate(
      {
        value: apply(end, middle),
        logDet: { tag: 'binary', op: 'add', left: logDet(first, at), right: logDet(end, middle) },
      },
      { batch, given: parts, seed: s },
    );
    expect(furthest(value('value'), arrayOf(together, 'value'))).toBeLessThan(1e-12);
    expect(furthest(value('logDet'), arrayOf(together, 'logDet'))).toBeLessThan(1e-9);
  });

  test.prop([flows])('invert(invert(f)) is f', (flow) => {
    expect(invert(invert(flow))).toEqual(flow);
  });

  test.prop([flows])(
    'a flow starts as the identity up to its order: with zero weights volume is kept',
    (flow) => {
      const at = x(flow.input);
      const { program, draws } = calculation({ value: apply(flow, at), logDet: logDet(flow, at) }, 1);
      const given = new Map(
        [...feed(program, draws, 1)].map(([name, values]) => [
          name,
          name === 'data' ? values : values.map(() => 0),
        ]),
      );
      const results = interpret(program, given);
      expect(Math.abs(float64At(arrayOf(results, 'logDet'), 0))).toBeLessThan(1e-12);
      const sorted = (values: Float64Array): Float64Array => Float64Array.from(values).sort();
      expect(furthest(sorted(arrayOf(results, 'value')), sorted(arrayOf(given, 'data')))).toBeLessThan(1e-12);
    },
  );
});

describe('in float32', () => {
  const cases = (flow: NetworkValue, s: number) => {
    const there = calculation(roundTrips(flow), batch);
    const back = calculation(roundTrips(invert(flow)), batch);
    return [there, back].map(({ program, draws }) => ({ program, inputs: feed(program, draws, s) }));
  };

  test.prop([singles, seed], { numRuns: 40 })(
    'on wasm every layer has its inverse on both sides',
    async (flow, s) => {
      for (const { program, inputs } of cases(flow, s)) {
        const results = await runOn(backends.wasm, program, inputs);
        expect(furthest(arrayOf(results, 'back'), arrayOf(results, 'point'))).toBeLessThan(1e-5);
      }
    },
  );

  test.skipIf(!hasNative())('on native every layer has its inverse on both sides', async () => {
    const sampled = fc.sample(fc.tuple(singles, seed), { numRuns: 20, seed: 1 });
    const all = sampled.flatMap(([flow, s]) => cases(flow, s));
    const results = await runOnNative(all);
    results.forEach((result) => {
      expect(furthest(arrayOf(result, 'back'), arrayOf(result, 'point'))).toBeLessThan(1e-5);
    });
  });
});
