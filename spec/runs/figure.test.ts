/** Figures of an evaluation by name: none hides another. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { Evaluated } from '../../runs/records/events.js';
import { figureNames, figureOf } from '../../runs/run/figure.js';

const seen: Evaluated = {
  step: 3,
  loss: 1,
  terms: { loss: 2, volume: 3, error: 4 },
  metrics: { loss: 5, error: 6, half: 7 },
  settled: { loss: 8, volume: 9 },
};

describe('a figure', () => {
  test.each([
    ['loss', 8],
    ['terms.loss', 2],
    ['metrics.loss', 5],
    ['volume', 9],
    ['error', 4],
    ['terms.error', 4],
    ['metrics.error', 6],
    ['half', 7],
    ['nothing', NaN],
  ])('%s is its own', (name, value) => {
    expect(figureOf(seen, name)).toBe(value);
  });

  test('named loss is the loss also where no schedule is settled', () => {
    const { settled: _, ...plain } = seen;
    expect(figureOf(plain, 'loss')).toBe(1);
    expect(figureOf(plain, 'terms.loss')).toBe(2);
  });

  const name = fc.constantFrom('loss', 'error', 'volume', 'constructor', 'x.y');
  property.prop([fc.uniqueArray(name), fc.uniqueArray(name)])(
    'has one name, and each name one figure',
    (terms, metrics) => {
      const names = figureNames(terms, metrics);
      expect(new Set(names).size).toBe(1 + terms.length + metrics.length);
      const values = (own: readonly string[], from: number) =>
        Object.fromEntries(own.map((one, i) => [one, from + i]));
      const all = { step: 0, loss: 0, terms: values(terms, 1), metrics: values(metrics, 1 + terms.length) };
      expect(names.map((one) => figureOf(all, one))).toEqual(names.map((_, i) => i));
    },
  );
});
