/** The sequential test of a mean keeps its word: it hardly ever calls an exact mean wrong, and always finds a bias of twice its resolution. */
import { describe, expect, test } from 'vitest';
import { deriveKey, uniforms } from '../../dsl/random.js';
import { floatAt } from '../../dsl/lookup.js';
import { type Decision, decide, halfWidth, noDraws, RESOLUTION, withDraw } from '../../laws/sequential.js';

const MOST = 10_000;

/** Draws with mean 0 and deviation 1 out of uniform numbers. */
const shapes: Readonly<Record<string, (u: number) => number>> = {
  uniform: (u) => Math.sqrt(12) * (u - 0.5),
  'two-valued': (u) => (u < 0.5 ? -1 : 1),
  exponential: (u) => -Math.log(1 - u) - 1,
  'rarely large': (u) => (u < 0.95 ? -0.2294157 : 4.3588989),
};

const outcome = (draw: (u: number) => number, bias: number, seed: number): Decision => {
  const numbers = uniforms(deriveKey(seed, 'draws'), [0, 0, 0], MOST);
  let draws = noDraws;
  for (let i = 0; i < MOST; i++) {
    draws = withDraw(draws, draw(floatAt(numbers, i)) + bias);
    const decision = i % 64 === 63 ? decide(draws, 0, 1) : 'open';
    if (decision !== 'open') return decision;
  }
  return 'open';
};

describe.each(Object.entries(shapes))('of %s draws', (_, draw) => {
  const seeds = Array.from({ length: 100 }, (_unused, i) => i);

  test('a mean of 0 is never called another in 100 tests', () => {
    expect(new Set(seeds.map((seed) => outcome(draw, 0, seed)))).toEqual(new Set(['within']));
  });

  test('a bias of twice the resolution is found, on its side', () => {
    expect(new Set(seeds.map((seed) => outcome(draw, 2 * RESOLUTION, seed)))).toEqual(new Set(['above']));
    expect(new Set(seeds.map((seed) => outcome(draw, -2 * RESOLUTION, seed)))).toEqual(new Set(['below']));
  });
});

test('the sequence narrows, to the resolution after some thousand draws', () => {
  expect(halfWidth(3000, 1)).toBeGreaterThan(RESOLUTION);
  expect(halfWidth(4500, 1)).toBeLessThan(RESOLUTION);
  expect(halfWidth(256, 1)).toBeLessThan(1);
  expect(halfWidth(1000, 5)).toBeGreaterThan(halfWidth(1000, 1));
});

test('draws that do not vary are compared as they are', () => {
  const same = Array.from({ length: 5000 }).reduce<typeof noDraws>(
    (draws) => withDraw(draws, 1e-12),
    noDraws,
  );
  expect(decide(same, 1e-9, 1)).toBe('within');
  expect(decide(same, 0, 1)).toBe('above');
});
