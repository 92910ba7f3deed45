/** A number of a program is the same number in WGSL, which refuses what lies beyond the largest. */
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { literal } from '../../../backends/webgpu/wgsl.js';

const largest = 3.4028234663852886e38;

test.prop(
  { x: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { examples: [{ x: largest }, { x: -largest }] },
)('literals are exact', ({ x }) => {
  const text = literal(x);
  if (Object.is(x, -0)) expect(text).toContain('0x80000000u');
  else {
    expect(text).toMatch(/^-?\d+(\.\d+)?(e[+-]\d+)?f$/);
    expect(text).toMatch(/[.e]/);
    expect(Number(text.slice(0, -1))).toBe(x);
  }
});
