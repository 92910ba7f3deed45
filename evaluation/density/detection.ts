/**
 * How well scores tell examples of a model's own data from those of another set. Caterini, Loaiza-Ganem, Pleiss and Cunningham
 * (2021) report the accuracy of a decision tree of one split on the exact log-likelihood and on the reconstruction error; theirs
 * comes from scikit-learn, whose splits lessen Gini's impurity, ours maximise accuracy. The area under the ROC curve, which needs no
 * threshold, comes first.
 */
import { elementAt, uint8At } from '../../dsl/lookup.js';
import { permutation } from '../../data/index.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import type { Figures } from '../../runs/index.js';
import { areaWithInterval } from './area-under-curve.js';
import { accuracyOf, answersOf, type Columns, fitTree } from './decision-tree.js';

export type Detection = {
  /**
   * The area under the ROC curve, the greater score taken for outside: below 0.5 where the set outside looks more like the model's
   * data than that data itself. Absent for two scores.
   */
  readonly auc?: number;
  /** Of the area, 95 %; see `areaWithInterval`. */
  readonly interval?: readonly [low: number, high: number];
  /** The mean over both sets of the share of test examples that is told rightly; 0.5 is chance. A threshold may lie either way round. */
  readonly accuracy: number;
  /** Examples without a number for this score, where there are any: taken for outside, wherever they are from. */
  readonly without?: number;
};

/** By score. */
export type Detections = {
  /** −ln p, where the model has a density; of the point of the manifold that an example projects to. */
  readonly likelihood?: Detection;
  /** ‖x − x̂‖. */
  readonly distance: Detection;
  /** A tree of at most two splits, each on either score. */
  readonly both?: Detection;
};

/** What is tested, and what thresholds are found on where that is something else. */
export type Scored = { readonly test: Columns; readonly fitting: Columns | undefined };

/** Parts of the test examples where thresholds are found on the other parts. */
const FOLDS = 5;

/** A part from 0 to `FOLDS` − 1 for each of some examples, each part as large as the others. */
const foldsOf = (size: number, seed: number): Uint8Array => {
  const key = deriveKey(seed, 'outside/folds');
  const order = permutation(size, 0, (epoch, count) => uniforms(key, [0, 0, epoch], count));
  const folds = new Uint8Array(size);
  order.forEach((row, at) => (folds[row] = at % FOLDS));
  return folds;
};

const rowsWhere = (columns: Columns, holds: (row: number) => boolean): Columns =>
  columns.map((column) => Array.from(column).filter((_, row) => holds(row)));

const sumOf = <A>(all: readonly A[], of: (one: A) => number): number =>
  all.reduce((sum, one) => sum + of(one), 0);

/** Accuracy of trees that were found on none of the examples that they are tested on. */
const crossAccuracy = (
  inside: Columns,
  outside: { readonly fitting: Columns; readonly test: Columns },
  splits: 1 | 2,
  seed: number,
): number => {
  const { length: size } = elementAt(inside, 0);
  const folds = foldsOf(size, seed);
  const parts = Array.from({ length: Math.min(FOLDS, size) }, (_, fold) => {
    const tree = fitTree(
      rowsWhere(inside, (row) => uint8At(folds, row) !== fold),
      outside.fitting,
      splits,
    );
    const own = answersOf(
      tree,
      rowsWhere(inside, (row) => uint8At(folds, row) === fold),
    );
    const others = answersOf(tree, outside.test);
    return {
      right: own.filter((isOutside) => !isOutside).length,
      found: others.filter(Boolean).length / others.length,
    };
  });
  return (sumOf(parts, (part) => part.right) / size + sumOf(parts, (part) => part.found) / parts.length) / 2;
};

/**
 * Areas under the curves of test examples, and the accuracy of thresholds. These are found on the fitting examples of both sets;
 * where the model's own data has none that it was not trained on, on four fifths of its test examples in turns, chosen by the seed,
 * and tested on the fifth that is left.
 */
export const detect = (
  inside: Scored,
  outside: { readonly fitting: Columns; readonly test: Columns },
  seed = 0,
): Detections => {
  const accuracy = (scores: readonly number[]): number => {
    const only = (columns: Columns): Columns => scores.map((score) => elementAt(columns, score));
    const splits = scores.length === 1 ? 1 : 2;
    const others = { fitting: only(outside.fitting), test: only(outside.test) };
    return inside.fitting === undefined
      ? crossAccuracy(only(inside.test), others, splits, seed)
      : accuracyOf(fitTree(only(inside.fitting), others.fitting, splits), only(inside.test), others.test);
  };
  const by = (score: number): Detection => ({
    ...areaWithInterval(elementAt(inside.test, score), elementAt(outside.test, score)),
    accuracy: accuracy([score]),
  });
  if (inside.test.length === 1) return { distance: by(0) };
  return { likelihood: by(0), distance: by(1), both: { accuracy: accuracy([0, 1]) } };
};

const named = ({ auc, interval, accuracy, without }: Detection): Figures => ({
  ...(auc === undefined ? {} : { auc }),
  ...(interval === undefined ? {} : { 'auc-low': interval[0], 'auc-high': interval[1] }),
  accuracy,
  ...(without === undefined ? {} : { without }),
});

/** `outside/REF/auc/likelihood`, `…/auc-low/…` and `…/auc-high/…` for its interval, `outside/REF/accuracy/distance` and so on. */
export const detectionFigures = (found: Readonly<Record<string, Detections>>): Figures =>
  Object.fromEntries(
    Object.entries(found).flatMap(([reference, by]) =>
      Object.entries(by).flatMap(([score, of]: readonly [string, Detection]) =>
        Object.entries(named(of)).map(
          ([what, value]) => [`outside/${reference}/${what}/${score}`, value] as const,
        ),
      ),
    ),
  );
