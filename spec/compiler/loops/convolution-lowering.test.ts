/** Convolutions lowered to loops are the sums that define them, for any shape, stride and padding. */
import { test, fc } from '@fast-check/vitest';
import * as tf from '@tensorflow/tfjs-core';
import { BackendWasm, setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect } from 'vitest';
import type { Operand, PlanBuilder } from '../../../compiler/loops/plan.js';
import {
  lowerConv,
  lowerConvFilter,
  lowerConvInput,
  type ConvParams,
} from '../../../compiler/loops/convolution.js';
import { lowerMatmul } from '../../../compiler/loops/matmul.js';
import { generate } from '../../../backends/wasm/generate.js';
import { instantiateLoops, type WasmBackend } from '../../../backends/wasm/loops.js';

type Memory = { readonly buffer: ArrayBuffer };
type Backend = WasmBackend & {
  readonly wasm: {
    readonly asm: { readonly memory: Memory };
    readonly _malloc: (bytes: number) => number;
    readonly _free: (address: number) => void;
  };
};
let backend: Backend;
beforeAll(async () => {
  setThreadsCount(1);
  await tf.setBackend('wasm');
  const current: unknown = tf.backend();
  if (!(current instanceof BackendWasm)) throw new Error('the wasm backend is missing');
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- tfjs does not declare the memory of its module
  backend = current as unknown as Backend;
});

const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

/** A builder that runs each loop at once; its buffers are addresses in the backend's memory. */
const immediate = () => {
  const addresses: number[] = [];
  const allocate = (shape: readonly number[]): Operand => {
    addresses.push(backend.wasm._malloc(4 * Math.max(1, product(shape))));
    return { buffer: addresses.length - 1, shape };
  };
  const view = ({ buffer, shape }: Operand): Float32Array =>
    new Float32Array(backend.wasm.asm.memory.buffer, addresses[buffer], product(shape));
  const constant = (values: ArrayLike<number>, shape: readonly number[]): Operand => {
    const operand = allocate(shape);
    view(operand).set(values);
    return operand;
  };
  const unexpected = () => {
    throw new Error('only loops are expected');
  };
  const builder: PlanBuilder = {
    kernel: unexpected,
    blocks: [8],
    near: 0,
    routine: unexpected,
    repeat: unexpected,
    loop: (loop, inputs, shapes) => {
      const [run] = instantiateLoops(backend, generate([loop]));
      const outputs = shapes.map(allocate);
      outputs.forEach((output) => view(output).fill(NaN));
      run?.(...[...inputs, ...outputs].map(({ buffer }) => addresses[buffer] ?? 0));
      return outputs;
    },
    constant,
  };
  return { builder, constant, view, free: () => addresses.forEach((a) => backend.wasm._free(a)) };
};

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

const close = (found: Float32Array, expected: Float64Array, terms: number): void => {
  expected.forEach((value, i) => {
    const actual = found[i] ?? NaN;
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
      const { builder, constant, view, free } = immediate();
      const [X, W, CT] = [constant(xs, x), constant(ws, w), constant(cts, ct)];
      const conv = lowerConv(builder, X, W, params, ct);
      const convInput = lowerConvInput(builder, CT, W, params, x);
      const convFilter = lowerConvFilter(builder, X, CT, params, w);
      expect([conv.shape, convInput.shape, convFilter.shape]).toEqual([ct, x, w]);
      close(view(conv), forward, product(w.slice(0, 3)));
      close(view(convInput), input, product(w));
      close(view(convFilter), filter, product(ct.slice(0, 3)));
      free();
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
    const { builder, constant, view, free } = immediate();
    const A = transposeA ? constant(turn(a, m, k), [k, m]) : constant(a, [m, k]);
    const B = transposeB ? constant(turn(b, k, n), [n, k]) : constant(b, [k, n]);
    const found = lowerMatmul(builder, A, B, { transposeA, transposeB });
    expect(found.shape).toEqual([m, n]);
    close(view(found), expected, k);
    free();
  });
});
