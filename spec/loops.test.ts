/** Generated loops compute what the reference says, for any kernel; their mathematics is accurate to float32. */
import { test, fc } from '@fast-check/vitest';
import * as tf from '@tensorflow/tfjs-core';
import { BackendWasm, setThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect } from 'vitest';
import type { Access, Binary, Instruction, LoopKernel, Store, Unary } from '../compiler/loop.js';
import { evaluateLoop } from '../compiler/wasm/evaluate.js';
import { generate } from '../compiler/wasm/generate.js';
import { fusedMultiplyAdd, instantiateLoops } from '../runtime/loops.js';

type Memory = { readonly buffer: ArrayBuffer };
type Module = {
  readonly asm: { readonly memory: Memory };
  readonly _malloc: (bytes: number) => number;
  readonly _free: (address: number) => void;
};
type Backend = {
  readonly wasm: Module;
  readonly dataIdMap: { readonly get: (dataId: object) => { readonly memoryOffset: number } };
};
let backend: Backend;

beforeAll(async () => {
  setThreadsCount(1);
  await tf.setBackend('wasm');
  const current: unknown = tf.backend();
  if (!(current instanceof BackendWasm)) throw new Error('the wasm backend is missing');
  backend = current as unknown as Backend;
});

const guard = 64;

/** Runs a kernel in the backend's memory, on buffers with guard zones; fails when a guard changes. */
const run = (kernel: LoopKernel, inputs: readonly Float32Array[], fused = false): Float32Array[] => {
  const [loop] = instantiateLoops(backend, generate([kernel], { fused }));
  const sizes = [...inputs.map((input) => input.length), ...kernel.outputs];
  const starts = sizes.map((size) => backend.wasm._malloc(4 * (size + 2 * guard)));
  const view = (i: number): Float32Array =>
    new Float32Array(backend.wasm.asm.memory.buffer, starts[i], (sizes[i] ?? 0) + 2 * guard);
  sizes.forEach((_, i) => view(i).fill(12345.678));
  inputs.forEach((input, i) => view(i).set(input, guard));
  loop?.(...starts.map((start) => start + 4 * guard));
  const results = kernel.outputs.map((size, i) => view(inputs.length + i).slice(guard, guard + size));
  sizes.forEach((size, i) => {
    const edges = [...view(i).subarray(0, guard), ...view(i).subarray(guard + size)];
    expect(
      edges.every((v) => v === Math.fround(12345.678)),
      'a write out of bounds',
    ).toBe(true);
  });
  starts.forEach((start) => backend.wasm._free(start));
  return results;
};

const unaries: readonly Unary[] = [
  'neg',
  'exp',
  'log',
  'tanh',
  'sigmoid',
  'softplus',
  'elu',
  'erf',
  'sqrt',
  'finite',
];
const binaries: readonly Binary[] = ['add', 'sub', 'mul', 'div', 'divNoNan', 'max', 'min', 'greater', 'pow'];

/** A strided access to a buffer of its own size: a permutation of the axes, some of them reversed, some broadcast, with gaps. */
const arbitraryAccess = (extents: readonly number[], buffer: number) =>
  fc
    .record({
      order: fc.shuffledSubarray(
        extents.map((_, i) => i),
        { minLength: 0, maxLength: extents.length },
      ),
      full: fc.boolean(),
      reversed: fc.array(fc.boolean(), { minLength: extents.length, maxLength: extents.length }),
      gap: fc.constantFrom(1, 1, 1, 2, 3),
      lead: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ order, full, reversed, gap, lead }) => {
      const axes = full ? [...order, ...extents.map((_, i) => i).filter((i) => !order.includes(i))] : order;
      const strides = extents.map(() => 0);
      let size = gap;
      let offset = lead;
      for (const axis of [...axes].reverse()) {
        const extent = extents[axis] ?? 1;
        strides[axis] = reversed[axis] === true && gap > 1 ? -size : size;
        if (strides[axis] < 0) offset += size * (extent - 1);
        size *= extent;
      }
      return { access: { buffer, offset, strides } satisfies Access, size: size + lead };
    });

const arbitraryExtents = fc
  .array(fc.constantFrom<number[]>(1, 2, 3, 4, 5, 8, 16, 17, 37), { minLength: 0, maxLength: 4 })
  .filter((extents) => extents.reduce((a, b) => a * b, 1) <= 6000);

