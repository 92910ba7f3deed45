/** The way of a volume that is chosen by products with J is the one that makes the training step cheaper. */
import { atLeast } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { compile, costOf, solveCost, volumeCost } from '../../../compiler/index.js';
import {
  adam,
  apply,
  data,
  dataOf,
  dense,
  experiment,
  input,
  type Network,
  network,
  pipe,
  showProblem,
  solveGram,
  sqNorm,
  tanh,
  volume,
  type VolumeMethod,
} from '../../../dsl/index.js';
import { rectangular } from '../../../objectives/index.js';
import { left, right } from '../../shared/either.js';

const netsOf = (d: number, D: number, width: number) => {
  const encoder: Network = network('encoder', pipe(input(D), dense(width), tanh, dense(d)));
  const decoder: Network = network(
    'decoder',
    pipe(input(d), dense(width), tanh, dense(width), tanh, dense(D)),
  );
  return { encoder, decoder };
};

const compiled = (d: number, D: number, method: VolumeMethod, probes: number, iterations?: number) => {
  const { encoder, decoder } = netsOf(d, D, 48);
  const bound = iterations === undefined ? {} : { iterations };
  const objective = rectangular(encoder, decoder, { method, probes, ...bound });
  const optimizer = adam({ rate: 1e-3 });
  return compile({
    encoder,
    decoder,
    objective,
    optimizer,
    batch: 4,
    steps: 1,
    data: 'none',
    validation: { every: 0 },
  });
};

const flops = (...of: Parameters<typeof compiled>): number => costOf(right(compiled(...of)).step).flops;

describe('a volume', () => {
  test.prop(
    [
      fc.record({ d: fc.integer({ min: 1, max: 16 }), extra: fc.nat(4) }),
      fc.integer({ min: 1, max: 3 }),
      fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    ],
    { numRuns: 30 },
  )(
    'left to the compiler is stochastic only where that is cheaper, and by enough',
    ({ d, extra }, probes, bound) => {
      const iterations = bound === undefined ? undefined : Math.min(bound, d);
      const { chosen, exact, stochastic } = volumeCost({ d, D: d + extra }, 'auto', probes, iterations);
      const most = Math.max(exact, stochastic?.products ?? 0);
      // What is left out of the products decides where they are nearly equal.
      fc.pre(Math.abs(exact - (stochastic?.products ?? 0)) > 0.2 * most);
      const other = chosen === 'exact' ? 'stochastic' : 'exact';
      const [auto, same, otherwise] = atLeast(
        3,
        (['auto', chosen, other] as const).map((method) => flops(d, d + extra, method, probes, iterations)),
      );
      expect(auto).toBe(same);
      // The exact one has no variance, and may cost more by what that is worth.
      if (chosen === 'stochastic') expect(auto).toBeLessThan(otherwise);
      else expect(exact).toBeLessThanOrEqual((stochastic?.products ?? Infinity) * (1 + 1 / probes));
    },
  );

  example(
    'of one to six dimensions is exact, of more by one probe stochastic: it must be twice as cheap',
    () => {
      const chosen = [1, 3, 6, 7, 10, 100].map((d) => volumeCost({ d, D: 2 * d }, 'auto', 1).chosen);
      expect(chosen).toEqual(['exact', 'exact', 'exact', 'stochastic', 'stochastic', 'stochastic']);
    },
  );

  example('of a network with more inputs than outputs is exact, and refuses to be stochastic', () => {
    expect(volumeCost({ d: 40, D: 30 }, 'auto', 1)).toEqual({ chosen: 'exact', by: 'rows', exact: 90 });
    const { encoder, decoder } = netsOf(4, 3, 5);
    const wide = experiment({
      encoder,
      decoder,
      objective: {
        volume: volume(decoder, apply(encoder, dataOf(encoder)), { method: 'stochastic', probes: 1 }),
      },
      optimizer: adam({ rate: 1e-3 }),
      batch: 4,
      steps: 1,
      data: 'none',
    });
    expect(left(compile(wide)).map(showProblem)).toMatchInlineSnapshot(`
      [
        "objective.volume.method: found "stochastic" for a network from 4 to 3 numbers, expected "exact": with more inputs than outputs JᵀJ has no inverse",
      ]
    `);
  });
});

example('a system of a network with more inputs than outputs is refused: it has no one solution', () => {
  const { encoder, decoder } = netsOf(4, 3, 5);
  const code = apply(encoder, data(3));
  const system = {
    encoder,
    decoder,
    objective: { size: sqNorm(solveGram(decoder, code, code)) },
    optimizer: adam({ rate: 1e-3 }),
    batch: 4,
    steps: 1,
    data: 'none',
    validation: { every: 0 },
  };
  expect(left(compile(system)).map(showProblem)).toMatchInlineSnapshot(`
    [
      "objective.size.of.of: found a system with JᵀJ of a network from 4 to 3 numbers, expected at least as many outputs as inputs: JᵀJ has no inverse otherwise",
    ]
  `);
});

example('a system has a factor where that takes fewer products than the expected rounds', () => {
  expect([1, 60, 61].map((d) => solveCost(d).chosen)).toEqual(['factor', 'factor', 'conjugate gradients']);
  expect(solveCost(61, undefined, 4).chosen).toBe('factor');
  expect(solveCost(2, 1).chosen).toBe('conjugate gradients');
});
