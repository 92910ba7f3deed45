/** Volumes at the edges: one dimension, one less than all, all; and Jacobians without full rank, which end with numbers or a word. */
import { atLeast, float64At } from '../../../dsl/lookup.js';
import { describe, expect, test as example } from 'vitest';
import { compile } from '../../../compiler/compile.js';
import { jvp } from '../../../dsl/expressions/expression.js';
import type { Node } from '../../../dsl/expressions/expression.js';
import type { Network } from '../../../dsl/network.js';
import { basis, gram, logDetSPD } from '../../../dsl/expressions/volume.js';
import { dense } from '../../../laws/arbitrary/network.js';
import { runBy } from '../../shared/backends.js';
import { right } from '../../shared/either.js';
import { arrayOf } from '../../shared/expressions.js';
import { feed } from '../../shared/feeding.js';
import {
  agreesWithSlope,
  both,
  codeOf,
  decoderOf,
  expectClose,
  gradientsOf,
  roundness,
  runners,
  training,
  volumeOf,
} from './volumes.js';
import { interpret } from '../../shared/outputs.js';
import { eachRunner, isThere } from '../../shared/each-runner.js';

/** d and D: one dimension, one less than all, and all. */
const edges = [
  [1, 1],
  [1, 2],
  [1, 4],
  [3, 4],
  [4, 5],
  [4, 4],
] as const;

/** The first seed whose Jacobians single precision knows well. */
const goodSeed = (d: number, D: number): number => {
  const found = Array.from({ length: 100 }, (_, s) => s).find((s) =>
    both(d, D, s).columns.every((J) => roundness(J) > 0.05),
  );
  if (found === undefined) throw new Error('no seed');
  return found;
};

describe.each(edges)('of %i dimensions in %i', (d, D) => {
  const s = goodSeed(d, D);

  for (const conjugate of [false, true]) {
    const how = conjugate ? 'by conjugate gradients' : 'by a factor';
    example(`the surrogate ${how} averaged over the probes √d·e_k has the exact gradient`, async () => {
      const { exact, stochastic, inputs } = both(d, D, s, conjugate);
      const expected = gradientsOf(interpret(exact, inputs), exact);
      expectClose(gradientsOf(interpret(stochastic, inputs), stochastic), expected, 1e-9);
      for (const name of runners.filter(isThere)) {
        expectClose(gradientsOf(await runBy(name, stochastic, inputs), stochastic), expected, 1e-4);
        expectClose(gradientsOf(await runBy(name, exact, inputs), exact), expected, 1e-4);
      }
    });
  }

  example('the gradient of the exact volume is its slope', () => {
    const decoder = decoderOf(d, D);
    agreesWithSlope(decoder, D, volumeOf(decoder, D, { method: 'exact' }), s);
  });
});

describe('a Jacobian without full rank', () => {
  /** A linear decoder whose columns are equal. */
  const decoder: Network = { name: 'decoder', input: [2], layers: [dense(3, false)] };
  const kernel = ['decoder/0.dense/kernel', Float64Array.of(1, 2, 3, 1, 2, 3)] as const;

  eachRunner(runners, (name) => {
    for (const method of ['exact', 'stochastic'] as const) {
      example(`on ${name} ends, with finite parameters or none committed (${method})`, async () => {
        const { step, draws } = right(compile(training(decoder, 3, volumeOf(decoder, 3, { method }))));
        const results = await runBy(name, step, new Map([...feed(step, draws, 1), kernel]));
        const next = arrayOf(results, `next ${kernel[0]}`);
        expect(arrayOf(results, 'commit')[0]).toBe(
          [...next, ...arrayOf(results, 'loss')].every(Number.isFinite) ? 1 : 0,
        );
      });
    }
  });

  eachRunner(runners, (name) => {
    example(`on ${name} evaluated has no volume where columns are equal, nearly so or zero`, async () => {
      const { evaluate } = right(compile(training(decoder, 3, volumeOf(decoder, 3, { method: 'exact' }))));
      const volumeAt = async (second: readonly number[]): Promise<number> => {
        const weights = Float64Array.of(1, 2, 3, ...second);
        const given = new Map([...feed(evaluate, [], 1), [kernel[0], weights] as const]);
        const [found, expected] = atLeast(
          2,
          [await runBy(name, evaluate, given), interpret(evaluate, given)].map((results) =>
            float64At(arrayOf(results, 'volume'), 0),
          ),
        );
        expect(Number.isNaN(found)).toBe(Number.isNaN(expected));
        return found;
      };
      for (const second of [
        [1, 2, 3],
        [1 + 1e-6, 2, 3],
        [-2, -4, -6],
        [0, 0, 0],
      ])
        expect(await volumeAt(second)).toBeNaN();
      // What a factor of JᵀJ in single precision knows no digit of: the area is 1e-4·√13.
      expect(await volumeAt([1 + 1e-4, 2, 3])).toBeCloseTo(Math.log(1e-4 * Math.sqrt(13)), 2);
      expect(await volumeAt([3, 0, -1])).toBeCloseTo(Math.log(140) / 2, 4);
      // Short is not flat.
      expect(await volumeAt([3e-4, 0, -1e-4])).toBeCloseTo(Math.log(140e-8) / 2, 3);
    });
  });

  example(
    'a determinant that no jitter makes positive is not a number, and the step is not committed',
    () => {
      const products: Node = jvp(decoder, codeOf(decoder, 3), basis(2));
      const { step, draws } = right(compile(training(decoder, 3, { volume: logDetSPD(gram(products)) })));
      const inputs = new Map([...feed(step, draws, 1), [kernel[0], kernel[1].map(() => 0)] as const]);
      const results = interpret(step, inputs);
      expect(arrayOf(results, 'volume')[0]).toBeNaN();
      expect(arrayOf(results, 'commit')[0]).toBe(0);
    },
  );
});
