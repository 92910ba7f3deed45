/** What a trial measures after training, as data, and measuring it. */
import { entryOf } from '../dsl/lookup.js';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { Dataset, Source } from '../data/index.js';
import { type Codec, list, oneOf, struct, withDefault } from '../dsl/codec/codec.js';
import { nonEmptyString, nonNegativeInteger, positiveInteger } from '../dsl/codec/primitive.js';
import { type Problem, sizeOf } from '../dsl/index.js';
import { attempt } from '../backends/failure.js';
import {
  type Tensor,
  type Figures,
  type Fitted,
  type Measure,
  type Measured,
  type Parts,
} from '../runs/index.js';
import { below } from '../runs/sweeps/trial.js';
import { type FigurePart, type FigureSubject, figureName } from './figure-name.js';
import { densityFit } from './density/density-fit.js';
import type { FeatureMap } from './features/feature-map.js';
import { openFeatures } from './features/open.js';
import type { Metric } from './metrics/metric.js';
import { reconstructionError } from './metrics/reconstruction.js';
import { sampleMetrics, score } from './metrics/score.js';
import { detectionFigures } from './density/detection.js';
import { detections, openOutside } from './density/out-of-distribution.js';
import { fitPrior } from './priors/kinds.js';
import { type PriorName, priorNames } from './priors/prior-name.js';
import type { FittedPrior } from './priors/prior.js';
import { mean } from './summary.js';
import { geometryFigures } from './geometry/geometry-figures.js';
import { spaced } from '../data/dataset.js';

export type Evaluation = {
  /** Names of metrics of samples, such as `frechet`. */
  readonly metrics: readonly string[];
  /** What they look at: `pixels`, `raw`, `classifier`, or the path of a graph. */
  readonly features: readonly string[];
  /** Reconstructions are scored, and samples of each of these. */
  readonly priors: readonly PriorName[];
  /** Of the mixture. */
  readonly components: number;
  /** How many samples of each prior are scored, each as large as the examples' number; their mean score is reported. */
  readonly draws: number;
  /** Data sets by reference: how well test examples are told from theirs. */
  readonly outside: readonly string[];
  /** At how many test examples the decoder's geometry is looked at. */
  readonly jacobians: number;
  /** How many test examples are kept with their reconstructions, and samples of each prior. */
  readonly pictures: number;
};

/** Nothing but the reconstruction error, and the likelihood of a model that has one. */
export const plainEvaluation: Evaluation = {
  metrics: [],
  features: [],
  priors: [],
  components: 10,
  draws: 1,
  outside: [],
  jacobians: 0,
  pictures: 0,
};

const names = (of: Codec<string>): Codec<readonly string[]> => list('a list of names', () => of);
const metricName: Codec<string> = oneOf(...sampleMetrics.map(({ name }) => name));

/** As JSON; what is not asked for may be left out. */
export const evaluationCodec: Codec<Evaluation> = withDefault(
  struct('an object that says what is measured', {
    metrics: withDefault(names(metricName), plainEvaluation.metrics),
    features: withDefault(names(nonEmptyString), plainEvaluation.features),
    priors: withDefault(
      list('a list of priors', () => oneOf(...priorNames)),
      plainEvaluation.priors,
    ),
    components: withDefault(positiveInteger, plainEvaluation.components),
    draws: withDefault(positiveInteger, plainEvaluation.draws),
    outside: withDefault(names(nonEmptyString), plainEvaluation.outside),
    jacobians: withDefault(nonNegativeInteger, plainEvaluation.jacobians),
    pictures: withDefault(nonNegativeInteger, plainEvaluation.pictures),
  }),
  plainEvaluation,
);

type Checked<A> = Either<readonly Problem[], A>;

type NamedPrior = { readonly name: PriorName; readonly prior: FittedPrior };

/** What is asked for, fitted to the codes of the training examples. */
const priorsOf = async (
  { priors, components }: Evaluation,
  fitted: Fitted,
  train: Source,
  seed: number,
): Promise<Checked<readonly NamedPrior[]>> => {
  const codes = priors.length === 0 ? new Float32Array() : await fitted.encode(train);
  const d = sizeOf(fitted.experiment.decoder.input);
  const { backend } = fitted;
  const found: NamedPrior[] = [];
  for (const name of priors) {
    const prior = await fitPrior(name, codes, d, { backend, seed, components });
    if (isLeft(prior)) return prior;
    found.push({ name, prior: prior.right });
  }
  return right(found);
};

const under = (part: FigurePart, figures: Figures, of?: FigureSubject): Figures =>
  Object.fromEntries(
    Object.entries(figures).map(([score, value]) => [figureName({ part, of, score }), value]),
  );

/** The mean of each figure. */
const meanFigures = (all: readonly Figures[]): Figures =>
  Object.fromEntries(
    Object.keys(all[0] ?? {}).map((name) => [name, mean(all.map((one) => entryOf(one, name)))]),
  );

/** A part of the data that scores are of. */
type Place = 'validation' | 'test';

/** What a fitted model is scored with. */
type Scoring = {
  readonly fitted: Fitted;
  readonly priors: readonly NamedPrior[];
  readonly features: readonly FeatureMap[];
  readonly metrics: readonly Metric[];
  readonly draws: number;
  readonly seed: number;
};

