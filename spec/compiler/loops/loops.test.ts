/** Generated loops compute what the reference says, for any kernel. */
import { test, fc } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { LoopKernel } from '../../../compiler/loops/loop.js';
import { keepsLongSums } from '../../arbitrary/long-sums.js';
import { agree, arbitraryKernel, contractionOf, copy, random } from '../../arbitrary/loop.js';
import { placedKernel } from '../../arbitrary/placed.js';
import { evaluateLoop } from '../../../compiler/loops/evaluate.js';
import { fusedMultiplyAdd } from '../../../backends/wasm/relaxed.js';
import { run } from './loop-runner.js';

const arbitraryContraction = contractionOf(fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 19, 24), 20_000);

describe('a generated kernel', () => {
  test.prop([arbitraryKernel], { numRuns: 1500 })(
    'computes what the reference computes',
    ({ kernel, sizes, seed }) => {
      const next = random(seed);
      const inputs = sizes.map((size) => Float32Array.from({ length: size }, next));
      const terms = kernel.extents.reduce((a, b) => a * b, 1);
      agree(run(kernel, inputs), evaluateLoop(kernel, inputs), 1e-5 + terms * 2e-7);
    },
  );

  test.prop([placedKernel(fc.integer({ min: 1, max: 70 }), 20_000)], { numRuns: 600 })(
    'reads and writes at places, and nowhere else',
    ({ kernel, inputs }) => {
      const terms = kernel.extents.reduce((a, b) => a * b, 1);
      agree(run(kernel, inputs), evaluateLoop(kernel, inputs), 1e-5 + terms * 2e-7);
    },
  );

  test.prop([arbitraryContraction, fc.boolean()], { numRuns: 500 })(
    'sums products, fused or not',
    ({ kernel, sizes }, fused) => {
      const next = random(3);
      const inputs = sizes.map((size) => Float32Array.from({ length: size }, next));
      const terms = kernel.extents.reduce((a, b) => a * b, 1) / (kernel.outputs[0] ?? 1);
      agree(
        run(kernel, inputs, fused && fusedMultiplyAdd),
        evaluateLoop(kernel, inputs),
        1e-6 * (4 + Math.sqrt(terms)),
      );
    },
  );

  test.prop([
    fc.constantFrom(4, 6, 7, 12, 16, 33, 64, 70),
    fc.constantFrom(4, 5, 8, 14, 32, 47),
    fc.constantFrom(1, 3),
  ])('transposes matrices of any size', (rows, columns, depth) => {
    const kernel = copy([depth, rows, columns], [rows * columns, columns, 1], [1, depth, depth * rows]);
    const input = Float32Array.from({ length: depth * rows * columns }, (_, i) => i);
    expect(run(kernel, [input])[0]).toEqual(Float32Array.from(evaluateLoop(kernel, [input])[0] ?? []));
  });

  test('keeps the last of several values written to one element', () => {
    const kernel = copy([5, 7], [7, 1], [1, 1]);
    const input = Float32Array.from({ length: 35 }, (_, i) => i);
    expect(run(kernel, [input])[0]).toEqual(Float32Array.from(evaluateLoop(kernel, [input])[0] ?? []));
  });

  test('adds overlapping windows', () => {
    const kernel: LoopKernel = {
      extents: [6, 3, 5],
      loads: [{ buffer: 0, offset: 0, strides: [15, 5, 1] }],
      body: [{ op: 'load', load: 0 }],
      stores: [{ buffer: 0, offset: 0, strides: [5, 5, 1], value: 0, mode: 'add' }],
      outputs: [40],
    };
    const input = Float32Array.from({ length: 90 }, (_, i) => i);
    expect(run(kernel, [input])[0]).toEqual(Float32Array.from(evaluateLoop(kernel, [input])[0] ?? []));
  });

  test('keeps long sums accurate', () =>
    keepsLongSums(async (cases) => cases.map(({ kernel, inputs }) => run(kernel, inputs))));

  test('zeroes what no store touches, and outputs of empty loops', () => {
    const kernel: LoopKernel = {
      extents: [0, 4],
      loads: [{ buffer: 0, offset: 0, strides: [4, 1] }],
      body: [{ op: 'load', load: 0 }],
      stores: [{ buffer: 0, offset: 0, strides: [4, 1], value: 0, mode: 'set' }],
      outputs: [9],
    };
    expect(run(kernel, [Float32Array.of(1, 2, 3, 4)])[0]).toEqual(new Float32Array(9));
  });
});
