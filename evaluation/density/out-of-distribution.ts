/**
 * Out-of-distribution detection: how well the scores of a model tell examples of its own data from those of another set. Caterini,
 * Loaiza-Ganem, Pleiss and Cunningham (2021) report the accuracy of a decision tree of one split on the exact log-likelihood and on
 * the reconstruction error; theirs comes from scikit-learn, whose splits lessen Gini's impurity, ours maximise accuracy.
 */
import { atLeast, elementAt, float32At, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Dataset, openData, type Scaling, type Source, type Split } from '../../data/index.js';
import { type Problem, problem, sameShape, showShape, sizeOf } from '../../dsl/index.js';
import { attempt } from '../../backends/failure.js';
import type { Figures, Fitted } from '../../runs/index.js';
import { accuracyOf, areaUnderCurve, type Columns, fitTree } from './decision-tree.js';
import { thinned } from '../thinned.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Of one part of a set, spread over it: so many, and no more than fit in 64 MiB. */
const MOST_EXAMPLES = 5000;
const MOST_VALUES = 2 ** 24;

const mostOf = ({ shape }: Source): number =>
  Math.max(1, Math.min(MOST_EXAMPLES, Math.floor(MOST_VALUES / sizeOf(shape))));

/** Examples that thresholds are found on, and others that accuracy is reported on. */
export type Halves = { readonly fitting: Dataset; readonly test: Dataset };

export type OutsideData = {
  readonly reference: string;
  readonly split: Split<Source>;
};

