/** What a command looks at after training: the decoder's geometry, the density, data from elsewhere. What cannot be had is said in a line. */
import { type Either, isRight } from 'fp-ts/lib/Either.js';
import { costOf } from '../../compiler/index.js';
import type { Source, Split } from '../../data/index.js';
import { type Problem, showProblem } from '../../dsl/index.js';
import {
  type DensityFit,
  densityFit,
  type Detections,
  detections,
  type Geometry,
  geometryOf,
  type OutsideData,
} from '../../evaluation/index.js';
import { densityText } from '../../evaluation/density/density-fit.js';
import { attempt } from '../../backends/failure.js';
import { patiently } from '../../backends/patience.js';
import type { Fitted } from '../../runs/index.js';
import { short } from '../../runs/records/progress.js';
import { firstExamples } from '../../runs/model/batched-evaluation.js';
import { say } from '../terminal/output.js';

export type Findings = {
  /** Along the held-out data, or the training data where none is held out; null for a decoder without finite derivatives. */
  readonly geometry: Geometry | null;
  /** Of held-out examples; null for a model that has none there. */
  readonly density: DensityFit | null;
  /** By reference, how well test examples are told from those of other sets. */
  readonly outside: Readonly<Record<string, Detections>>;
};

export const noFindings: Findings = { geometry: null, density: null, outside: {} };

/** What each part of the geometry, and the density, may cost where no report was asked for: less than a second. */
const QUICK = 1e10;

const FEWEST_EXAMPLES = 100;
const MOST_EXAMPLES = 10_000;

const found = async <A>(
  what: string,
  look: () => Promise<Either<readonly Problem[], A>>,
): Promise<A | null> => {
  const either = await patiently(look, () => say(`measures the ${what}`));
  if (isRight(either)) return either.right;
  say(`no ${what}: ${either.left.map(showProblem).join('; ')}`);
  return null;
};

/** As many held-out examples as the limit allows. */
const densityAfter = async (
  fitted: Fitted,
  { test, manifold }: Split<Source>,
  limit: number,
): Promise<DensityFit | undefined> => {
  const { density } = fitted.compiled;
  if (density === undefined || test.size === 0) return undefined;
  const affordable = Math.floor((limit * density.batch) / Math.max(1, costOf(density).flops));
  const most = Math.min(MOST_EXAMPLES, Math.max(FEWEST_EXAMPLES, affordable));
  return densityFit(fitted, await firstExamples(test, most), manifold);
};

const scoreNames = ['likelihood', 'distance', 'both'] as const;

const sayDetections = (reference: string, by: Detections): void => {
  const each = scoreNames.flatMap((name) => {
    const one = by[name];
    return one === undefined ? [] : [{ name, ...one }];
  });
  const areas = each.flatMap(({ name, auc, interval: [low, high] = [0, 1] }) =>
    auc === undefined ? [] : [`${short(auc)} (${short(low)} to ${short(high)}) by ${name}`],
  );
  const accuracies = each.map(({ name, accuracy }) => `${short(accuracy)} by ${name}`);
  say(`told from ${reference} with AUC ${areas.join(', ')}; accuracy ${accuracies.join(', ')}`);
  for (const { name, without = 0 } of each)
    if (without > 0) say(`${reference}: ${without} examples have no ${name}, and were taken for outside`);
};

/** Looks at all of it; with a report the geometry and the density may take as long as they need. */
export const findingsOf = async (
  fitted: Fitted,
  data: Split<Source>,
  sets: readonly OutsideData[],
  { seed, report }: { readonly seed: number; readonly report: boolean },
): Promise<Findings> => {
  const { train, test } = data;
  const options = { seed, ...(report ? {} : { flops: QUICK }) };
  const geometry = await found('geometry', () => geometryOf(fitted, test.size > 0 ? test : train, options));
  const limit = report ? Infinity : QUICK;
  const density = (await found('density', () => attempt(() => densityAfter(fitted, data, limit)))) ?? null;
  if (density !== null) say(densityText(density));
  const outside =
    (await found('detection of other data', () => detections(fitted, data, sets, { seed }))) ?? {};
  for (const [reference, by] of Object.entries(outside)) sayDetections(reference, by);
  return { geometry, density, outside };
};
