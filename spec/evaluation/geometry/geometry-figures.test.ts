/** Volumes, re-encoding and log-densities of models that are known exactly, on data whose density is known. */
import { elementAt, entryOf, float32At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { Matrix, pseudoInverse } from 'ml-matrix';
import { describe, expect } from 'vitest';
import { loadData } from '../../../data/index.js';
import { dense, input, network, pipe } from '../../../dsl/index.js';
import { gaussianOf } from '../../../evaluation/priors/gaussian.js';
import { geometryFigures } from '../../../evaluation/geometry/geometry-figures.js';
import { spreadOf } from '../../../evaluation/geometry/geometry.js';
import { spaced } from '../../../data/dataset.js';
import { holdOut } from '../../../runs/index.js';
import { scoredInMemory } from '../../../runs/run/hold-out.js';
import { left, right } from '../../shared/either.js';
import { modelOf } from '../../shared/models.js';

const [d, size] = [2, 6];
const scale = fc.double({ min: 0.3, max: 3, noNaN: true });

describe('of the model that the data was made with', () => {
  test.prop([scale, scale, fc.double({ min: -2, max: 2, noNaN: true })], { numRuns: 8 })(
    'the log-density is the true one in whatever coordinates the codes are',
    async (a, b, shear) => {
      const data = right(
        await scoredInMemory(right(holdOut(right(await loadData('linear?count=200')()), 0))),
      );
      const w = new Matrix(
        [...Array(size).keys()].map((row) =>
          [...(data.manifold?.jacobian([0, 0]) ?? [])].slice(row * d, (row + 1) * d),
        ),
      );
      // z = A c with A lower triangular, so c = A⁻¹ z is normal with covariance A⁻¹A⁻ᵀ.
      const chart = new Matrix([[a, 0], [shear, b]]); // prettier-ignore
      const decoder = w.mmul(chart);
      const model = await modelOf(
        network('encoder', pipe(input(size), dense(d))),
        network('decoder', pipe(input(d), dense(size))),
        {
          weights: {
            'encoder/0.dense/kernel': pseudoInverse(decoder).transpose().to1DArray(),
            'encoder/0.dense/bias': [0, 0],
            'decoder/0.dense/kernel': decoder.transpose().to1DArray(),
            'decoder/0.dense/bias': Array<number>(size).fill(0),
          },
        },
      );
      const inverse = new Matrix([[1 / a, 0], [-shear / (a * b), 1 / b]]); // prettier-ignore
      const prior = gaussianOf(new Float64Array(d), inverse);
      const figures = right(await geometryFigures(model, data, prior, { points: 50, seed: 0 }));
      model.dispose();
      expect(figures['test/logDensity']).toBeCloseTo(entryOf(figures, 'test/trueLogDensity'), 3);
      const gram = decoder.transpose().mmul(decoder);
      const exact = 0.5 * Math.log(gram.get(0, 0) * gram.get(1, 1) - gram.get(0, 1) ** 2);
      expect(figures['test/volume']).toBeCloseTo(exact, 4);
      expect(figures['test/excess/frobenius']).toBeCloseTo(Math.log(gram.trace() / 2) - exact, 4);
      expect(figures['test/excess/linear']).toBeCloseTo((gram.trace() - 2) / 2 - exact, 3);
      expect(figures['test/degenerate']).toBe(0);
      expect(figures['test/reencoding']).toBeLessThan(1e-5);
      expect(figures['test/reencoding/samples']).toBeLessThan(1e-5);
      expect(figures['test/collision']).toBeGreaterThan(0);
      expect(figures['test/collision']).toBeLessThanOrEqual(1);
    },
  );
});

test('what nobody asks for costs nothing, and codes that are not finite are a problem', async () => {
  const data = right(await scoredInMemory(right(holdOut(right(await loadData('linear?count=50')()), 0))));
  const model = await modelOf(
    network('encoder', pipe(input(size), dense(d))),
    network('decoder', pipe(input(d), dense(size))),
    {
      weights: { 'decoder/0.dense/kernel': Array<number>(size * d).fill(NaN) },
    },
  );
  expect(right(await geometryFigures(model, data, undefined, { points: 0, seed: 0 }))).toEqual({});
  expect(elementAt(left(await geometryFigures(model, data, undefined, { points: 4, seed: 0 })), 0).path).toBe(
    'jacobian',
  );
  model.dispose();
});

test.prop([fc.double({ min: 0.1, max: 2, noNaN: true })], { numRuns: 5 })(
  'an encoder that stretches decoded codes by 1 + r is off by r‖z‖, as a part of the spread of the codes',
  async (r) => {
    const data = right(await scoredInMemory(right(holdOut(right(await loadData('linear?count=60')()), 0))));
    const injection = [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    const projection = [...Array(size * d).keys()].map((at) => (at === 0 || at === d + 1 ? 1 + r : 0));
    const model = await modelOf(
      network('encoder', pipe(input(size), dense(d))),
      network('decoder', pipe(input(d), dense(size))),
      { weights: { 'encoder/0.dense/kernel': projection, 'decoder/0.dense/kernel': injection } },
    );
    const figures = right(await geometryFigures(model, data, undefined, { points: data.test.size, seed: 0 }));
    const codes = await model.encode(data.test.examples);
    model.dispose();
    const lengths = Array.from({ length: data.test.size }, (_, i) =>
      Math.hypot(float32At(codes, i * d), float32At(codes, i * d + 1)),
    );
    const mean = lengths.reduce((sum, length) => sum + length, 0) / data.test.size;
    expect(entryOf(figures, 'test/reencoding') / ((r * mean) / spreadOf(codes, d))).toBeCloseTo(1, 4);
    expect(figures).not.toHaveProperty(['test/reencoding/samples']);
    expect(figures['test/violations']).toBe(0);
  },
);

test.prop([fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 50 })])(
  'points lie at even distances, so that a set in order of its classes has some of each',
  (count, most) => {
    const set = {
      name: 'rows',
      shape: [1],
      size: count,
      examples: Float32Array.from({ length: count }, (_, i) => i),
    };
    const { examples, size: taken } = spaced(set, most);
    expect(taken).toBe(Math.min(count, most));
    examples.forEach((row, i) => {
      expect(row).toBeGreaterThan((i * count) / taken - 1);
      expect(row).toBeLessThanOrEqual((i * count) / taken);
    });
  },
);
