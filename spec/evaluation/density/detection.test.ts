/**
 * Thresholds on data that the model has not seen: scores of a flow trained on benign tumours, of these and of malignant ones (made by
 * bench/detection.ts from scikit-learn's breast cancer table).
 */
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Columns, detect, fitTree, accuracyOf, standardGaussian } from '../../../evaluation/index.js';

type Scores = { readonly likelihood: readonly number[]; readonly distance: readonly number[] };
type Parts = { readonly train: Scores; readonly test: Scores };

const fixture: { readonly inside: Parts; readonly outside: Parts } = JSON.parse(
  readFileSync(new URL('./fixtures/benign-malignant.json', import.meta.url), 'utf8'),
);
const columns = ({ likelihood, distance }: Scores): Columns => [likelihood, distance];
const [inside, outside] = atLeast(
  2,
  [fixture.inside, fixture.outside].map(({ train, test: tested }) => ({
    train: columns(train),
    test: columns(tested),
  })),
);
const elsewhere = { fitting: outside.train, test: outside.test };

describe('benign tumours beside malignant ones', () => {
  const found = detect({ test: inside.test, fitting: undefined }, elsewhere);

  test('are told by thresholds on unseen ones as well as their area under the curve promises', () => {
    for (const { auc = NaN, interval = [0, 1], accuracy } of [
      found.likelihood ?? found.distance,
      found.distance,
    ]) {
      expect(auc).toBeGreaterThan(0.87);
      expect(interval[0]).toBeGreaterThan(0.78);
      expect(interval[1]).toBeLessThan(0.98);
      expect(accuracy).toBeGreaterThan(0.78);
    }
    expect(found.both?.accuracy).toBeGreaterThan(0.78);
  });

  test('are told much worse by thresholds on those that the model was trained on', () => {
    const trained = [0, 1].map((score) =>
      accuracyOf(
        fitTree([elementAt(inside.train, score)], [elementAt(outside.train, score)], 1),
        [elementAt(inside.test, score)],
        [elementAt(outside.test, score)],
      ),
    );
    const unseen = [found.likelihood?.accuracy ?? NaN, found.distance.accuracy];
    trained.forEach((accuracy, score) => expect(accuracy).toBeLessThan(elementAt(unseen, score) - 0.1));
  });

  test('are told alike whatever the seed of the folds, and the same by the same', () => {
    const by = (seed: number) => detect({ test: inside.test, fitting: undefined }, elsewhere, seed);
    expect(by(0)).toEqual(found);
    for (const seed of [1, 2, 3, 4]) {
      expect(by(seed).distance.auc).toBe(found.distance.auc);
      expect(Math.abs(by(seed).distance.accuracy - found.distance.accuracy)).toBeLessThan(0.06);
    }
  });
});

test('where nothing tells the sets apart, folds say so: the accuracy is that of chance', () => {
  const accuracies = Array.from({ length: 40 }, (_, seed) => {
    const sample = (k: number): Columns => [standardGaussian(1).sample(60, 3 * seed + k)];
    const found = detect({ test: sample(0), fitting: undefined }, { fitting: sample(1), test: sample(2) });
    return found.distance.accuracy;
  });
  const mean = accuracies.reduce((sum, x) => sum + x, 0) / accuracies.length;
  // Standard error of the mean of 40 runs of 120 examples.
  expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / 120 / 40));
});

test('a model that was not trained on its validation examples has its thresholds from these', () => {
  const [test0, validation] = atLeast(
    2,
    [inside.test, inside.test].map((all, half) =>
      all.map((column) => Array.from(column).filter((_, row) => row % 2 === half)),
    ),
  );
  const found = detect({ test: test0, fitting: validation }, elsewhere);
  const tree = fitTree([elementAt(validation, 1)], [elementAt(outside.train, 1)], 1);
  expect(found.distance.accuracy).toBe(accuracyOf(tree, [elementAt(test0, 1)], [elementAt(outside.test, 1)]));
});