/** Operations whose result is continuous in their operands, so that rounding cannot change it by much. */
const smooth: readonly Unary[] = ['neg', 'tanh', 'sigmoid', 'elu', 'erf', 'finite', 'softplus'];

const arbitraryBody = (loads: number) =>
  fc
    .array(
      fc.record({
        kind: fc.constantFrom('unary', 'binary', 'select', 'constant', 'guarded'),
        unary: fc.constantFrom(...smooth),
        binary: fc.constantFrom<Binary>('add', 'sub', 'mul', 'max', 'min'),
        guarded: fc.constantFrom<'div' | 'log' | 'sqrt' | 'exp' | 'pow' | 'divNoNan'>(
          'div',
          'log',
          'sqrt',
          'exp',
          'pow',
          'divNoNan',
        ),
        value: fc.constantFrom(0, 0.5, -1.25, 3),
        a: fc.nat(),
        b: fc.nat(),
        c: fc.nat(),
      }),
      { maxLength: 6 },
    )
    .map((choices) => {
      const body: Instruction[] = Array.from({ length: loads }, (_, load) => ({ op: 'load', load }));
      for (const { kind, unary, binary, guarded, value, a, b, c } of choices) {
        const n = body.length;
        const [x, y, z] = [a % n, b % n, c % n];
        if (kind === 'unary') body.push({ op: unary, a: x });
        else if (kind === 'binary') body.push({ op: binary, a: x, b: y });
        else if (kind === 'constant') body.push({ op: 'constant', value });
        // A comparison of two loads is exact.
        else if (kind === 'select') {
          body.push({ op: 'greater', a: a % loads, b: b % loads });
          body.push({ op: 'select', a: n, b: y, c: z });
        } else {
          // Bounded away from poles: s = sigmoid(x) + 1/2.
          body.push({ op: 'sigmoid', a: x }, { op: 'constant', value: 0.5 }, { op: 'add', a: n, b: n + 1 });
          body.push(
            guarded === 'div' || guarded === 'divNoNan'
              ? { op: guarded, a: y, b: n + 2 }
              : guarded === 'pow'
                ? { op: 'pow', a: n + 2, b: n }
                : { op: guarded, a: n + 2 },
          );
        }
      }
      return body;
    });

const arbitraryKernel = arbitraryExtents.chain((extents) =>
  fc
    .record({
      loads: fc
        .array(fc.nat(), { minLength: 1, maxLength: 3 })
        .chain((list) => fc.tuple(...list.map((_, buffer) => arbitraryAccess(extents, buffer)))),
      stores: fc
        .array(fc.constantFrom('set', 'sum'), { minLength: 1, maxLength: 3 })
        .chain((modes) =>
          fc.tuple(
            ...modes.map((mode, buffer) =>
              arbitraryAccess(extents, buffer).map((access) => ({ ...access, mode })),
            ),
          ),
        ),
      values: fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
      shared: fc.boolean(),
      seed: fc.integer({ min: 1, max: 1 << 30 }),
    })
    .chain((parts) => arbitraryBody(parts.loads.length).map((body) => ({ ...parts, body })))
    .map(({ loads, stores, values, shared, seed, body }) => {
      const kernel: LoopKernel = {
        extents,
        loads: loads.map(({ access }) => access),
        body,
        stores: stores.map(({ access, mode }, i): Store => ({
          ...access,
          // Stores one after another in a single buffer, or a buffer each.
          buffer: shared ? 0 : i,
          offset: access.offset + (shared ? stores.slice(0, i).reduce((sum, s) => sum + s.size, 0) : 0),
          value: (values[i] ?? 0) % body.length,
          mode: mode === 'set' ? 'set' : 'sum',
        })),
        outputs: shared ? [stores.reduce((sum, s) => sum + s.size, 0)] : stores.map(({ size }) => size),
      };
      return { kernel, sizes: loads.map(({ size }) => size), seed };
    }),
);

const random = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 31 - 1;
  };
};

