/** The C of loops computes what the reference says, for any kernel, whatever its extents leave over of a tile, on any number of threads. */
import { fc, test } from '@fast-check/vitest';
import { elementAt } from '../../../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect } from 'vitest';
import { native } from '../../../backends/cc/native.js';
import { createPlan } from '../../../compiler/loops/builder.js';
import { evaluateLoop } from '../../../compiler/loops/evaluate.js';
import type { LoopKernel } from '../../../compiler/loops/loop.js';
import { keepsLongSums } from '../../arbitrary/long-sums.js';
import { agree, arbitraryKernel, contractionOf, copy, random, total } from '../../arbitrary/loop.js';
import { placedKernel } from '../../arbitrary/placed.js';
import { right } from '../../shared/either.js';

const found = native();
const guard = 64;

/** With a zone on each side that nothing may write to. */
const guarded = (values: Float32Array): Float32Array => {
  const all = right(found)
    .numbers(values.length + 2 * guard)
    .fill(12345.678);
  all.set(values, guard);
  return all;
};

type Case = { readonly kernel: LoopKernel; readonly inputs: readonly Float32Array[] };

/** Runs kernels as one function; fails where a guard changes. */
const runAll = (cases: readonly Case[], threads = 2): readonly (readonly Float32Array[])[] => {
  const { address, load } = right(found);
  const plan = createPlan();
  const outputs = cases.map(({ kernel, inputs }, i) =>
    plan.loop(
      kernel,
      inputs.map((x, k) => plan.input(`${i} ${k}`, [x.length])),
      kernel.outputs.map((size) => [size]),
    ),
  );
  const program = right(
    load(
      plan.finish(
        outputs.flatMap((all, i) =>
          all.map((operand, k) => ({ kind: 'value', name: `${i} ${k}`, operand }) as const),
        ),
      ),
    ),
  );
  const given = cases.map(({ inputs }) => inputs.map(guarded));
  const made = cases.map(({ kernel }) => kernel.outputs.map((size) => guarded(new Float32Array(size))));
  const all = [...given.flat(), ...made.flat()];
  program.run(
    all.map((array) => address(array) + 4 * guard),
    threads,
  );
  program.dispose();
  for (const array of all)
    for (const edge of [array.subarray(0, guard), array.subarray(array.length - guard)])
      expect(
        edge.every((v) => v === Math.fround(12345.678)),
        'a write out of bounds',
      ).toBe(true);
  return made.map((arrays) => arrays.map((array) => array.subarray(guard, array.length - guard)));
};

const filled = (kernel: LoopKernel, sizes: readonly number[], seed: number): Case => {
  const next = random(seed);
  return { kernel, inputs: sizes.map((size) => Float32Array.from({ length: size }, next)) };
};

const termsOf = ({ extents }: LoopKernel): number => extents.reduce((a, b) => a * b, 1);

/** A compiler takes its time where others use the processor too. */
const timeout = 300_000;

describe.skipIf(isLeft(found))('a kernel in C', { timeout }, () => {
  test.prop([fc.array(arbitraryKernel, { minLength: 60, maxLength: 60 })], { numRuns: 4 })(
    'computes what the reference computes',
    (drawn) => {
      const cases = drawn.map(({ kernel, sizes, seed }) => filled(kernel, sizes, seed));
      runAll(cases).forEach((outputs, i) => {
        const { kernel, inputs } = elementAt(cases, i);
        agree(outputs, evaluateLoop(kernel, inputs), 1e-5 + termsOf(kernel) * 2e-7);
      });
    },
  );

  const placed = placedKernel(fc.integer({ min: 1, max: 70 }), 20_000);
  test.prop([fc.array(placed, { minLength: 40, maxLength: 40 })], { numRuns: 4 })(
    'reads and writes at places, and nowhere else',
    (cases) => {
      runAll(cases).forEach((outputs, i) => {
        const { kernel, inputs } = elementAt(cases, i);
        agree(outputs, evaluateLoop(kernel, inputs), 1e-5 + termsOf(kernel) * 2e-7);
      });
    },
  );

  const contraction = contractionOf(fc.integer({ min: 1, max: 70 }), 60_000);
  test.prop([fc.array(contraction, { minLength: 8, maxLength: 8 })], { numRuns: 5 })(
    'sums products, whatever a tile leaves over',
    (drawn) => {
      const cases = drawn.map(({ kernel, sizes }) => filled(kernel, sizes, 3));
      runAll(cases).forEach((outputs, i) => {
        const { kernel, inputs } = elementAt(cases, i);
        const terms = termsOf(kernel) / (kernel.outputs[0] ?? 1);
        agree(outputs, evaluateLoop(kernel, inputs), 1e-6 * (4 + Math.sqrt(terms)));
      });
    },
  );

  test.prop(
    [
      fc.array(contractionOf(fc.integer({ min: 20, max: 70 }), 200_000), { minLength: 4, maxLength: 4 }),
      fc.array(placedKernel(fc.integer({ min: 20, max: 70 }), 200_000), { minLength: 8, maxLength: 8 }),
    ],
    {
      numRuns: 2,
    },
  )('has the same bits on any number of threads', (drawn, placed) => {
    const sums = [total([3_001, 40], [40, 1], [0, 1], 40), total([300, 900], [900, 1], [1, 0], 300)];
    const cases = [
      ...drawn.map(({ kernel, sizes }) => filled(kernel, sizes, 5)),
      ...placed,
      ...sums.map((kernel) => filled(kernel, [termsOf(kernel)], 6)),
    ];
    const one = runAll(cases, 1);
    for (const threads of [2, 3, 7]) expect(runAll(cases, threads)).toEqual(one);
  });

  test.prop(
    [
      fc.array(fc.tuple(...[3, 70, 70].map((max) => fc.integer({ min: 1, max }))), {
        minLength: 20,
        maxLength: 20,
      }),
    ],
    {
      numRuns: 3,
    },
  )('moves matrices of any size', (drawn) => {
    const cases = drawn.map(([depth = 1, rows = 1, columns = 1]) =>
      filled(
        copy([depth, rows, columns], [rows * columns, columns, 1], [1, depth, depth * rows]),
        [depth * rows * columns],
        9,
      ),
    );
    runAll(cases).forEach(([output], i) => {
      const { kernel, inputs } = elementAt(cases, i);
      expect(output).toEqual(Float32Array.from(evaluateLoop(kernel, inputs)[0] ?? []));
    });
  });

  test('keeps long sums accurate', () => keepsLongSums(async (cases) => runAll(cases)));

  test.prop([fc.constant(null)], { numRuns: 1 })(
    'keeps order where it matters, and zeroes what nothing touches',
    () => {
      const empty: LoopKernel = { ...copy([0, 4], [4, 1], [4, 1]), outputs: [9] };
      const windows: LoopKernel = { ...total([6, 3, 5], [15, 5, 1], [5, 5, 1], 40) };
      const cases = [
        { kernel: copy([5, 7], [7, 1], [1, 1]), inputs: [Float32Array.from({ length: 35 }, (_, i) => i)] },
        { kernel: windows, inputs: [Float32Array.from({ length: 90 }, (_, i) => i)] },
        { kernel: empty, inputs: [Float32Array.of(1, 2, 3, 4)] },
      ];
      runAll(cases).forEach((outputs, i) => {
        const { kernel, inputs } = elementAt(cases, i);
        expect(outputs[0]).toEqual(Float32Array.from(evaluateLoop(kernel, inputs)[0] ?? []));
      });
    },
  );
});
