/** Batches are functions of the step: an epoch permutes the examples, an evaluation sees each once. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { batchIndices, evaluationBatches, permutation, trainingBatches } from '../../data/batches.js';
import { gather, labelsOf, select, split } from '../../data/dataset.js';
import { integerField } from '../../data/field.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import { left, right } from '../shared/either.js';

describe('batches', () => {
  const source = (seed: number) => (epoch: number, count: number) =>
    uniforms(deriveKey(seed, 'batches'), [0, 0, epoch], count);
  const sizes = fc
    .integer({ min: 1, max: 200 })
    .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 1, max: size })));

  test.prop([fc.integer({ min: 0, max: 300 }), fc.nat(), fc.integer()])(
    'a permutation holds every row once',
    (size, epoch, seed) => {
      expect([...permutation(size, epoch, source(seed))].sort((a, b) => a - b)).toEqual(
        Array.from({ length: size }, (_, i) => i),
      );
    },
  );

  test.prop([sizes, fc.nat(50), fc.integer()])(
    'the steps of an epoch cut its permutation into whole batches',
    ([size, batch], epoch, seed) => {
      const batches = right(trainingBatches(size, batch, source(seed)));
      const steps = Array.from(
        { length: batches.stepsPerEpoch },
        (_, i) => epoch * batches.stepsPerEpoch + i,
      );
      const order = permutation(size, epoch, source(seed));
      expect(steps.flatMap((step) => [...batches.indices(step)])).toEqual([
        ...order.slice(0, size - (size % batch)),
      ]);
      // Out of turn, as after a resume, the same step holds the same rows.
      const [step] = atLeast(1, steps);
      expect(right(trainingBatches(size, batch, source(seed))).indices(step)).toEqual(batches.indices(step));
      expect(batchIndices(size, batch, step, () => order)).toEqual(batches.indices(step));
    },
  );

  test('all orders of three rows are equally likely', () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 6000; epoch++) {
      const order = permutation(3, epoch, source(1)).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Each count is binomial with standard deviation 29.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test.prop([fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 130 })])(
    'evaluation sees every row once, and fills the last batch with the first',
    (size, batch) => {
      const batches = right(evaluationBatches(size, batch));
      expect(batches.flatMap(({ indices, valid }) => [...indices.slice(0, valid)])).toEqual(
        Array.from({ length: size }, (_, i) => i),
      );
      for (const { indices, valid } of batches) {
        expect(indices.length).toBe(batch);
        expect([...indices.slice(valid)]).toEqual(Array.from({ length: batch - valid }, (_, i) => i % size));
      }
    },
  );

  test('sizes that allow no batch are problems', () => {
    expect(left(trainingBatches(64, 128, source(0)))).toEqual([
      { path: 'batch', found: '128', expected: 'an integer from 1 to 64, the number of examples' },
    ]);
    for (const batch of [0, -1, 1.5, NaN, Infinity]) {
      expect(elementAt(left(trainingBatches(64, batch, source(0))), 0).path).toBe('batch');
      expect(elementAt(left(evaluationBatches(64, batch)), 0).path).toBe('batch');
    }
    expect(elementAt(left(evaluationBatches(0, 4)), 0).path).toBe('size');
  });

  test('gather, select and split copy whole examples', () => {
    const dataset = {
      name: 'x',
      shape: [2],
      size: 7,
      examples: Float32Array.from({ length: 14 }, (_, i) => i),
      fields: { label: integerField([0, 37, 74, 111, 148, 185, 222]) },
    };
    const into = new Float32Array(6);
    gather(dataset, Int32Array.of(3, 0, 3), into);
    expect([...into]).toEqual([6, 7, 0, 1, 6, 7]);
    expect(select(dataset, 'y', [3, 0, 3]).examples).toEqual(into);
    const parts = split(dataset, 3);
    expect(labelsOf(parts.test)).toEqual(Uint8Array.of(74, 185));
    expect([parts.train.size, parts.test.size]).toEqual([5, 2]);
  });
});
