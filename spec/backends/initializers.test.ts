/** Initial values have their law's spread and depend on seed and name alone. */
import { elementAt } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type Initializer, kernelFans } from '../../dsl/layers/initializer.js';
import { initialise } from '../../backends/initializers.js';
import { dot, meanOf, rowsOf } from '../shared/moments.js';

describe('initializers', () => {
  const fill = (
    initializer: Initializer,
    shape: readonly number[],
    name = 'encoder/dense/kernel',
    seed = 1,
  ): Float32Array => {
    const into = new Float32Array(shape.reduce((a, b) => a * b, 1));
    initialise(initializer, { shape, ...kernelFans(shape) }, { seed, name }, into);
    return into;
  };

  test('fans count the receptive field', () => {
    expect(kernelFans([784, 10])).toEqual({ fanIn: 784, fanOut: 10 });
    expect(kernelFans([3, 3, 16, 32])).toEqual({ fanIn: 144, fanOut: 288 });
  });

  test('constants are constant', () => {
    expect(new Set(fill({ tag: 'zeros' }, [3, 4]))).toEqual(new Set([0]));
    expect(new Set(fill({ tag: 'ones' }, [3, 4]))).toEqual(new Set([1]));
    expect(new Set(fill({ tag: 'constant', value: 0.5 }, [3, 4]))).toEqual(new Set([0.5]));
  });

  test.each<[Initializer, number, number]>([
    [{ tag: 'normal', stddev: 0.02 }, 0.02, Infinity],
    [{ tag: 'uniform', limit: 0.3 }, 0.3 / Math.sqrt(3), 0.3],
    [{ tag: 'glorotUniform' }, Math.sqrt(2 / (200 + 300)), Math.sqrt(6 / (200 + 300))],
    [{ tag: 'heNormal' }, Math.sqrt(2 / 200), (2 * Math.sqrt(2 / 200)) / 0.8796],
  ])('%j has its standard deviation and bound', (initializer, stddev, bound) => {
    const values = fill(initializer, [200, 300]);
    expect(Math.abs(meanOf(values, (v) => v)) / stddev).toBeLessThan(0.02);
    expect(Math.abs(Math.sqrt(meanOf(values, (v) => v * v)) / stddev - 1)).toBeLessThan(0.02);
    const most = Math.max(...values.map(Math.abs));
    expect(most).toBeLessThan(bound * 1.0001);
    if (bound < Infinity) expect(most).toBeGreaterThan(bound * 0.99);
  });

  test.prop([
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    fc.integer({ min: 1, max: 20 }),
  ])('orthogonal has orthonormal rows or columns', (others, columns) => {
    const values = fill({ tag: 'orthogonal' }, [...others, columns]);
    const rows = rowsOf(values, columns);
    const lines =
      rows.length <= columns
        ? rows
        : Array.from({ length: columns }, (_, c) => rows.map((row) => elementAt(row, c)));
    lines.forEach((line, i) =>
      lines.forEach((other, j) => expect(dot(line, other)).toBeCloseTo(i === j ? 1 : 0, 5)),
    );
  });

  test('depend on seed and name alone', () => {
    const kernel = fill({ tag: 'glorotUniform' }, [4, 5]);
    expect(fill({ tag: 'glorotUniform' }, [4, 5])).toEqual(kernel);
    expect(fill({ tag: 'glorotUniform' }, [4, 5], 'other')).not.toEqual(kernel);
    expect(fill({ tag: 'glorotUniform' }, [4, 5], undefined, 2)).not.toEqual(kernel);
  });
});
