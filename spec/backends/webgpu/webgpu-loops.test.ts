/** The WGSL of loops computes what the reference says, for any kernel, whatever its extents leave over of a tile. */
import { fc, test } from '@fast-check/vitest';
import { isLeft } from 'fp-ts/lib/Either.js';
import { describe, expect } from 'vitest';
import type { Tile } from '../../../backends/webgpu/contraction.js';
import { startEngine } from '../../../backends/webgpu/engine.js';
import type { Range } from '../../../backends/webgpu/heap.js';
import { scheduleOf } from '../../../backends/webgpu/program.js';
import { createPlan } from '../../../compiler/loops/builder.js';
import { evaluateLoop } from '../../../compiler/loops/evaluate.js';
import type { LoopKernel } from '../../../compiler/loops/loop.js';
import { elementAt } from '../../../dsl/lookup.js';
import { keepsLongSums } from '../../arbitrary/long-sums.js';
import { agree, arbitraryKernel, contractionOf, copy, random, total } from '../../arbitrary/loop.js';
import { placedKernel } from '../../arbitrary/placed.js';
import { right } from '../../shared/either.js';

const found = await startEngine();

test.runIf(process.env['IMMERSION_REQUIRE_WEBGPU'] === '1')(
  'there is a GPU, or what stands in for one',
  () => {
    expect(isLeft(found) ? found.left : []).toEqual([]);
  },
);

const guard = 64;
const mark = Math.fround(12345.678);

type Case = { readonly kernel: LoopKernel; readonly inputs: readonly Float32Array[] };

/** Runs kernels as one plan, their inputs between zones that nothing may write to. */
const runAll = async (
  cases: readonly Case[],
  { alike = true, tile }: { readonly alike?: boolean; readonly tile?: Tile | undefined } = {},
): Promise<readonly (readonly Float32Array[])[]> => {
  const { heap, compile, load } = right(found);
  const plan = createPlan();
  const outputs = cases.map(({ kernel, inputs }, i) =>
    plan.loop(
      kernel,
      inputs.map((x, k) => plan.input(`${i} ${k}`, [x.length])),
      kernel.outputs.map((size) => [size]),
    ),
  );
  const finished = plan.finish(
    outputs.flatMap((all, i) =>
      all.map((operand, k) => ({ kind: 'value', name: `${i} ${k}`, operand }) as const),
    ),
  );
  const schedule = scheduleOf(finished, { alike, tile });
  expect(await compile(schedule)).toBeUndefined();
  const loaded = load(finished, schedule);
  const guarded = cases.flatMap(({ inputs }) =>
    inputs.map((values) => {
      const all = new Float32Array(values.length + 2 * guard).fill(mark);
      all.set(values, guard);
      const range = heap.take(all.length);
      heap.write(range, all);
      return { range, all };
    }),
  );
  const made = loaded.run(guarded.map(({ range }) => range.start + guard));
  const ranges: readonly Range[] = [...made, ...guarded.map(({ range }) => range)];
  const read = await heap.read(ranges);
  ranges.forEach(heap.give);
  loaded.dispose();
  guarded.forEach(({ all }, i) => expect(read[made.length + i], 'a write out of bounds').toEqual(all));
  let next = 0;
  return cases.map(({ kernel }) => kernel.outputs.map(() => elementAt(read, next++)));
};

const filled = (kernel: LoopKernel, sizes: readonly number[], seed: number): Case => {
  const next = random(seed);
  return { kernel, inputs: sizes.map((size) => Float32Array.from({ length: size }, next)) };
};

const termsOf = ({ extents }: LoopKernel): number => extents.reduce((a, b) => a * b, 1);

