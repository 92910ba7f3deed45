/** What is checked before any trial runs: what none of them could get past ends the command. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { openData, partsOf, type Source, type Split } from '../../data/index.js';
import { didYouMean, type Problem, problem, sizeOf } from '../../dsl/index.js';
import { type Evaluation, featureProblems, openOutside } from '../../evaluation/index.js';
import { backendNames, experimentOf, holdOut, type Trial } from '../../runs/index.js';
import { say } from '../terminal/output.js';

type Checked<A> = Either<readonly Problem[], A>;

/** What no trial could get past: settings that fit in none of them, a backend that is none, data that is not there. */
const commonProblems = (trials: readonly Trial<Evaluation>[]): readonly Problem[] => {
  const wrong = trials.map(experimentOf).map((one) => (isLeft(one) ? one.left : []));
  const names = ['auto', ...backendNames];
  const backends = [...new Set(trials.map(({ backend }) => backend))].filter((name) => !names.includes(name));
  return [
    ...(wrong.every((problems) => problems.length > 0) ? (wrong.at(0) ?? []) : []),
    ...backends.map((name) =>
      problem('--backend', JSON.stringify(name), `one of ${names.join(', ')}`, didYouMean(name, names)),
    ),
  ];
};

type Opened = { readonly split: Split<Source>; readonly bytes: number };

/** Copies of the examples in memory: as they are read and as they are parted. What is scored is copied for its reconstructions and samples too. */
const COPIES = { trained: 2, scored: 4 };

/** What a trial holds of a part of the data; what is trained on and lies elsewhere is read by row. */
const bytesOf = (part: Source, isTrained: boolean): number =>
  isTrained && !('examples' in part)
    ? 0
    : Float32Array.BYTES_PER_ELEMENT *
      part.size *
      sizeOf(part.shape) *
      (isTrained ? COPIES.trained : COPIES.scored);

/** Each data set that the trials name; on the left why none of them can be had. */
const openedSets = async (
  trials: readonly Trial<Evaluation>[],
): Promise<Checked<ReadonlyMap<string, Opened>>> => {
  const sets = new Map<string, Opened>();
  let last: Checked<unknown> = right(undefined);
  for (const reference of new Set(trials.flatMap(referenceOf))) {
    const data = await openData(reference, process.cwd(), { onProgress: say })();
    last = data;
    if (isLeft(data)) continue;
    const { train } = data.right;
    const bytes = partsOf(data.right).reduce((sum, part) => sum + bytesOf(part, part === train), 0);
    sets.set(reference, { split: data.right, bytes });
  }
  return sets.size === 0 && isLeft(last) ? last : right(sets);
};

/** The data that a trial is trained on. */
export const referenceOf = (trial: Trial<Evaluation>): readonly string[] => {
  const experiment = experimentOf(trial);
  return isLeft(experiment) ? [] : [experiment.right.data];
};

/** As many examples as samples of a trial are scored against. */
const scoredSize = (split: Split<Source>, heldOut: number): number => {
  const held = holdOut(split, heldOut);
  return isLeft(held) ? split.test.size : Math.min(held.right.validation.size, held.right.test.size);
};

/** Features that no trial can be scored by. */
const featuresWrong = (
  trials: readonly Trial<Evaluation>[],
  sets: ReadonlyMap<string, Opened>,
): readonly Problem[] => {
  const wrong = trials.flatMap((trial) =>
    referenceOf(trial).flatMap((reference) => {
      const set = sets.get(reference);
      if (set === undefined) return [];
      const samples = scoredSize(set.split, trial.heldOut);
      return [featureProblems(trial.evaluation.features, set.split.train, samples)];
    }),
  );
  return wrong.every((problems) => problems.length > 0) ? (wrong.at(0) ?? []) : [];
};

/** Sets that no trial's examples can be told from. */
const outsideWrong = async (
  trials: readonly Trial<Evaluation>[],
  sets: ReadonlyMap<string, Opened>,
): Promise<readonly Problem[]> => {
  const references = [...new Set(trials.flatMap(({ evaluation }) => evaluation.outside))];
  const opened = await Promise.all(
    [...sets.values()].map(({ split }) => openOutside(references, split.train.shape)),
  );
  const wrong = opened.map((one) => (isLeft(one) ? one.left : []));
  return wrong.every((problems) => problems.length > 0) ? (wrong.at(0) ?? []) : [];
};

/** The data sets of the trials, once they have passed every check that can be made before one of them runs. */
export const checkedSets = async (
  trials: readonly Trial<Evaluation>[],
): Promise<Checked<ReadonlyMap<string, Opened>>> => {
  const common = commonProblems(trials);
  if (common.length > 0) return left(common);
  const sets = await openedSets(trials);
  if (isLeft(sets)) return sets;
  const wrong = [...featuresWrong(trials, sets.right), ...(await outsideWrong(trials, sets.right))];
  return wrong.length > 0 ? left(wrong) : sets;
};