/** Mean scores of samples, each as many as there are examples; what chooses a configuration has other samples than what reports it. */
const sampleScores = async (
  { fitted, features, metrics, draws, seed }: Scoring,
  { sample }: FittedPrior,
  place: Place,
  set: Dataset,
): Promise<Checked<Figures>> => {
  const scores: Figures[] = [];
  const first = (2 * seed + (place === 'test' ? 1 : 0)) * draws;
  for (let draw = first; draw < first + draws; draw++) {
    const options = { seed: draw, prior: sample };
    const scored = await score(await fitted.sample(set.size, options), set, features, metrics);
    if (isLeft(scored)) return scored;
    scores.push(scored.right);
  }
  return right(meanFigures(scores));
};

type Scored = Pick<Measured, 'figures' | 'missing'>;

/** Of a model that has a density; one that is no number at some example is missing, and all else is measured. */
const likelihoodOn = async (place: Place, set: Dataset, fitted: Fitted): Promise<Scored> => {
  const found = await attempt(() => densityFit(fitted, set));
  if (isLeft(found)) return { figures: {}, missing: below(place)(found.left) };
  if (found.right === undefined) return { figures: {}, missing: [] };
  const { nll, distance } = found.right;
  return { figures: under(place, { nll, distance }), missing: [] };
};

/** Scores of the reconstructions of a set, and of samples against it. */
const scoresOn = async (place: Place, set: Dataset, scoring: Scoring): Promise<Checked<Scored>> => {
  const { fitted, priors, features, metrics } = scoring;
  const reconstructions = await fitted.reconstruct(set.examples);
  const error = await score(reconstructions, set, [], [reconstructionError]);
  if (isLeft(error)) return error;
  const likelihood = await likelihoodOn(place, set, fitted);
  const { missing } = likelihood;
  let figures = { ...under(place, error.right), ...likelihood.figures };
  if (features.length === 0 || metrics.length === 0) return right({ figures, missing });
  const reconstructed = await score(reconstructions, set, features, metrics);
  if (isLeft(reconstructed)) return reconstructed;
  figures = { ...figures, ...under(place, reconstructed.right, 'reconstructions') };
  for (const { name, prior } of priors) {
    const scored = await sampleScores(scoring, prior, place, set);
    if (isLeft(scored)) return scored;
    figures = { ...figures, ...under(place, scored.right, name) };
  }
  return right({ figures, missing });
};

const pictures = async (
  fitted: Fitted,
  test: Dataset,
  priors: readonly NamedPrior[],
  count: number,
  seed: number,
): Promise<ReadonlyMap<string, Tensor>> => {
  const { examples: originals, size: shown, shape } = spaced(test, count);
  if (shown === 0) return new Map();
  const array = (data: Float32Array): Tensor => ({ shape: [shown, ...shape], data });
  const arrays = new Map([
    ['originals', array(originals)],
    ['reconstructions', array(await fitted.reconstruct(originals))],
  ]);
  for (const { name, prior } of priors) {
    const samples = await fitted.sample(shown, { seed, prior: prior.sample });
    arrays.set(name, array(samples));
  }
  return arrays;
};

/** Validation and test examples, once where they are the same. */
const placesOf = ({ validation, test }: Parts): readonly (readonly [Place, Dataset])[] => [
  ...(validation === test ? [] : [['validation', validation] as const]),
  ['test', test],
];

/**
 * Figures are named after the data, what is scored, and the score: `test/mixture/frechet/pixels`, `validation/reconstructions/…`,
 * `test/reconstruction`, `test/nll`, `test/outside/REF/auc/likelihood`. How the priors were fitted is under `fit/`: directions whose
 * variance a floor raised, rounds of expectation-maximization, and 1 where they came to an end.
 */
export const measure: Measure<Evaluation> = async (evaluation, { fitted, data, seed }) => {
  const { train, test } = data;
  const priors = await priorsOf(evaluation, fitted, train, seed);
  if (isLeft(priors)) return priors;
  const outside = await openOutside(evaluation.outside, test.shape);
  if (isLeft(outside)) return outside;
  const places = placesOf(data);
  const samples = Math.min(...places.map(([, { size }]) => size));
  const features = await openFeatures(evaluation.features, { train, samples, backend: fitted.backend });
  if (isLeft(features)) return features;
  const metrics = sampleMetrics.filter(({ name }) => evaluation.metrics.includes(name));
  const { draws } = evaluation;
  const mixture = priors.right.find(({ name }) => name === 'mixture')?.prior;
  const scoring = { fitted, priors: priors.right, features: features.right, metrics, draws, seed };
  try {
    let figures: Figures = Object.assign(
      {},
      ...priors.right.map(({ name, prior }) => under('fit', prior.fit, name)),
    );
    const missing: Problem[] = [];
    for (const [place, set] of places) {
      const scores = await scoresOn(place, set, scoring);
      if (isLeft(scores)) return scores;
      figures = { ...figures, ...scores.right.figures };
      missing.push(...scores.right.missing);
    }
    const local = await geometryFigures(fitted, data, mixture, { points: evaluation.jacobians, seed });
    if (isLeft(local)) return local;
    const told = await detections(fitted, data, outside.right, { seed });
    if (isLeft(told)) missing.push(...below('outside')(told.left));
    const detected = isLeft(told) ? {} : under('test', detectionFigures(told.right));
    figures = { ...figures, ...detected, ...local.right };
    const arrays = await pictures(fitted, test, priors.right, evaluation.pictures, seed);
    return right({ figures, missing, arrays });
  } finally {
    features.right.forEach(({ dispose }) => dispose());
    priors.right.forEach(({ prior }) => prior.dispose());
  }
};
