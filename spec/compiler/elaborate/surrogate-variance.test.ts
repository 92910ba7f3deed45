/** What a step's gradient is worth: the surrogate's keeps to the exact one's size, however ill-conditioned the Jacobian. */
import { describe, expect, test } from 'vitest';
import type { Network } from '../../../dsl/network.js';
import type { VolumeOptions } from '../../../dsl/expressions/volume.js';
import { float64At } from '../../../dsl/lookup.js';
import { dot, draw, jvp, scale, solveGram, sphere, stop } from '../../../dsl/index.js';
import type { Objective } from '../../../dsl/experiment.js';
import { dense } from '../../../laws/arbitrary/network.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { arrayOf } from '../../shared/expressions.js';
import { type Arrays, interpret } from '../../shared/outputs.js';
import { codeOf, expectClose, gradientsOf, programsOf, volumeOf } from './volumes.js';

/** A linear decoder from 6 to 30 numbers whose singular values fall evenly from 1 to 1/κ, turned in the codes. */
const [d, D] = [6, 30];
const decoder: Network = { name: 'decoder', input: [d], layers: [dense(D, false)] };

const kernelOf = (kappa: number): Float64Array => {
  const turn = smoothValuesIn([-1, 1], d, 5, 'turn');
  const square = turn.reduce((sum, x) => sum + x * x, 0);
  return Float64Array.from({ length: d * D }, (_, at) => {
    const [i, j] = [Math.floor(at / D), at % D];
    const value = j < d ? kappa ** (-j / (d - 1)) : 0;
    const reflected = (i === j ? 1 : 0) - (2 * (turn[i] ?? 0) * (turn[j] ?? 0)) / square;
    return value * reflected;
  });
};

type Way = VolumeOptions | 'pair';

/** The authors' pair, composed by hand, so that nothing bounds it. */
const pair = (): Objective => {
  const z = codeOf(decoder, D);
  const epsilon = draw('epsilon', sphere(d));
  const u = stop(solveGram(decoder, z, epsilon, { iterations: d }));
  return { volume: scale(0.5, dot(jvp(decoder, z, u), jvp(decoder, z, epsilon))) };
};

const programs = (way: Way) => programsOf(decoder, D, way === 'pair' ? pair() : volumeOf(decoder, D, way));

const given = (inputs: Arrays, kappa: number): Arrays =>
  new Map([...inputs, ['decoder/0.dense/kernel', kernelOf(kappa)] as const]);

/** The root mean square of the gradient's norm over draws. */
const sizeOfGradient = (way: Way, kappa: number): number => {
  const { gradients, inputs } = programs(way);
  const draws = way !== 'pair' && way.method === 'exact' ? 1 : 40;
  let sum = 0;
  for (let s = 0; s < draws; s++)
    sum += gradientsOf(interpret(gradients, given(inputs(s), kappa)), gradients).reduce(
      (total, x) => total + x * x,
      0,
    );
  return Math.sqrt(sum / draws);
};

/** What a guard says of a step, the mean over draws. */
const shareOf = (guard: string, way: VolumeOptions, kappa: number): number => {
  const { loss, inputs } = programs(way);
  const shares = Array.from({ length: 20 }, (_, s) =>
    float64At(arrayOf(interpret(loss, given(inputs(s), kappa)), `volume/${guard}`), 0),
  );
  return shares.reduce((sum, x) => sum + x, 0) / shares.length;
};

describe.each([10, 100, 1000, 10_000])('where the singular values are %i apart', (kappa) => {
  const exact = sizeOfGradient({ method: 'exact' }, kappa);

  test('the gradient of the surrogate is a few times the exact one', () => {
    expect(sizeOfGradient({ method: 'stochastic' }, kappa)).toBeLessThan(4 * exact);
  });

  test('that of conjugate gradients’ pairs would grow with it', () => {
    expect(sizeOfGradient('pair', kappa)).toBeGreaterThan((kappa / 20) * exact);
  });

  test('but is bounded by twenty times it', () => {
    expect(sizeOfGradient({ method: 'stochastic', iterations: d }, kappa)).toBeLessThan(20 * exact);
  });
});

const bounded: VolumeOptions = { method: 'stochastic', iterations: d };

test('a pair that is not bounded is the pair', () => {
  const [own, free] = [programs(bounded), programs('pair')];
  for (const s of [0, 1, 2]) {
    const at = given(own.inputs(s), 10);
    expectClose(
      gradientsOf(interpret(own.gradients, at), own.gradients),
      gradientsOf(interpret(free.gradients, at), free.gradients),
      1e-12,
    );
  }
});

describe('a guard says how many examples it acted on', () => {
  test('the bound of a pair', () => {
    expect(shareOf('bounded', bounded, 10)).toBe(0);
    expect(shareOf('bounded', bounded, 1000)).toBeGreaterThan(0.5);
  });

  test('conjugate gradients that end early', () => {
    expect(shareOf('unsolved', bounded, 10)).toBe(0);
    expect(shareOf('unsolved', { ...bounded, iterations: 2 }, 10)).toBe(1);
  });

  test.each(['exact', 'stochastic'] as const)('columns of J that are not independent, %s', (method) => {
    expect(shareOf('jitter', { method }, 1000)).toBe(0);
    expect(shareOf('jitter', { method }, 1e8)).toBe(1);
  });
});