describe.skipIf(isLeft(found))('a kernel in WGSL', { timeout: 300_000 }, () => {
  test.prop([fc.array(arbitraryKernel, { minLength: 40, maxLength: 40 }), fc.boolean()], { numRuns: 2 })(
    'computes what the reference computes',
    async (drawn, alike) => {
      const cases = drawn.map(({ kernel, sizes, seed }) => filled(kernel, sizes, seed));
      (await runAll(cases, { alike })).forEach((outputs, i) => {
        const { kernel, inputs } = elementAt(cases, i);
        agree(outputs, evaluateLoop(kernel, inputs), 1e-5 + termsOf(kernel) * 2e-7);
      });
    },
  );

  const placed = placedKernel(fc.integer({ min: 1, max: 70 }), 20_000);
  test.prop([fc.array(placed, { minLength: 20, maxLength: 20 }), fc.boolean()], { numRuns: 3 })(
    'reads and writes at places, and nowhere else',
    async (cases, alike) => {
      (await runAll(cases, { alike })).forEach((outputs, i) => {
        const { kernel, inputs } = elementAt(cases, i);
        agree(outputs, evaluateLoop(kernel, inputs), 1e-5 + termsOf(kernel) * 2e-7);
      });
    },
  );

  const sides = fc.constantFrom(1, 2, 4, 8);
  const tiles = fc.option(fc.record({ rows: sides, columns: sides, slices: fc.constantFrom(1, 2, 5) }), {
    nil: undefined,
  });
  const contraction = contractionOf(fc.integer({ min: 1, max: 70 }), 20_000);
  test.prop([fc.array(contraction, { minLength: 4, maxLength: 4 }), tiles, fc.boolean()], { numRuns: 5 })(
    'sums products, whatever a tile leaves over',
    async (drawn, tile, alike) => {
      const cases = drawn.map(({ kernel, sizes }) => filled(kernel, sizes, 3));
      (await runAll(cases, { alike, tile })).forEach((outputs, i) => {
        const { kernel, inputs } = elementAt(cases, i);
        const terms = termsOf(kernel) / (kernel.outputs[0] ?? 1);
        agree(outputs, evaluateLoop(kernel, inputs), 1e-6 * (4 + Math.sqrt(terms)));
      });
    },
  );

  test('has the same bits again', async () => {
    const kernels = [total([3_001, 40], [40, 1], [0, 1], 40), total([30, 900], [900, 1], [1, 0], 30)];
    const cases = kernels.map((kernel) => filled(kernel, [termsOf(kernel)], 6));
    const one = await runAll(cases);
    for (let i = 0; i < 2; i++) expect(await runAll(cases)).toEqual(one);
  });

  test('moves matrices', async () => {
    const cases = [
      [3, 70, 41],
      [1, 1, 70],
      [2, 64, 32],
    ].map(([depth = 1, rows = 1, columns = 1]) =>
      filled(
        copy([depth, rows, columns], [rows * columns, columns, 1], [1, depth, depth * rows]),
        [depth * rows * columns],
        9,
      ),
    );
    (await runAll(cases)).forEach(([output], i) => {
      const { kernel, inputs } = elementAt(cases, i);
      expect(output).toEqual(Float32Array.from(evaluateLoop(kernel, inputs)[0] ?? []));
    });
  });

  test('keeps long sums accurate', () => keepsLongSums(runAll));

  test('keeps order where it matters, zeroes what nothing touches, and takes more workgroups than a dimension has', async () => {
    const empty: LoopKernel = { ...copy([0, 4], [4, 1], [4, 1]), outputs: [9] };
    const windows = total([6, 3, 5], [15, 5, 1], [5, 5, 1], 40);
    const many = 256 * 65_535 + 300;
    const cases = [
      { kernel: copy([5, 7], [7, 1], [1, 1]), inputs: [Float32Array.from({ length: 35 }, (_, i) => i)] },
      { kernel: windows, inputs: [Float32Array.from({ length: 90 }, (_, i) => i)] },
      { kernel: empty, inputs: [Float32Array.of(1, 2, 3, 4)] },
    ];
    (await runAll(cases)).forEach((outputs, i) => {
      const { kernel, inputs } = elementAt(cases, i);
      expect(outputs[0]).toEqual(Float32Array.from(evaluateLoop(kernel, inputs)[0] ?? []));
    });
    const ones: LoopKernel = {
      ...copy([many], [0], [1]),
      loads: [],
      body: [{ op: 'constant', value: 1 }],
    };
    const [[all] = []] = await runAll([{ kernel: ones, inputs: [] }]);
    expect(all?.every((x) => x === 1)).toBe(true);
  });
});
