/** Flows have their inverse, on both sides where they are onto, and their log-determinant is that of the full Jacobian. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { interpret } from '../compiler/interpret.js';
import type { Node } from '../dsl/expr.js';
import type { NetworkValue } from '../dsl/network.js';
import { invert } from '../dsl/network.js';
import type { Shape } from '../dsl/shape.js';
import { sizeOf } from '../dsl/shape.js';
import { bijectiveFlow, injectiveFlow, outputOf } from './arbitrary/flow.js';
import { fromTape } from './arbitrary/tape.js';
import { hasNative, runOn, runOnNative, backends } from './backends.js';
import { arrayOf, calculate, calculation, jvp, x } from './expressions.js';
import { feed } from './feeding.js';

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
    ...found.map((value, i) => Math.abs(value - expected[i]) / Math.max(1, Math.abs(expected[i]))),
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
      .reduce((best, row, i) => (Math.abs(row[k]) > Math.abs(rows[best][k]) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (const row of rows.slice(k + 1)) {
      const factor = row[k] / rows[k][k];
      row.forEach((value, j) => {
        row[j] = value - factor * rows[k][j];
      });
    }
    return sum + Math.log(Math.abs(rows[k][k]));
  }, 0);
};

/** The standard basis as probes, for one example. */
const basis = (shape: Shape): Float64Array => {
  const n = sizeOf(shape);
  return Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
};

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
    const net = inverted ? invert(flow) : flow;
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
  });

  test.prop([flows, seed])(
    'the log-determinant of the inverse is the negative of that of the flow',
    (flow, s) => {
      const at = x(flow.input);
      const value = calculate(
        { there: logDet(flow, at), back: logDet(invert(flow), apply(flow, at)) },
        { seed: s },
      );
      expect(Math.abs(value('there')[0] + value('back')[0])).toBeLessThan(1e-9);
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
      expect(Math.abs(arrayOf(results, 'logDet')[0])).toBeLessThan(1e-12);
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
