/** Loop kernels of any kind, what is in their arrays, and when two results agree. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { BinaryName, ReductionName, UnaryName } from '../../compiler/ir/params.js';
import type { Access, Instruction, LoopKernel, Store } from '../../compiler/loops/loop.js';

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
  'atan',
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

/** Any kernel, sizes of its inputs, and a seed for what is in them. */
export const arbitraryKernel = arbitraryExtents.chain((extents) =>
  fc
    .record({
      loads: fc
        .array(fc.nat(), { minLength: 1, maxLength: 3 })
        .chain((list) => fc.tuple(...list.map((_, buffer) => arbitraryAccess(extents, buffer)))),
      stores: fc
        .array(fc.constantFrom<'set' | 'reduce'>('set', 'reduce'), { minLength: 1, maxLength: 3 })
        .chain((modes) =>
          fc.tuple(
            ...modes.map((mode, buffer) =>
              arbitraryAccess(extents, buffer).map((access) => ({ ...access, mode })),
            ),
          ),
        ),
      values: fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
      shared: fc.boolean(),
      op: fc.constantFrom<ReductionName>('add', 'max', 'min', 'mul'),
      seed: fc.integer({ min: 1, max: 1 << 30 }),
    })
    .chain((parts) => arbitraryBody(parts.loads.length).map((body) => ({ ...parts, body })))
    .map(({ loads, stores, values, shared, op, seed, body: computed }) => {
      // A product of many numbers stays finite where none is beyond 1.
      const bounded = computed.map((_, a): Instruction => ({ op: 'tanh', a }));
      const body = op === 'mul' ? [...computed, ...bounded] : computed;
      const kernel: LoopKernel = {
        extents,
        loads: loads.map(({ access }) => access),
        body,
        stores: stores.map(({ access, mode }, i): Store => ({
          ...access,
          // Stores one after another in a single buffer, or a buffer each.
          buffer: shared ? 0 : i,
          offset: access.offset + (shared ? stores.slice(0, i).reduce((sum, s) => sum + s.size, 0) : 0),
          value:
            ((values[i] ?? 0) % computed.length) + (op === 'mul' && mode === 'reduce' ? computed.length : 0),
          mode: mode === 'set' ? 'set' : op,
        })),
        outputs: shared ? [stores.reduce((sum, s) => sum + s.size, 0)] : stores.map(({ size }) => size),
      };
      return { kernel, sizes: loads.map(({ size }) => size), seed };
    }),
);

/** Numbers in [−1, 1). */
export const random = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 31 - 1;
  };
};

/** Every element within a part of the greatest. */
export const agree = (
  actual: readonly Float32Array[],
  expected: readonly Float64Array[],
  tolerance: number,
): void => {
  expected.forEach((values, buffer) => {
    // An extremum of nothing is infinite.
    const scale = values.filter(Number.isFinite).reduce((a, b) => Math.max(a, Math.abs(b)), 1);
    values.forEach((value, i) => {
      const found = actual[buffer]?.[i] ?? NaN;
      if (found !== value && !(Math.abs(found - value) <= tolerance * scale)) {
        expect.fail(`output ${buffer}[${i}]: found ${found}, expected ${value}`);
      }
    });
  });
};

/** Sums of products: every axis is kept or reduced, and in one operand or both; all buffers dense, their axes in any order. */
export const contractionOf = (extents: fc.Arbitrary<number>, most: number) =>
  fc
    .array(
      fc.record({
        extent: extents,
        role: fc.constantFrom('rows', 'columns', 'terms', 'batch'),
      }),
      { minLength: 2, maxLength: 5 },
    )
    .filter((axes) => axes.reduce((size, { extent }) => size * extent, 1) <= most)
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
            stores: [{ buffer: 0, offset: 0, strides: out.strides, value: 2, mode: 'add' }],
            outputs: [out.size],
          } satisfies LoopKernel,
          sizes: [a.size, b.size],
        }));
    });
/** Moves every element. */
export const copy = (
  extents: readonly number[],
  from: readonly number[],
  to: readonly number[],
): LoopKernel => ({
  extents,
  loads: [{ buffer: 0, offset: 0, strides: from }],
  body: [{ op: 'load', load: 0 }],
  stores: [{ buffer: 0, offset: 0, strides: to, value: 0, mode: 'set' }],
  outputs: [extents.reduce((a, b) => a * b, 1)],
});
/** Sums over the axes whose stride in `to` is 0. */
export const total = (
  extents: readonly number[],
  from: readonly number[],
  to: readonly number[],
  size: number,
): LoopKernel => ({
  extents,
  loads: [{ buffer: 0, offset: 0, strides: from }],
  body: [{ op: 'load', load: 0 }],
  stores: [{ buffer: 0, offset: 0, strides: to, value: 0, mode: 'add' }],
  outputs: [size],
});
