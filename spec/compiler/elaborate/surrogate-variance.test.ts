/** What a step's gradient is worth: the surrogate's keeps to the exact one's size, however ill-conditioned the Jacobian. */
import { describe, expect, test } from 'vitest';
import type { Network } from '../../../dsl/network.js';
import type { VolumeOptions } from '../../../dsl/expressions/volume.js';
import { dense } from '../../../laws/arbitrary/network.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { interpret } from '../../shared/outputs.js';
import { gradientsOf, programsOf, volumeOf } from './volumes.js';

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

/** The root mean square of the gradient's norm over draws. */
const sizeOfGradient = (options: VolumeOptions, kappa: number): number => {
  const { gradients, inputs } = programsOf(decoder, D, volumeOf(decoder, D, options));
  const draws = options.method === 'exact' ? 1 : 40;
  let sum = 0;
  for (let s = 0; s < draws; s++) {
    const given = new Map([...inputs(s), ['decoder/0.dense/kernel', kernelOf(kappa)] as const]);
    sum += gradientsOf(interpret(gradients, given), gradients).reduce((total, x) => total + x * x, 0);
  }
  return Math.sqrt(sum / draws);
};

describe.each([10, 100, 1000])('where the singular values are %i apart', (kappa) => {
  const exact = sizeOfGradient({ method: 'exact' }, kappa);

  test('the gradient of the surrogate is a few times the exact one', () => {
    expect(sizeOfGradient({ method: 'stochastic' }, kappa)).toBeLessThan(4 * exact);
  });

  test('that of conjugate gradients’ pairs grows with it', () => {
    expect(sizeOfGradient({ method: 'stochastic', iterations: d }, kappa)).toBeGreaterThan(
      (kappa / 20) * exact,
    );
  });
});