const agree = (
  actual: readonly Float32Array[],
  expected: readonly Float64Array[],
  tolerance: number,
): void => {
  expected.forEach((values, buffer) => {
    const scale = values.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
    values.forEach((value, i) => {
      const found = actual[buffer]?.[i] ?? NaN;
      if (!(Math.abs(found - value) <= tolerance * scale)) {
        expect.fail(`output ${buffer}[${i}]: found ${found}, expected ${value}`);
      }
    });
  });
};

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

  /** Sums of products: every axis is kept or reduced, and in one operand or both; all buffers dense, their axes in any order. */
  const arbitraryContraction = fc
    .array(
      fc.record({
        extent: fc.constantFrom<number[]>(1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 19, 24),
        role: fc.constantFrom('rows', 'columns', 'terms', 'batch'),
      }),
      { minLength: 2, maxLength: 5 },
    )
    .filter((axes) => axes.reduce((size, { extent }) => size * extent, 1) <= 20_000)
    .chain((axes) => {
      const dense = (roles: readonly string[]) =>
        fc
          .shuffledSubarray(
            axes.map((_, i) => i),
            { minLength: axes.length, maxLength: axes.length },
          )
          .map((order) => {
            const strides = axes.map(() => 0);
            let size = 1;
            for (const axis of order) {
              if (!roles.includes(axes[axis]?.role ?? '')) continue;
              strides[axis] = size;
              size *= axes[axis]?.extent ?? 1;
            }
            return { strides, size };
          });
      return fc
        .tuple(
          dense(['rows', 'terms', 'batch']),
          dense(['columns', 'terms', 'batch']),
          dense(['rows', 'columns', 'batch']),
        )
        .map(([a, b, out]) => ({
          kernel: {
            extents: axes.map(({ extent }) => extent),
            loads: [
              { buffer: 0, offset: 0, strides: a.strides },
              { buffer: 1, offset: 0, strides: b.strides },
            ],
            body: [
              { op: 'load', load: 0 },
              { op: 'load', load: 1 },
              { op: 'mul', a: 0, b: 1 },
            ],
            stores: [{ buffer: 0, offset: 0, strides: out.strides, value: 2, mode: 'sum' }],
            outputs: [out.size],
          } satisfies LoopKernel,
          sizes: [a.size, b.size],
        }));
    });
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

  const copy = (extents: readonly number[], from: readonly number[], to: readonly number[]): LoopKernel => ({
    extents,
    loads: [{ buffer: 0, offset: 0, strides: from }],
    body: [{ op: 'load', load: 0 }],
    stores: [{ buffer: 0, offset: 0, strides: to, value: 0, mode: 'set' }],
    outputs: [extents.reduce((a, b) => a * b, 1)],
  });
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
      stores: [{ buffer: 0, offset: 0, strides: [5, 5, 1], value: 0, mode: 'sum' }],
      outputs: [40],
    };
    const input = Float32Array.from({ length: 90 }, (_, i) => i);
    expect(run(kernel, [input])[0]).toEqual(Float32Array.from(evaluateLoop(kernel, [input])[0] ?? []));
  });

  const total = (
    extents: readonly number[],
    from: readonly number[],
    to: readonly number[],
    size: number,
  ): LoopKernel => ({
    extents,
    loads: [{ buffer: 0, offset: 0, strides: from }],
    body: [{ op: 'load', load: 0 }],
    stores: [{ buffer: 0, offset: 0, strides: to, value: 0, mode: 'sum' }],
    outputs: [size],
  });
  test.prop(
    [
      fc.constantFrom(
        total([100_003], [1], [0], 1),
        total([12_545, 13], [13, 1], [0, 1], 13),
        total([3_001, 40], [40, 1], [0, 1], 40),
        total([100_352, 1], [1, 0], [0, 0], 1),
        total([7, 13_001], [13_001, 1], [1, 0], 7),
      ),
    ],
    { numRuns: 20 },
  )('keeps long sums accurate', (kernel) => {
    const next = random(7);
    const input = Float32Array.from({ length: kernel.extents.reduce((a, b) => a * b, 1) }, () => next() + 1);
    const [found] = run(kernel, [input]);
    evaluateLoop(kernel, [input])[0]?.forEach((value, i) =>
      expect(Math.abs((found?.[i] ?? NaN) / value - 1)).toBeLessThan(1e-6),
    );
  });

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

const pointwise = (
  body: readonly Instruction[],
  inputs: readonly Float32Array[],
): readonly [Float32Array, Float64Array] => {
  const n = inputs[0]?.length ?? 0;
  const kernel: LoopKernel = {
    extents: [n],
    loads: inputs.map((_, buffer) => ({ buffer, offset: 0, strides: [1] })),
    body,
    stores: [{ buffer: 0, offset: 0, strides: [1], value: body.length - 1, mode: 'set' }],
    outputs: [n],
  };
  return [
    run(kernel, inputs)[0] ?? new Float32Array(),
    evaluateLoop(kernel, inputs)[0] ?? new Float64Array(),
  ];
};

