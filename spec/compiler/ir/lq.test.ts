/** The triangular factor of a Jacobian: what it is, what it knows that a factor of the square does not, and rows that are not independent. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { sumAll, unary } from '../../../compiler/ir/operations.js';
import type { Program } from '../../../compiler/ir/program.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { runBy, type RunnerName } from '../../shared/backends.js';
import { isThere } from '../../shared/each-runner.js';
import { arrayOf } from '../../shared/expressions.js';
import { interpret } from '../../shared/outputs.js';

const runners: readonly RunnerName[] = ['wasm', 'kernels', 'cpu', 'native', 'cc', 'webgpu'];

/** The factor of one matrix [n, m], and the sum of the logarithms of its diagonal. */
const programOf = (n: number, m: number, params = { jitter: 0, least: 1e-6 }): Program => {
  const builder = createBuilder();
  const { emit } = builder;
  const a = builder.bind('data', 'a', { rows: 1, shape: [n, m] });
  const factor = emit('lq', params, [a]);
  const diagonal = emit('reduce', { op: 'add', axes: [1] }, [
    emit('band', { below: 0, diagonal: 1, above: 0 }, [factor]),
  ]);
  const volume = sumAll(emit, unary(emit, 'log', diagonal));
  return {
    name: 'factor',
    batch: 1,
    binders: builder.binders(),
    equations: builder.equations(),
    outputs: [
      { kind: 'value', name: 'factor', var: factor },
      { kind: 'value', name: 'volume', var: volume },
    ],
  };
};

/** Rows times the transposes of rows, in doubles. */
const square = (a: Float64Array, n: number): Float64Array => {
  const m = a.length / n;
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let k = 0; k < m; k++) sum += (a[i * m + k] ?? NaN) * (a[j * m + k] ?? NaN);
    return sum;
  });
};

const sizes = fc
  .record({ n: fc.integer({ min: 1, max: 6 }), more: fc.integer({ min: 0, max: 4 }), seed: fc.nat() })
  .map(({ n, more, seed }) => ({ n, m: n + more, seed }));

test.prop([sizes])('times its transpose it is the matrix times its own', ({ n, m, seed }) => {
  const a = smoothValuesIn([-1, 1], n * m, seed, 'a');
  const factor = arrayOf(interpret(programOf(n, m, { jitter: 0, least: 0 }), new Map([['a', a]])), 'factor');
  square(factor, n).forEach((x, i) => {
    expect(Math.abs(x - (square(a, n)[i] ?? NaN))).toBeLessThan(1e-12);
  });
  factor.forEach((x, i) => {
    const [row, column] = [Math.floor(i / n), i % n];
    if (column > row) expect(x).toBe(0);
    if (column === row) expect(x).toBeGreaterThanOrEqual(0);
  });
});

/** An 8×30 matrix of singles whose singular values fall evenly to 1/√condition: a mean and what little there is beside it. */
const illConditioned = (condition: number, seed: number): Float64Array => {
  const [n, m] = [8, 30];
  const basis = smoothValuesIn([-1, 1], n * m, seed, 'basis');
  const mix = smoothValuesIn([-1, 1], n * n, seed, 'mix');
  const orthogonal = (rows: Float64Array, width: number): Float64Array => {
    const q = rows.slice();
    for (let i = 0; i < n; i++)
      for (let again = 0; again < 2; again++) {
        for (let j = 0; j < i; j++) {
          let along = 0;
          for (let k = 0; k < width; k++) along += (q[i * width + k] ?? 0) * (q[j * width + k] ?? 0);
          for (let k = 0; k < width; k++)
            q[i * width + k] = (q[i * width + k] ?? 0) - along * (q[j * width + k] ?? 0);
        }
        const length = Math.hypot(...q.subarray(i * width, (i + 1) * width));
        for (let k = 0; k < width; k++) q[i * width + k] = (q[i * width + k] ?? 0) / length;
      }
    return q;
  };
  const [U, V] = [orthogonal(mix, n), orthogonal(basis, m)];
  return Float64Array.from({ length: n * m }, (_, at) => {
    const [i, k] = [Math.floor(at / m), at % m];
    let sum = 0;
    for (let j = 0; j < n; j++)
      sum += (U[i * n + j] ?? 0) * Math.sqrt(condition) ** (-j / (n - 1)) * (V[j * m + k] ?? 0);
    return Math.fround(sum);
  });
};

describe('where JᵀJ has a condition of', () => {
  // Of JᵀJ in single precision a factor is off by 1e-3 of the volume here, or there is none.
  for (const condition of [1e6, 1e7, 5e7])
    for (const name of runners)
      example.runIf(isThere(name))(`${condition}, on ${name} the volume is known to 1e-5 of it`, async () => {
        for (const seed of [1, 2, 3]) {
          const inputs = new Map([['a', illConditioned(condition, seed)]]);
          const program = programOf(8, 30);
          const expected = arrayOf(interpret(program, inputs), 'volume')[0] ?? NaN;
          // ½ ln det JᵀJ from the singular values that the matrix was made of, to the rounding of its elements.
          expect(Math.abs(expected - (-4 * Math.log(condition)) / 2)).toBeLessThan(2e-2);
          const found = arrayOf(await runBy(name, program, inputs), 'volume')[0] ?? NaN;
          expect(Math.abs(found - expected)).toBeLessThan(1e-5 * Math.abs(expected));
        }
      });
});

describe('rows that are not independent', () => {
  const dependent = Float64Array.of(1, 2, 3, 2, 4, 6);
  for (const name of runners) {
    example.runIf(isThere(name))(`on ${name} have no factor where nothing is added`, async () => {
      const factor = arrayOf(await runBy(name, programOf(2, 3), new Map([['a', dependent]])), 'factor');
      expect(factor[3]).toBeNaN();
    });

    example.runIf(isThere(name))(`on ${name} have that of [A, √j·I] with jitter`, async () => {
      const program = programOf(2, 3, { jitter: 1e-6, least: 1e-6 });
      const inputs = new Map([['a', dependent]]);
      const [found, expected] = [await runBy(name, program, inputs), interpret(program, inputs)].map(
        (results) => arrayOf(results, 'factor'),
      );
      // j = 1e-6·35; the second row adds √(j·(1 + 4)) to a first of √14.
      expect(expected?.[3]).toBeCloseTo(Math.sqrt(35e-6 * 5), 6);
      found?.forEach((x, i) => expect(Math.abs(x - (expected?.[i] ?? NaN))).toBeLessThan(1e-5));
    });
  }
});
