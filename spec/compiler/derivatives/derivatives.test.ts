/** Forward and reverse mode are linear, compose, and are adjoint, over one direction and over several. */
import { float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { Arrays } from '../../../compiler/ir/interpret.js';
import type { Node } from '../../../dsl/expressions/expression.js';
import { scale } from '../../../dsl/expressions/expression.js';
import type { Statistics } from '../../../dsl/layers/layer.js';
import type { NetworkValue } from '../../../dsl/network.js';
import type { Shape } from '../../../dsl/shape.js';
import { sizeOf } from '../../../dsl/shape.js';
import { activation, dense, everything, type Kit, networkBetween } from '../../../laws/arbitrary/network.js';
import { fromTape } from '../../../laws/arbitrary/tape.js';
import { calculate, calculation, direction, jvp, vjp, x } from '../../shared/expressions.js';
import { feed } from '../../shared/feeding.js';
import { dot } from '../../shared/moments.js';

const seed = fc.nat(1e6);

/** A network with the shapes that it leads from and to. */
type Arrow = { readonly net: NetworkValue; readonly from: Shape; readonly to: Shape };

const shapes: readonly Shape[] = [[3], [2, 2, 1], [3, 4, 1], [4]];

const arrows = (kit: Kit): fc.Arbitrary<Arrow> =>
  fromTape((tape) => {
    const [from, to] = [tape.pick(shapes), tape.pick(shapes)];
    return { net: networkBetween(tape, kit, 'net', from, to, 5), from, to };
  }, 60);

const expectSame = (found: Float64Array, expected: Float64Array): void => {
  expect(found.length).toBe(expected.length);
  const scaleOf = Math.max(1, ...expected.map(Math.abs));
  found.forEach((value, i) => expect(Math.abs(value - float64At(expected, i))).toBeLessThan(1e-9 * scaleOf));
};

const feedOf = (expressions: Readonly<Record<string, Node>>, s: number): Arrays => {
  const { program, draws } = calculation(expressions, 2);
  return feed(program, draws, s);
};

const options = (s: number) => ({ batch: 2, seed: s });

describe('jvp and vjp', () => {
  test.prop([arrows(everything), seed])('the tangent is linear', ({ net, from }, s) => {
    const [a, b] = [direction('a', from), direction('b', from)];
    const combined: Node = { tag: 'binary', op: 'add', left: scale(2.5, a), right: b };
    const value = calculate(
      { a: jvp(net, x(from), a), b: jvp(net, x(from), b), both: jvp(net, x(from), combined) },
      options(s),
    );
    const b1 = value('b');
    expectSame(
      value('both'),
      value('a').map((t, i) => 2.5 * t + float64At(b1, i)),
    );
  });

  test.prop([arrows(everything), seed])('the cotangent is linear', ({ net, from, to }, s) => {
    const [a, b] = [direction('a', to), direction('b', to)];
    const combined: Node = { tag: 'binary', op: 'add', left: scale(2.5, a), right: b };
    const value = calculate(
      { a: vjp(net, x(from), a), b: vjp(net, x(from), b), both: vjp(net, x(from), combined) },
      options(s),
    );
    const b1 = value('b');
    expectSame(
      value('both'),
      value('a').map((t, i) => 2.5 * t + float64At(b1, i)),
    );
  });

  const withoutMasks: Kit = { ...everything, dropout: false };
  const composable = fromTape((tape) => {
    const [from, over, to] = [tape.pick(shapes), tape.pick(shapes), tape.pick(shapes)];
    return {
      from,
      to,
      f: networkBetween(tape, withoutMasks, 'f', from, over, 3),
      g: networkBetween(tape, withoutMasks, 'g', over, to, 3),
    };
  }, 60);

  test.prop([composable, seed])('the chain rule', ({ f, g, from, to }, s) => {
    const whole: NetworkValue = { name: 'whole', input: from, layers: [...f.layers, ...g.layers] };
    const apart: NetworkValue = { name: 'g', input: g.input, layers: g.layers };
    const h: Node = { tag: 'apply', network: f, at: x(from), output: '' };
    const [v, w] = [direction('v', from), direction('w', to)];
    const parts = {
      Jv: jvp(apart, h, jvp(f, x(from), v)),
      JTw: vjp(f, x(from), vjp(apart, h, w)),
    };
    const together = { Jv: jvp(whole, x(from), v), JTw: vjp(whole, x(from), w) };
    // The same weights: those of g stand further down in the whole.
    const inWhole = (name: string): string =>
      name.startsWith('f/')
        ? `whole/${name.slice(2)}`
        : name.replace(/^g\/(\d+)/, (_, i: string) => `whole/${Number(i) + f.layers.length}`);
    const one = feedOf(parts, s);
    const given = new Map([...one].map(([name, values]) => [inWhole(name), values]));
    const found = calculate(parts, { ...options(s), given: one });
    const expected = calculate(together, { ...options(s), given });
    expectSame(found('Jv'), expected('Jv'));
    expectSame(found('JTw'), expected('JTw'));
  });

  test.prop([arrows(everything), seed])('jvp and vjp are adjoint', ({ net, from, to }, s) => {
    const [v, w] = [direction('v', from), direction('w', to)];
    const value = calculate({ v, w, Jv: jvp(net, x(from), v), JTw: vjp(net, x(from), w) }, options(s));
    const left = dot(value('Jv'), value('w'));
    expect(Math.abs(left - dot(value('v'), value('JTw')))).toBeLessThan(1e-10 * Math.max(1, Math.abs(left)));
  });

  const one = (probes: Node, i: number, shape: Shape): Node => ({
    tag: 'reshape',
    shape,
    of: { tag: 'slice', of: probes, begin: [i, ...shape.map(() => 0)], size: [1, ...shape] },
  });

  test.prop([arrows(everything), fc.integer({ min: 1, max: 3 }), seed])(
    'k probes are k single ones',
    ({ net, from, to }, k, s) => {
      const [v, w] = [direction('v', from, k), direction('w', to, k)];
      const singles = Array.from({ length: k }, (_, i) => [
        [`Jv${i}`, jvp(net, x(from), one(v, i, from))] as const,
        [`JTw${i}`, vjp(net, x(from), one(w, i, to))] as const,
      ]).flat();
      const value = calculate(
        { Jv: jvp(net, x(from), v), JTw: vjp(net, x(from), w), ...Object.fromEntries(singles) },
        options(s),
      );
      const rows = (name: string, size: number, b: number, i: number): Float64Array =>
        value(name).subarray((b * k + i) * size, (b * k + i + 1) * size);
      for (let i = 0; i < k; i++) {
        for (let b = 0; b < 2; b++) {
          const [n, m] = [sizeOf(to), sizeOf(from)];
          expectSame(rows('Jv', n, b, i), value(`Jv${i}`).subarray(b * n, (b + 1) * n));
          expectSame(rows('JTw', m, b, i), value(`JTw${i}`).subarray(b * m, (b + 1) * m));
        }
      }
    },
  );

  const normalised = (statistics: Statistics): NetworkValue => ({
    name: 'net',
    input: [3],
    layers: [dense(4), { tag: 'batchNorm', statistics, momentum: 0.9, epsilon: 0.1 }, activation('tanh')],
  });

  /** How far Jv of the first example moves when the second one's tangent does. */
  const influence = (statistics: Statistics, s: number): number => {
    const at = (v: readonly number[]): Float64Array =>
      calculate(
        { Jv: jvp(normalised(statistics), x([3]), direction('v', [3])) },
        { ...options(s), given: new Map([['v', Float64Array.from(v)]]) },
      )('Jv').slice(0, 4);
    const [one1, other] = [at([1, 2, 3, 4, 5, 6]), at([1, 2, 3, 7, 7, 9])];
    return Math.max(...one1.map((value, i) => Math.abs(value - float64At(other, i))));
  };

  test.prop([seed])("with constant statistics another example's tangent does not matter", (s) => {
    expect(influence('constant', s)).toBe(0);
  });

  test.prop([seed])("with differentiated statistics another example's tangent matters", (s) => {
    expect(influence('differentiated', s)).toBeGreaterThan(1e-6);
  });
});
