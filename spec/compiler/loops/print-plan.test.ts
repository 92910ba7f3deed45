/** The printer of plans: one line for each call, telling what it reads, writes and frees. */
import { expect, test } from 'vitest';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { lowerToKernels, lowerWasm } from '../../../backends/index.js';
import { printLoops, printPlan, type Program } from '../../../compiler/index.js';

/** Σ over the batch of tanh(x·W). */
const program = (): Program => {
  const { bind, emit, binders, equations } = createBuilder();
  const x = bind('data', 'x', { rows: 1, shape: [3] });
  const w = bind('parameter', 'w', { rows: 0, shape: [3, 4] });
  const y = emit('sumBatch', {}, [emit('tanh', {}, [emit('linear', {}, [x, w])])]);
  return {
    name: 'small',
    batch: 2,
    binders: binders(),
    equations: equations(),
    outputs: [{ kind: 'value', name: 'y', var: y }],
  };
};

test('a plan of kernels', () => {
  expect(printPlan(lowerToKernels(program(), { hasFilterGradient: true }))).toMatchInlineSnapshot(`
    "plan (
      "x" = %0[2,3]
      "w" = %1[3,4]
    ) {
      0  BatchMatMul a=%0[1,2,3] b=%1[1,3,4] → %2[1,2,4]
      1  Tanh x=%2[2,4] → %3[2,4]  free %2
      2  Sum x=%3[2,4] → %4[4]  axis=[0]  free %3
    } → (
      "y" = %4[4]
    )
    "
  `);
});

test('a plan of loops', () => {
  const text = printPlan(lowerWasm(program()));
  expect(text).toMatch(/^ +\d+ {2}loop 2×4 \(%\d+\) tanh → Σ %\d+ {2}free %\d+$/m);
  expect(text).toContain('"y" = ');
});

test('its loops written out', () => {
  expect(printLoops(lowerWasm(program()))).toMatchInlineSnapshot(`
    "0  for i < 2, j < 4, k < 3                       48 FLOP, 104 B
         %2[4i + j] += %0[3i + k]·%1[j + 4k]
    1  for i < 2, j < 4                              16 FLOP, 48 B
         %3[j] += tanh(%2[4i + j])
    "
  `);
});
