/**
 * Decision trees of one or two splits that tell two classes apart by scores, both classes of the same weight however many examples
 * they have (Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984). Splits maximise accuracy.
 */
import { elementAt } from '../../dsl/lookup.js';

/** A value of each score for each example: columns[k][row]. */
export type Columns = readonly ArrayLike<number>[];

export type Tree =
  | { readonly isOutside: boolean }
  | {
      /** Which score is compared. */
      readonly score: number;
      readonly threshold: number;
      /** For values up to the threshold, and for those above it. */
      readonly below: Tree;
      readonly above: Tree;
    };

/** Rows of both classes that meet in a part of the tree. */
type Region = { readonly inside: readonly number[]; readonly outside: readonly number[] };

type Cut = { readonly score: number; readonly threshold: number; readonly correct: number };

const rowsOf = (scores: Columns): readonly number[] => Array.from(elementAt(scores, 0), (_, row) => row);

/** Whether an example has a number for each score; one that has none is from outside, whatever a tree says of the others. */
const isKnown =
  (scores: Columns) =>
  (row: number): boolean =>
    scores.every((column) => elementAt(column, row) !== Infinity);

/** Between two values; values up to it stay below also where it cannot be told from the upper one. */
const between = (low: number, high: number): number => {
  const middle = low / 2 + high / 2;
  return middle >= low && middle < high ? middle : low;
};

type Classes = { readonly inside: Columns; readonly outside: Columns };

/** What part of both classes together a region answers rightly by one answer: the mean of their shares. */
const asLeaf = ({ inside, outside }: Classes, region: Region) => {
  const shares = [
    region.inside.length / elementAt(inside, 0).length,
    region.outside.length / elementAt(outside, 0).length,
  ] as const;
  return { isOutside: shares[1] > shares[0], correct: Math.max(...shares) / 2 };
};

/** The cut of a region that answers most of it rightly; null where no score varies. The first of equally good ones. */
const bestCut = (classes: Classes, region: Region): Cut | null => {
  const { inside, outside } = classes;
  const [insides, outsides] = [elementAt(inside, 0).length, elementAt(outside, 0).length];
  let best: Cut | null = null;
  for (let score = 0; score < inside.length; score++) {
    const values = [
      ...region.inside.map((row) => ({ value: elementAt(elementAt(inside, score), row), isOutside: false })),
      ...region.outside.map((row) => ({ value: elementAt(elementAt(outside, score), row), isOutside: true })),
    ].sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
    let [i, o] = [0, 0];
    for (const [at, { value, isOutside }] of values.entries()) {
      if (isOutside) o++;
      else i++;
      const next = values[at + 1]?.value;
      if (next === undefined || next === value) continue;
      const below = Math.max(i / insides, o / outsides);
      const above = Math.max((region.inside.length - i) / insides, (region.outside.length - o) / outsides);
      const correct = (below + above) / 2;
      if (best === null || correct > best.correct) best = { score, threshold: between(value, next), correct };
    }
  }
  return best;
};

const parted = ({ inside, outside }: Classes, region: Region, { score, threshold }: Cut) => {
  const isBelow = (values: ArrayLike<number>) => (row: number) => elementAt(values, row) <= threshold;
  const [i, o] = [isBelow(elementAt(inside, score)), isBelow(elementAt(outside, score))];
  return {
    below: { inside: region.inside.filter(i), outside: region.outside.filter(o) },
    above: {
      inside: region.inside.filter((row) => !i(row)),
      outside: region.outside.filter((row) => !o(row)),
    },
  };
};

/** A region cut once where that helps, and by how much. */
const cutOnce = (classes: Classes, region: Region): { readonly tree: Tree; readonly gain: number } => {
  const { isOutside, correct } = asLeaf(classes, region);
  const cut = bestCut(classes, region);
  if (cut === null || cut.correct <= correct) return { tree: { isOutside }, gain: 0 };
  const { below, above } = parted(classes, region, cut);
  const leaf = (of: Region): Tree => ({ isOutside: asLeaf(classes, of).isOutside });
  const { score, threshold } = cut;
  return { tree: { score, threshold, below: leaf(below), above: leaf(above) }, gain: cut.correct - correct };
};

/**
 * The tree of at most one split, or of two found greedily: the best one, then the best one of the two parts that it leaves. So the
 * second makes no mistake more on the examples that the tree is fitted to. Both classes need an example. A score of ∞ is that of an example
 * that has none, which no threshold is found by.
 */
export const fitTree = (inside: Columns, outside: Columns, splits: 1 | 2): Tree => {
  const classes = { inside, outside };
  const all = {
    inside: rowsOf(inside).filter(isKnown(inside)),
    outside: rowsOf(outside).filter(isKnown(outside)),
  };
  const { tree } = cutOnce(classes, all);
  if (splits === 1 || 'isOutside' in tree) return tree;
  const parts = parted(classes, all, { ...tree, correct: 0 });
  const [below, above] = [cutOnce(classes, parts.below), cutOnce(classes, parts.above)];
  return below.gain >= above.gain ? { ...tree, below: below.tree } : { ...tree, above: above.tree };
};

const isOutside = (tree: Tree, scores: Columns, row: number): boolean => {
  if ('isOutside' in tree) return tree.isOutside;
  return isOutside(
    elementAt(elementAt(scores, tree.score), row) <= tree.threshold ? tree.below : tree.above,
    scores,
    row,
  );
};

/** For each example whether the tree takes it for one from outside, as everyone does whose score is ∞. */
export const answersOf = (tree: Tree, scores: Columns): readonly boolean[] => {
  const known = isKnown(scores);
  return rowsOf(scores).map((row) => !known(row) || isOutside(tree, scores, row));
};

/** The mean over the two classes of the share that is told rightly; 0.5 is chance. */
export const accuracyOf = (tree: Tree, inside: Columns, outside: Columns): number => {
  const found = (scores: Columns): number => {
    const answers = answersOf(tree, scores);
    return answers.filter(Boolean).length / answers.length;
  };
  return (1 - found(inside) + found(outside)) / 2;
};
