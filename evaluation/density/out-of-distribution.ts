/** Out-of-distribution detection: examples of a model's own data and of other sets, and what the model scores them by. */
import { atLeast, elementAt, entryOf } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Dataset, openData, type Scaling, type Source, type Split } from '../../data/index.js';
import {
  apply,
  data as dataNode,
  type Expr,
  type Network,
  type Node,
  norm,
  type Problem,
  problem,
  sameShape,
  showShape,
  sizeOf,
  sub,
} from '../../dsl/index.js';
import { codeOf, evaluateExpressions, type Fitted } from '../../runs/index.js';
import { thinned } from '../thinned.js';
import type { Columns } from './decision-tree.js';
import { detect, type Detection, type Detections } from './detection.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Of one part of a set, spread over it: so many, and no more than fit in 64 MiB. */
const MOST_EXAMPLES = 5000;
const MOST_VALUES = 2 ** 24;

const mostOf = ({ shape }: Source): number =>
  Math.max(1, Math.min(MOST_EXAMPLES, Math.floor(MOST_VALUES / sizeOf(shape))));

export type OutsideData = {
  readonly reference: string;
  readonly split: Split<Source>;
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

/** Examples of a set from elsewhere to find thresholds on: validation examples, or training examples where these are those to be tested on or are none. */
const fittingPart = ({ train, validation, test }: Split<Source>): Source =>
  validation === undefined || validation === test || validation.size === 0 ? train : validation;

/** The same of the model's own data, none of which it was trained on; undefined where only test examples are such. */
const unseenPart = (split: Split<Source>): Source | undefined => {
  const part = fittingPart(split);
  return part === split.train ? undefined : part;
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

/** Scores of some examples, the greater the less like the model's data. One that is no number is greater than any. */
type Scores = { readonly columns: Columns; readonly without: readonly number[] };

const known = (column: Float32Array, sign: number) => ({
  column: Float64Array.from(column, (x) => (Number.isNaN(x) ? Infinity : sign * x)),
  without: column.filter(Number.isNaN).length,
});

/** −ln p and ‖x − x̂‖, or the second alone; each of every example by itself, so that one without a density costs one example. */
const scoresOf = async (fitted: Fitted, { shape, examples }: Dataset): Promise<Checked<Scores>> => {
  const { encoder, logDensity } = fitted.experiment;
  const decoder: Network = fitted.experiment.decoder;
  const x: Expr = dataNode(...encoder.input);
  const distance = norm(sub(x, apply(decoder, codeOf(encoder, x))));
  const hasDensity = logDensity !== undefined && fitted.compiled.density !== undefined;
  const expressions: Readonly<Record<string, Node>> = hasDensity ? { logDensity, distance } : { distance };
  const found = await evaluateExpressions(fitted, expressions, { shape, examples });
  if (isLeft(found)) return found;
  const { right: values } = found;
  const all = [
    ...(hasDensity ? [known(entryOf(values, 'logDensity').values, -1)] : []),
    known(entryOf(values, 'distance').values, 1),
  ];
  return right({ columns: all.map(({ column }) => column), without: all.map(({ without }) => without) });
};

const FEWEST = 2;

/**
 * Tells the test examples of a model's data from those of other sets, by thresholds found on other examples of both, none of which
 * the model was trained on; at most 5,000 of each. Whatever was standardised is brought to the units of the model's data.
 */
export const detections = async (
  fitted: Fitted,
  data: Split<Source>,
  sets: readonly OutsideData[],
  { seed = 0 }: { readonly seed?: number } = {},
): Promise<Checked<Readonly<Record<string, Detections>>>> => {
  if (sets.length === 0) return right({});
  if (data.test.size < FEWEST)
    return left([
      problem('test', `${data.test.size} examples`, `at least ${FEWEST} to tell other data from`),
    ]);
  const scored = async (split: Split<Source>, part: Source): Promise<Checked<Scores>> => {
    const some = await thinned(part, mostOf(part));
    if (isLeft(some)) return some;
    return scoresOf(fitted, inUnitsOf(data.preprocessing?.scaling, split.preprocessing?.scaling)(some.right));
  };
  const unseen = unseenPart(data);
  const own = await scored(data, data.test);
  if (isLeft(own)) return own;
  const fitting = unseen === undefined ? undefined : await scored(data, unseen);
  if (fitting !== undefined && isLeft(fitting)) return fitting;
  const inside = { test: own.right.columns, fitting: fitting?.right.columns };
  const found: Record<string, Detections> = {};
  for (const { reference, split } of sets) {
    const parts = [await scored(split, split.test), await scored(split, fittingPart(split))];
    const problems = parts.flatMap((part) => (isLeft(part) ? part.left : []));
    if (problems.length > 0)
      return left(problems.map((one) => ({ ...one, path: `${reference}: ${one.path}` })));
    const [test, thresholds] = atLeast(
      2,
      parts.flatMap((part) => (isLeft(part) ? [] : [part.right])),
    );
    const by = detect(inside, { test: test.columns, fitting: thresholds.columns }, seed);
    found[reference] = withCounts(by, [own.right, test]);
  }
  return right(found);
};

/** Says of each score how many of the test examples of both sets have none. */
const withCounts = (by: Detections, tested: readonly Scores[]): Detections => {
  const counts = elementAt(tested, 0).without.map((_, score) =>
    tested.reduce((sum, { without }) => sum + elementAt(without, score), 0),
  );
  const said = (one: Detection, count: number): Detection => (count === 0 ? one : { ...one, without: count });
  const { likelihood, distance } = by;
  const [distances = 0, densities = 0] = [...counts].reverse();
  return {
    ...by,
    ...(likelihood === undefined ? {} : { likelihood: said(likelihood, densities) }),
    distance: said(distance, distances),
  };
};
