/** Convolutions lowered to loops are the sums that define them, for any shape, stride and padding. */
import { test, fc } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createPlan } from '../../../compiler/loops/builder.js';
import {
  lowerConv,
  lowerConvFilter,
  lowerConvInput,
  type ConvParams,
} from '../../../compiler/loops/convolution.js';
import { lowerMatmul } from '../../../compiler/loops/matmul.js';
import { runPlan } from './loop-runner.js';

const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

/** Calls `visit` with positions in x, w and ct for every product of the convolution. */
const products = (
  x: readonly number[],
  w: readonly number[],
  ct: readonly number[],
  { strides, padding }: ConvParams,
  visit: (x: number, w: number, ct: number) => void,
): void => {
  const [n = 0, height = 0, width = 0, channels = 0] = x;
  const [kernelHeight = 0, kernelWidth = 0, , features = 0] = w;
  const [, rows = 0, columns = 0] = ct;
  for (let e = 0; e < n; e += 1)
    for (let r = 0; r < rows; r += 1)
      for (let c = 0; c < columns; c += 1)
        for (let i = 0; i < kernelHeight; i += 1)
          for (let j = 0; j < kernelWidth; j += 1) {
            const h = r * strides[0] + i - padding[0];
            const v = c * strides[1] + j - padding[2];
            if (h < 0 || v < 0 || h >= height || v >= width) continue;
            for (let a = 0; a < channels; a += 1)
              for (let b = 0; b < features; b += 1)
                visit(
                  ((e * height + h) * width + v) * channels + a,
                  ((i * kernelWidth + j) * channels + a) * features + b,
                  ((e * rows + r) * columns + c) * features + b,
                );
          }
};

const random = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 31 - 1;
  };
};

const close = (found: Float32Array | undefined, expected: Float64Array, terms: number): void => {
  expected.forEach((value, i) => {
    const actual = found?.[i] ?? NaN;
    if (!(Math.abs(actual - value) <= 1e-6 * (4 + Math.sqrt(terms))))
      expect.fail(`[${i}]: found ${actual}, expected ${value}`);
  });
};

const spatial = fc
  .record({
    extent: fc.integer({ min: 1, max: 9 }),
    kernel: fc.integer({ min: 1, max: 5 }),
    stride: fc.constantFrom(1, 2, 2, 3),
    before: fc.integer({ min: 0, max: 4 }),
    after: fc.integer({ min: 0, max: 4 }),
  })
  .filter(({ extent, kernel, before, after }) => before + extent + after >= kernel);

const outputs = ({
  extent,
  kernel,
  stride,
  before,
  after,
}: {
  extent: number;
  kernel: number;
  stride: number;
  before: number;
  after: number;
}): number => Math.floor((extent + before + after - kernel) / stride) + 1;

const arbitraryConv = fc
  .record({
    n: fc.constantFrom(1, 2, 5),
    vertical: spatial,
    horizontal: spatial,
    channels: fc.constantFrom(1, 2, 3, 4, 8, 12, 16),
    features: fc.constantFrom(1, 2, 3, 5, 8, 16, 24),
    seed: fc.integer({ min: 1, max: 1 << 30 }),
  })
  .map(({ n, vertical, horizontal, channels, features, seed }) => ({
    x: [n, vertical.extent, horizontal.extent, channels],
    w: [vertical.kernel, horizontal.kernel, channels, features],
    ct: [n, outputs(vertical), outputs(horizontal), features],
    params: {
      strides: [vertical.stride, horizontal.stride],
      padding: [vertical.before, vertical.after, horizontal.before, horizontal.after],
    } satisfies ConvParams,
    seed,
  }));

const values = (shape: readonly number[], next: () => number): Float32Array =>
  Float32Array.from({ length: product(shape) }, next);

describe('a lowered convolution', () => {
  test.prop([arbitraryConv], { numRuns: 250 })(
    'and both its transposes are the defining sums',
    ({ x, w, ct, params, seed }) => {
      const next = random(seed);
      const [xs, ws, cts] = [values(x, next), values(w, next), values(ct, next)];
      const forward = new Float64Array(cts.length);
      const input = new Float64Array(xs.length);
      const filter = new Float64Array(ws.length);
      products(x, w, ct, params, (i, j, k) => {
        const [a, b, c] = [xs[i] ?? NaN, ws[j] ?? NaN, cts[k] ?? NaN];
        forward[k] = (forward[k] ?? NaN) + a * b;
        input[i] = (input[i] ?? NaN) + c * b;
        filter[j] = (filter[j] ?? NaN) + a * c;
      });
      const plan = createPlan();
      const [X, W, CT] = [plan.input('x', x), plan.input('w', w), plan.input('ct', ct)];
      const conv = lowerConv(plan, X, W, params, ct);
      const convInput = lowerConvInput(plan, CT, W, params, x);
      const convFilter = lowerConvFilter(plan, X, CT, params, w);
      expect([conv.shape, convInput.shape, convFilter.shape]).toEqual([ct, x, w]);
      const found = runPlan(plan, [conv, convInput, convFilter], [xs, ws, cts]);
      close(found[0], forward, product(w.slice(0, 3)));
      close(found[1], input, product(w));
      close(found[2], filter, product(ct.slice(0, 3)));
    },
  );
});

describe('a lowered matrix multiplication', () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(16, 31, 40, 64, 72));
  test.prop([size, size, size, fc.boolean(), fc.boolean(), fc.integer({ min: 1, max: 1 << 30 })], {
    numRuns: 250,
  })('is the product, whichever side is transposed', (m, k, n, transposeA, transposeB, seed) => {
    const next = random(seed);
    const [a, b] = [values([m, k], next), values([k, n], next)];
    const expected = new Float64Array(m * n);
    for (let i = 0; i < m; i += 1)
      for (let j = 0; j < n; j += 1)
        for (let t = 0; t < k; t += 1)
          expected[i * n + j] = (expected[i * n + j] ?? NaN) + (a[i * k + t] ?? NaN) * (b[t * n + j] ?? NaN);
    const turn = (values: Float32Array, rows: number, columns: number): Float32Array =>
      values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)] ?? NaN);
    const plan = createPlan();
    const A = plan.input('a', transposeA ? [k, m] : [m, k]);
    const B = plan.input('b', transposeB ? [n, k] : [k, n]);
    const found = lowerMatmul(plan, A, B, { transposeA, transposeB });
    expect(found.shape).toEqual([m, n]);
    const given = [transposeA ? turn(a, m, k) : a, transposeB ? turn(b, k, n) : b];
    close(runPlan(plan, [found], given)[0], expected, k);
  });
});
