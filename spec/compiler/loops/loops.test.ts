/** Generated loops compute what the reference says, for any kernel. */
import { test, fc } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { BinaryName, UnaryName } from '../../../compiler/ir/params.js';
import type { Access, Instruction, LoopKernel, Store } from '../../../compiler/loops/loop.js';
import { evaluateLoop } from '../../../backends/wasm/evaluate.js';
import { fusedMultiplyAdd } from '../../../backends/wasm/loops.js';
import { run } from './loop-runner.js';

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
const smooth: readonly UnaryName[] = [
  'neg',
  'tanh',
  'sigmoid',
  'elu',
  'erf',
  'finite',
  'softplus',
  'sin',
  'cos',
];

const arbitraryBody = (loads: number) =>
  fc
    .array(
      fc.record({
        kind: fc.constantFrom('unary', 'binary', 'select', 'constant', 'guarded'),
        unary: fc.constantFrom(...smooth),
        binary: fc.constantFrom<BinaryName>('add', 'sub', 'mul', 'max', 'min'),
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
