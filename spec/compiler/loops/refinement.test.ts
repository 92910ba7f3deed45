/** Finer axes walk through the same elements in the same order. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { refined, refinement } from '../../../compiler/loops/refinement.js';
import { elementAt } from '../../../dsl/lookup.js';

const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

/** Where the elements lie, in row-major order. */
const addresses = (strides: readonly number[], extents: readonly number[]): readonly number[] =>
  extents.reduce<readonly number[]>(
    (all, extent, axis) =>
      all.flatMap((at) => Array.from({ length: extent }, (_, i) => at + i * elementAt(strides, axis))),
    [0],
  );

const extents = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 5 });
/** The extents with neighbours taken together. */
const merged = (whole: readonly number[], cuts: readonly boolean[]): readonly number[] =>
  whole.reduce<readonly number[]>(
    (all, extent, i) =>
      i === 0 || cuts[i] === true
        ? [...all, extent]
        : [...all.slice(0, -1), extent * elementAt(all, all.length - 1)],
    [],
  );

describe('a common refinement', () => {
  test.prop({
    finest: extents,
    a: fc.array(fc.boolean(), { minLength: 5 }),
    b: fc.array(fc.boolean(), { minLength: 5 }),
  })(
    'is there where both are made of the same axes, and each of its axes is in one of each',
    ({ finest, a, b }) => {
      const [one, other] = [merged(finest, a), merged(finest, b)];
      const finer = refinement(one, other);
      expect(finer).not.toBeNull();
      if (finer === null) return;
      expect(product(finer)).toBe(product(finest));
      for (const shape of [one, other]) {
        const strides = shape.map((_, axis) => 7 ** (axis + 1));
        expect(addresses(refined(strides, shape, finer), finer)).toEqual(addresses(strides, shape));
      }
      expect(finer.length).toBeLessThanOrEqual(finest.length);
    },
  );

  test.each([
    [
      [2, 3],
      [3, 2],
    ],
    [
      [4, 9],
      [6, 6],
    ],
  ])('of %j and %j is not there', (a, b) => {
    expect(refinement(a, b)).toBeNull();
  });
});
