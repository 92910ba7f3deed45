/** Scores of samples: every metric over every feature map, each under a name that says what it looked at. */
import { atLeast } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem, sizeOf } from '../../dsl/index.js';
import { attempt } from '../../backends/failure.js';
import type { Examples } from '../../runs/index.js';
import type { FeatureMap } from '../features/feature-map.js';
import { frechet } from './frechet.js';
import { comparable, matched, type Metric } from './metric.js';
import { polynomialMmd, rbfMmd } from './mmd.js';
import { precision, recall } from './precision.js';
import { slicedWasserstein } from './sliced-wasserstein.js';

/** By name. */
export type Scores = Readonly<Record<string, number>>;

/** Every metric of samples over features. */
export const sampleMetrics: readonly Metric[] = [
  frechet,
  precision,
  recall,
  polynomialMmd,
  rbfMmd,
  slicedWasserstein(),
];

/** Whether less of a score is better, by its name. */
export const lessIsBetter = (score: string): boolean =>
  sampleMetrics.find(({ name }) => name === score.split('/')[0])?.better !== 'more';

/** `frechet/pixels`, or the name that a score has by custom. */
export const scoreName = (metric: Metric, features: FeatureMap): string =>
  features.customary?.[metric.name] ?? `${metric.name}/${features.name}`;

type Checked<A> = Either<readonly Problem[], A>;

const sized = (samples: Float32Array, reference: Examples): readonly Problem[] => {
  const width = sizeOf(reference.shape);
  const rows = samples.length / width;
  return Number.isInteger(rows)
    ? []
    : [problem('samples', `${samples.length} numbers`, `a multiple of ${width}`)];
};

const overFeatures = async (
  samples: Float32Array,
  { examples }: Examples,
  map: FeatureMap,
  metrics: readonly Metric[],
): Promise<Checked<Scores>> => {
  const applied = await attempt(async () => [await map.apply(samples), await map.apply(examples)] as const);
  if (isLeft(applied)) return applied;
  const [of, to] = atLeast(
    2,
    applied.right.map((values) => ({ size: map.size, values })),
  );
  const pair = comparable(of, to, map.fewest);
  if (isLeft(pair))
    return left(pair.left.map((p) => problem(`${map.name}.${p.path}`, p.found, p.expected, p.hint)));
  return right(Object.fromEntries(metrics.map((metric) => [scoreName(metric, map), metric.of(pair.right)])));
};

/**
 * Scores samples, row-major [n, …shape], against as many reference examples: each metric over each feature map, and each paired
 * metric, for which the samples are the reference's reconstructions, once.
 */
export const score = async (
  samples: Float32Array,
  reference: Examples,
  features: readonly FeatureMap[],
  metrics: readonly Metric[],
): Promise<Checked<Scores>> => {
  const wrong = sized(samples, reference);
  if (wrong.length > 0) return left(wrong);
  const paired = metrics.filter((metric) => metric.paired);
  const size = sizeOf(reference.shape);
  const pair = matched({ size, values: samples }, { size, values: reference.examples });
  if (paired.length > 0 && isLeft(pair)) return pair;
  const direct = isLeft(pair)
    ? {}
    : Object.fromEntries(paired.map((metric) => [metric.name, metric.of(pair.right)]));
  const each: Checked<Scores>[] = [];
  for (const map of features)
    each.push(
      await overFeatures(
        samples,
        reference,
        map,
        metrics.filter((metric) => !metric.paired),
      ),
    );
  const problems = each.flatMap((one) => (isLeft(one) ? one.left : []));
  return problems.length > 0
    ? left(problems)
    : right(Object.assign({}, direct, ...each.map((one) => (isLeft(one) ? {} : one.right))));
};
