/** Numbers that are close to those expected. */
import { elementAt } from '../../dsl/lookup.js';
import { expect } from 'vitest';

export const close = (found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void => {
  expect(found.length).toBe(expected.length);
  Array.from(expected).forEach((value, i) =>
    expect(Math.abs(elementAt(found, i) - value)).toBeLessThan(tolerance),
  );
};
