/** The geometry of a decoder at test examples as figures of a trial: its volume term and the bounds of it, injectivity, and log-densities. */
import { elementAt } from '../../dsl/lookup.js';
import { type Either, isLeft, isRight, right } from 'fp-ts/lib/Either.js';
import { logDensity as trueLogDensity } from '../../data/index.js';
import { hypersOf, type Problem, sizeOf } from '../../dsl/index.js';
import type { Figures, Fitted, Model, Parts, PriorOverCodes } from '../../runs/index.js';
import { boundNames, logVolume } from './bound-chain.js';
import { searchCollisions } from './collisions.js';
import { localFigures, reencodingDistances, spreadOf } from './geometry.js';
import { jacobiansAt, type LocalGeometry } from './decoder-jacobian.js';
import { mean } from '../summary.js';
import { spaced } from '../../data/dataset.js';

type Checked<A> = Either<readonly Problem[], A>;

/**
 * log p(h(x)) − ½ log det JᵀJ, the log-density at the reconstruction with respect to volume on the decoder's image, beside the
 * density that the examples were drawn from; only where that is known.
 */
const densities = async (
  { manifold, preprocessing, test }: Pick<Parts, 'manifold' | 'preprocessing' | 'test'>,
  prior: PriorOverCodes | undefined,
  codes: Float32Array,
  local: readonly LocalGeometry[],
): Promise<Figures> => {
  const { latents } = test;
  if (
    manifold === undefined ||
    preprocessing?.scaling !== undefined ||
    latents === undefined ||
    prior === undefined
  )
    return {};
  const d = manifold.dimension;
  const logPrior = await prior.logDensity(codes);
  const pairs = local.flatMap(({ spectrum, degenerate }, row) =>
    degenerate
      ? []
      : [
          [
            elementAt(logPrior, row) - logVolume(spectrum),
            trueLogDensity(manifold, latents.subarray(row * d, (row + 1) * d)),
          ] as const,
        ],
  );
  return {
    'test/logDensity': mean(pairs.map(([model]) => model)),
    'test/trueLogDensity': mean(pairs.map(([, truth]) => truth)),
  };
};

/** Means of ‖h(g(z)) − z‖ over the root mean square distance of the codes from their mean, since the scale of codes is a model's own. */
const reencoding = async (
  model: Model,
  codes: Float32Array,
  prior: PriorOverCodes | undefined,
  seed: number,
): Promise<Checked<Figures>> => {
  const d = sizeOf(model.experiment.decoder.input);
  const spread = spreadOf(codes, d);
  const places = [
    ['test/reencoding', codes],
    ...(prior === undefined
      ? []
      : [['test/reencoding/samples', await prior.sample(codes.length / d, seed)] as const]),
  ] as const;
  let figures: Figures = {};
  for (const [name, at] of places) {
    const distances = await reencodingDistances(model, at);
    if (isLeft(distances)) return distances;
    figures = { ...figures, [name]: mean([...distances.right]) / spread };
  }
  return right(figures);
};

/** What a search for collisions may cost, some seconds on one core. */
const SEARCH = 1e11;

/** The nearest images of two codes far apart, as a part of the median distance of images of such codes; near 0 for a collision. */
const collision = async (model: Model, codes: Float32Array): Promise<Figures> => {
  const found = await searchCollisions(model, codes, { flops: SEARCH });
  return isRight(found)
    ? { 'test/collision': elementAt(found.right.pairs, 0).dataDistance / found.right.typicalDistance }
    : {};
};

/**
 * At `points` test examples, spread over all: means in nats of the exact ½ log det JᵀJ and of what each of its bounds has above it, points
 * where J is degenerate left out and counted; the share of points with a singular value below η; how far decoded codes, of the
 * examples and of the prior, are encoded from where they were; the nearest that a search for collisions came; and log-densities
 * where the true one is known.
 */
export const geometryFigures = async (
  fitted: Model & Pick<Fitted, 'encode'>,
  data: Parts,
  prior: PriorOverCodes | undefined,
  { points, seed }: { readonly points: number; readonly seed: number },
): Promise<Checked<Figures>> => {
  if (points === 0) return right({});
  const test = spaced(data.test, points);
  const codes = await fitted.encode(test.examples);
  const local = await jacobiansAt(fitted, codes, { seed });
  if (isLeft(local)) return local;
  const reencoded = await reencoding(fitted, codes, prior, seed);
  if (isLeft(reencoded)) return reencoded;
  const hypers = hypersOf(fitted.experiment);
  const [lambda, eta] = [hypers.get('lambda') ?? 1, hypers.get('eta') ?? 0.1];
  const { volume, tightness, degenerate, violations } = localFigures(local.right, eta, lambda);
  return right({
    'test/volume': volume.mean,
    ...Object.fromEntries(boundNames.map((name) => [`test/excess/${name}`, tightness[name]])),
    'test/degenerate': degenerate,
    'test/violations': violations.points,
    ...reencoded.right,
    ...(await collision(fitted, codes)),
    ...(await densities({ ...data, test }, prior, codes, local.right)),
  });
};
