/** Long sums, of numbers of one sign, that single precision would lose its last digits in if it added one after another. */
import { expect } from 'vitest';
import { evaluateLoop } from '../../compiler/loops/evaluate.js';
import type { LoopKernel } from '../../compiler/loops/loop.js';
import { elementAt } from '../../dsl/lookup.js';
import { random, total } from './loop.js';

type Case = { readonly kernel: LoopKernel; readonly inputs: readonly Float32Array[] };

const kernels = [
  total([100_003], [1], [0], 1),
  total([12_545, 13], [13, 1], [0, 1], 13),
  total([3_001, 40], [40, 1], [0, 1], 40),
  total([100_352, 1], [1, 0], [0, 0], 1),
  total([7, 13_001], [13_001, 1], [1, 0], 7),
];

/** The law that a backend keeps them accurate to a few units of the last place; `runAll` runs kernels there. */
export const keepsLongSums = async (
  runAll: (cases: readonly Case[]) => Promise<readonly (readonly Float32Array[])[]>,
): Promise<void> => {
  const next = random(7);
  const cases = kernels.map((kernel) => ({
    kernel,
    inputs: [Float32Array.from({ length: kernel.extents.reduce((a, b) => a * b, 1) }, () => next() + 1)],
  }));
  (await runAll(cases)).forEach(([output], i) => {
    const { kernel, inputs } = elementAt(cases, i);
    evaluateLoop(kernel, inputs)[0]?.forEach((value, k) =>
      expect(Math.abs((output?.[k] ?? NaN) / value - 1)).toBeLessThan(1e-6),
    );
  });
};