export type Detection = {
  /** The mean over both sets of the share of test examples that is told rightly; 0.5 is chance. A threshold may lie either way round. */
  readonly accuracy: number;
  /**
   * The area under the ROC curve, the greater score taken for outside: below 0.5 where the set outside looks more like the model's
   * data than that data itself. Absent for two scores.
   */
  readonly auc?: number;
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

/** A set that a model of other data is to be told from: examples of the same shape, some of them to test on. */
const openOne = async (reference: string, shape: readonly number[]): Promise<Checked<OutsideData>> => {
  const opened = await openData(reference)();
  if (isLeft(opened)) return opened;
  const split = opened.right;
  if (!sameShape(split.train.shape, shape)) {
    const expected = `${showShape(shape)}, as the model takes them`;
    return left([problem(reference, `examples of shape ${showShape(split.train.shape)}`, expected)]);
  }
  return split.test.size > 0 && fittingPart(split).size > 0
    ? right({ reference, split })
    : left([
        problem(
          reference,
          'a part without examples',
          'examples to find a threshold on, and others to test it on',
        ),
      ]);
};

/** Opens sets that a model is to tell from its own data; on the left all that is wrong with them. */
export const openOutside = async (
  references: readonly string[],
  shape: readonly number[],
): Promise<Checked<readonly OutsideData[]>> => {
  const sets = await Promise.all(references.map((reference) => openOne(reference, shape)));
  const problems = sets.flatMap((set) => (isLeft(set) ? set.left : []));
  return problems.length > 0
    ? left(problems)
    : right(sets.flatMap((set) => (isLeft(set) ? [] : [set.right])));
};

/** Validation examples, or training examples where these are those to be tested on or are none. */
const fittingPart = ({ train, validation, test }: Split<Source>): Source =>
  validation === undefined || validation === test || validation.size === 0 ? train : validation;

const halvesOf = async (split: Split<Source>): Promise<Checked<Halves>> => {
  const fitting = await thinned(fittingPart(split), mostOf(split.train));
  if (isLeft(fitting)) return fitting;
  const test = await thinned(split.test, mostOf(split.test));
  return isLeft(test) ? test : right({ fitting: fitting.right, test: test.right });
};

/** Examples in the units of another set: as they were read, then standardised as that one is. */
const inUnitsOf =
  (to: Scaling | undefined, from: Scaling | undefined) =>
  (set: Dataset): Dataset => {
    if (to === undefined && from === undefined) return set;
    const width = sizeOf(set.shape);
    const examples = set.examples.map((x, at) => {
      const i = at % width;
      const read = from === undefined ? x : x * elementAt(from.deviation, i) + elementAt(from.mean, i);
      return to === undefined ? read : (read - elementAt(to.mean, i)) / elementAt(to.deviation, i);
    });
    return { ...set, examples };
  };

/** −ln p and ‖x − x̂‖, or the second alone. One that is no number is greater than any. */
const scoresOf = async (fitted: Fitted, { examples, size }: Dataset): Promise<Columns> => {
  const known = (x: number): number => (Number.isNaN(x) ? Infinity : x);
  if (fitted.compiled.density !== undefined) {
    const { logDensity, distance } = await fitted.logProb(examples);
    return [Float64Array.from(logDensity, (l) => known(-l)), Float64Array.from(distance, known)];
  }
  const reconstructions = await fitted.reconstruct(examples);
  const width = examples.length / size;
  const distance = new Float64Array(size);
  examples.forEach(
    (x, at) =>
      (distance[Math.floor(at / width)] =
        float64At(distance, Math.floor(at / width)) + (x - float32At(reconstructions, at)) ** 2),
  );
  return [distance.map((square) => known(Math.sqrt(square)))];
};

type Scored = { readonly fitting: Columns; readonly test: Columns };

/** Finds thresholds on the one half and reports on the other. */
export const detect = (inside: Scored, outside: Scored): Detections => {
  const only = (columns: Columns, score: number): Columns => [elementAt(columns, score)];
  const by = (score: number): Detection => {
    const tree = fitTree(only(inside.fitting, score), only(outside.fitting, score), 1);
    return {
      accuracy: accuracyOf(tree, only(inside.test, score), only(outside.test, score)),
      auc: areaUnderCurve(elementAt(inside.test, score), elementAt(outside.test, score)),
    };
  };
  if (inside.test.length === 1) return { distance: by(0) };
  const tree = fitTree(inside.fitting, outside.fitting, 2);
  const both = { accuracy: accuracyOf(tree, inside.test, outside.test) };
  return { likelihood: by(0), distance: by(1), both };
};

/**
 * Tells the test examples of a model's data from those of other sets, by thresholds found on validation or training examples of
 * both; at most 5,000 of each. Whatever was standardised is brought to the units of the model's data.
 */
export const detections = async (
  fitted: Fitted,
  data: Split<Source>,
  sets: readonly OutsideData[],
): Promise<Checked<Readonly<Record<string, Detections>>>> => {
  if (sets.length === 0) return right({});
  const scored = async (split: Split<Source>): Promise<Checked<Scored>> => {
    const halves = await halvesOf(split);
    if (isLeft(halves)) return halves;
    const [fitting, test] = atLeast(
      2,
      [halves.right.fitting, halves.right.test].map(
        inUnitsOf(data.preprocessing?.scaling, split.preprocessing?.scaling),
      ),
    );
    return attempt(async () => ({
      fitting: await scoresOf(fitted, fitting),
      test: await scoresOf(fitted, test),
    }));
  };
  const inside = await scored(data);
  if (isLeft(inside)) return inside;
  const found: Record<string, Detections> = {};
  for (const { reference, split } of sets) {
    const outside = await scored(split);
    if (isLeft(outside))
      return left(outside.left.map((one) => ({ ...one, path: `${reference}: ${one.path}` })));
    found[reference] = detect(inside.right, outside.right);
  }
  return right(found);
};

/** `outside/REF/accuracy/likelihood`, `outside/REF/auc/distance` and so on. */
export const detectionFigures = (found: Readonly<Record<string, Detections>>): Figures =>
  Object.fromEntries(
    Object.entries(found).flatMap(([reference, by]) =>
      Object.entries(by).flatMap(([score, of]: readonly [string, Detection]) =>
        Object.entries(of).map(([what, value]) => [`outside/${reference}/${what}/${score}`, value] as const),
      ),
    ),
  );