const unaryBody = (op: Unary): readonly Instruction[] => [
  { op: 'load', load: 0 },
  { op, a: 0 },
];
const binaryBody = (op: Binary): readonly Instruction[] => [
  { op: 'load', load: 0 },
  { op: 'load', load: 1 },
  { op, a: 0, b: 1 },
];

const range = (low: number, high: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
/** Both signs, every order of magnitude of normal numbers. */
const magnitudes = Float32Array.from(
  { length: 40_000 },
  (_, i) => (i % 2 === 0 ? 1 : -1) * 1.1 ** ((i / 40_000) * 1800 - 900),
);

describe('float32 mathematics', () => {
  const smallestNormal = 1.1754944e-38;
  const worst = (op: Unary, inputs: Float32Array): readonly [error: number, at: number] => {
    const [found, expected] = pointwise(unaryBody(op), [inputs]);
    let result: readonly [number, number] = [0, 0];
    expected.forEach((value, i) => {
      const actual = found[i] ?? NaN;
      if (Math.fround(value) === actual || (Number.isNaN(value) && Number.isNaN(actual))) return;
      // Results in the subnormal range may be flushed to zero.
      if (Math.abs(value) < 2 * smallestNormal && Math.abs(actual) < 2 * smallestNormal) return;
      const error = Math.abs(actual - value) / Math.abs(value);
      if (!(error <= result[0])) result = [error, inputs[i] ?? NaN];
    });
    return result;
  };
  for (const op of unaries) {
    test(`${op} is accurate relative to its value`, () => {
      for (const inputs of [
        magnitudes,
        range(-3, 3, 40_000),
        range(-20, 20, 40_000),
        range(-110, 95, 40_000),
      ]) {
        const [error, where] = worst(op, inputs);
        expect(error, `at ${where}`).toBeLessThan(op === 'erf' ? 6e-7 : 4e-7);
      }
    });
    test(`${op} has the right values at the extremes`, () => {
      const inputs = Float32Array.of(
        0,
        -0,
        10_000,
        -10_000,
        3e38,
        -3e38,
        Infinity,
        -Infinity,
        NaN,
        100,
        -100,
        88.7,
        88.8,
        1,
        -1,
      );
      const [found, expected] = pointwise(unaryBody(op), [inputs]);
      expected.forEach((value, i) => {
        const rounded = Math.fround(value);
        const actual = found[i] ?? 0;
        const message = `${op}(${inputs[i]})`;
        if (Number.isNaN(rounded)) expect(actual, message).toBeNaN();
        else if (!Number.isFinite(rounded)) expect(actual, message).toBe(rounded);
        else
          expect(Math.abs(actual - rounded), message).toBeLessThanOrEqual(
            Math.max(1e-37, 5e-7 * Math.abs(rounded)),
          );
      });
    });
  }
  const special = [0, -0, 1, -1, 2, 0.5, -3, 10_000, -10_000, 3e38, -3e38, Infinity, -Infinity, NaN];
  const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
  for (const op of binaries) {
    test(`${op} has the right values at the extremes`, () => {
      const cases =
        op === 'pow' ? pairs.filter(([a, b]) => a >= 0 && !Object.is(a, -0) && Math.abs(b) < 4) : pairs;
      const [found, expected] = pointwise(binaryBody(op), [
        Float32Array.from(cases, ([a]) => a),
        Float32Array.from(cases, ([, b]) => b),
      ]);
      expected.forEach((value, i) => {
        const rounded = Math.fround(value);
        const actual = found[i] ?? 0;
        const message = `${op}(${cases[i]?.join(', ')})`;
        if (Number.isNaN(rounded)) expect(actual, message).toBeNaN();
        else if (!Number.isFinite(rounded)) expect(actual, message).toBe(rounded);
        else
          expect(Math.abs(actual - rounded), message).toBeLessThanOrEqual(
            (op === 'pow' ? 1e-5 : 1e-6) * Math.abs(rounded),
          );
      });
    });
  }
  test('pow is accurate for moderate exponents', () => {
    const [found, expected] = pointwise(binaryBody('pow'), [range(0.01, 10, 5000), range(-3, 3, 5000)]);
    expected.forEach((value, i) => expect(Math.abs((found[i] ?? NaN) / value - 1)).toBeLessThan(3e-6));
  });
});
