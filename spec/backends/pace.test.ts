/** How many threads a program's steps have goes by the clock, soon after that changes; and the parts that they take are even. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createPace } from '../../backends/pace.js';
import { partLength } from '../../backends/wasm/threads.js';

/** Milliseconds of steps until `until` have passed, and those that were shared. */
const run = (
  pace: ReturnType<typeof createPace>,
  { shared, alone, until }: { readonly shared: number; readonly alone: number; readonly until: number },
): { readonly total: number; readonly steps: number; readonly sharedSteps: number } => {
  let [total, steps, sharedSteps] = [0, 0, 0];
  while (total < until) {
    const isShared = pace.isShared();
    const took = isShared ? shared : alone;
    pace.took(took);
    total += took;
    steps += 1;
    if (isShared) sharedSteps += 1;
  }
  return { total, steps, sharedSteps };
};

const milliseconds = fc.double({ min: 0.05, max: 400, noNaN: true });

describe('a pace', () => {
  test.prop([milliseconds, fc.double({ min: 1.2, max: 4, noNaN: true }), fc.boolean()])(
    'costs at most 15 % more than the faster way, once it was tried',
    (fast, slower, isShared) => {
      const pace = createPace();
      const [shared, alone] = isShared ? [fast, fast * slower] : [fast * slower, fast];
      run(pace, { shared, alone, until: 300 + 30 * Math.max(shared, alone) + 200 });
      const { total, steps } = run(pace, { shared, alone, until: 100_000 });
      expect(total / steps).toBeLessThan(1.15 * fast);
    },
  );

  test('follows a machine that becomes busy, and quiet again', () => {
    const pace = createPace();
    run(pace, { shared: 1, alone: 1.8, until: 5000 });
    expect(pace.isShared()).toBe(true);
    run(pace, { shared: 4, alone: 2, until: 20_000 });
    const busy = run(pace, { shared: 4, alone: 2, until: 20_000 });
    expect(busy.sharedSteps / busy.steps).toBeLessThan(0.1);
    run(pace, { shared: 1, alone: 1.8, until: 20_000 });
    const quiet = run(pace, { shared: 1, alone: 1.8, until: 20_000 });
    expect(quiet.sharedSteps / quiet.steps).toBeGreaterThan(0.9);
  });
});

test.prop([fc.integer({ min: 2, max: 5000 }), fc.integer({ min: 2, max: 64 })])(
  'parts cover an axis, fit their regions, and leave threads as even as single indices would, within a quarter',
  (extent, count) => {
    const length = partLength(extent, count);
    const parts = Math.ceil(extent / length);
    const perRegion = Math.ceil(parts / count);
    expect(length).toBeGreaterThanOrEqual(1);
    expect(perRegion).toBeLessThan(255);
    expect(perRegion * length).toBeLessThanOrEqual(1.25 * Math.ceil(extent / count) + 1);
  },
);
