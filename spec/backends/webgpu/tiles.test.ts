/** Tiles of a product are no larger than what every device has the memory for. */
import { expect, test } from 'vitest';
import { scheduleOf } from '../../../backends/webgpu/program.js';
import { gpuTarget } from '../../../backends/webgpu/target.js';
import { mostBytes } from '../../../backends/webgpu/wgsl.js';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { lowerLoops } from '../../../compiler/loops/lower.js';

test.each([64, 512, 2048, 8192])('a product of %i rows and columns', (size) => {
  const builder = createBuilder();
  const x = builder.bind('data', 'x', { rows: 1, shape: [size] });
  const w = builder.bind('parameter', 'w', { rows: 0, shape: [size, size] });
  const y = builder.emit('linear', {}, [x, w]);
  const plan = lowerLoops(
    {
      name: 'product',
      batch: size,
      binders: builder.binders(),
      equations: builder.equations(),
      outputs: [{ kind: 'value', name: 'y', var: y }],
    },
    gpuTarget,
  );
  const bytes = scheduleOf(plan, { alike: false })
    .lots.flat()
    .map(({ kernel }) => kernel.code.bytes);
  expect(Math.max(...bytes)).toBeGreaterThan(0);
  expect(Math.max(...bytes)).toBeLessThanOrEqual(mostBytes);
});
