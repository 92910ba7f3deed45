/**
 * A search for collisions of a decoder g: codes far apart whose images nearly coincide. Singular values above zero do
 * not exclude them, and a search that finds none proves nothing: it reports the nearest pairs that it came to.
 */
import { elementAt } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import {
  apply,
  concat,
  data,
  type Expr,
  neg,
  type Network,
  norm,
  type Problem,
  problem,
  reshaped,
  sizeOf,
  slice,
  sub,
  vjp,
} from '../../dsl/index.js';
import type { Model } from '../../runs/index.js';
import { evaluateExpressions, openExpressions } from '../../runs/index.js';
import { boxOf, descend } from './pair-descent.js';
import { distanceOfRows, nearestPairs, pairsOf } from './pairs.js';
import { median } from '../summary.js';

export type Collision = {
  readonly codes: readonly [readonly number[], readonly number[]];
  /** ‖z₁ − z₂‖, at least the separation. */
  readonly latentDistance: number;
  /** ‖g(z₁) − g(z₂)‖. */
  readonly dataDistance: number;
  /** The same for the two given codes where the descent began. */
  readonly startDistance: number;
};

export type CollisionSearch = {
  /** Least ‖z₁ − z₂‖ of a pair. */
  readonly separation: number;
  /** Codes whose pairs were looked at. */
  readonly searched: number;
  /** Median ‖g(z₁) − g(z₂)‖ of the given codes that are the separation apart: what to compare with. */
  readonly typicalDistance: number;
  /** Steps of the descent that were taken. */
  readonly iterations: number;
  /** Nearest images first. */
  readonly pairs: readonly Collision[];
  /** How many of them have images closer than the tolerance. */
  readonly coinciding: number;
};

export type CollisionOptions = {
  /** Least ‖z₁ − z₂‖ of a pair; half the median distance of two codes unless given. */
  readonly separation?: number;
  /** From how many pairs the descent starts; 8 unless given. */
  readonly pairs?: number;
  /** Steps of the descent; 100 unless given. */
  readonly iterations?: number;
  /** What decoding the codes may cost, and the descent again; no limit unless given. */
  readonly flops?: number;
  /** What counts as coinciding, as a part of the typical distance; 0.001 unless given. */
  readonly tolerance?: number;
};

/** Pairs grow with the square of the codes; of more than this the first are taken. */
const MOST_CODES = 1024;

/** Of a pair (z₁, z₂), fed as 2d numbers: ‖r‖ for r = g(z₁) − g(z₂), and the gradient (J₁ᵀr, −J₂ᵀr) of ½‖r‖². */
const pairExpressions = (decoder: Network, d: number) => {
  const both = data(2 * d);
  const code = (i: number): Expr => reshaped(slice(both, [i * d], [d]), ...decoder.input);
  const difference = sub(apply(decoder, code(0)), apply(decoder, code(1)));
  const pulled = (i: number): Expr<readonly [number]> => reshaped(vjp(decoder, code(i), difference), d);
  return { distance: norm(difference), gradient: concat(pulled(0), neg(pulled(1))) };
};

const checked = (codes: Float32Array, d: number): readonly Problem[] =>
  codes.length >= 2 * d && codes.every(Number.isFinite)
    ? []
    : [
        problem(
          'codes',
          codes.length < 2 * d ? 'fewer than two' : 'values that are not finite',
          'finite codes',
        ),
      ];

/**
 * Starts from the pairs of codes [n, d] with the nearest images among those at least `separation` apart, and descends
 * ‖g(z₁) − g(z₂)‖² inside the box that the codes span, the separation kept.
 */
export const searchCollisions = async (
  model: Model,
  given: Float32Array,
  options: CollisionOptions = {},
): Promise<Either<readonly Problem[], CollisionSearch>> => {
  const { pairs: most = 8, iterations = 100, flops = Infinity, tolerance = 1e-3 } = options;
  const decoder: Network = model.experiment.decoder;
  const d = sizeOf(decoder.input);
  const problems = checked(given, d);
  if (problems.length > 0) return left(problems);
  const wanted = given.subarray(0, MOST_CODES * d);
  const image = apply(decoder, data(...decoder.input));
  const decoded = await evaluateExpressions(
    model,
    { image },
    { shape: decoder.input, examples: wanted },
    { flops },
  );
  if (isLeft(decoded)) return decoded;
  const { shape, values } = decoded.right.image;
  const codes = wanted.subarray(0, (values.length / sizeOf(shape)) * d);

  const all = pairsOf(codes, d, values, sizeOf(shape));
  const separation = options.separation ?? median(all.map(({ latentDistance }) => latentDistance)) / 2;
  const apart = all.filter(({ latentDistance }) => latentDistance >= separation);
  if (!(separation > 0) || apart.length === 0) {
    return left([
      problem('codes', `no two that are ${separation} apart`, 'codes that differ, and a separation above 0'),
    ]);
  }
  const nearest = nearestPairs(apart, most);
  const starts = nearest.map(({ first, second }) =>
    Float32Array.of(
      ...codes.subarray(first * d, (first + 1) * d),
      ...codes.subarray(second * d, (second + 1) * d),
    ),
  );

  const opened = await openExpressions(model, pairExpressions(decoder, d), [2 * d], {
    rows: starts.length,
    flops,
  });
  if (isLeft(opened)) return opened;
  const { evaluate, affordable, dispose } = opened.right;
  const oracle = async (pairs: Float32Array) => {
    const found = await evaluate(pairs);
    if (isLeft(found)) return found;
    const { distance, gradient } = found.right;
    return right({ distance: distance.values, gradient: gradient.values });
  };
  const steps = Math.min(iterations, Math.floor(affordable / starts.length));
  const placed = await descend(oracle, starts, { separation, ...boxOf(codes, d) }, steps).finally(dispose);
  if (isLeft(placed)) return placed;

  const typicalDistance = median(apart.map(({ dataDistance }) => dataDistance));
  const found = placed.right
    .map(({ at, distance }, i): Collision => ({
      codes: [[...at.subarray(0, d)], [...at.subarray(d)]],
      latentDistance: distanceOfRows(at, d, 0, 1),
      dataDistance: distance,
      startDistance: elementAt(nearest, i).dataDistance,
    }))
    .sort((a, b) => a.dataDistance - b.dataDistance);
  return right({
    separation,
    searched: codes.length / d,
    typicalDistance,
    iterations: steps,
    pairs: found,
    coinciding: found.filter(({ dataDistance }) => dataDistance <= tolerance * typicalDistance).length,
  });
};
