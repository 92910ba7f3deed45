/**
 * A search for collisions of a decoder g: codes far apart whose images nearly coincide. Singular values above zero do
 * not exclude them, and a search that finds none proves nothing: it reports the nearest pairs that it came to. What is far and
 * what is near is measured in units of the codes and of the images, so that no coordinate counts more for the unit it came in.
 */
import { elementAt, float32At, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import {
  apply,
  concat,
  data,
  type Expr,
  mul,
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
import { meanOf } from '../priors/moments.js';
import { unitsOfRows, variancesOf } from '../priors/units.js';
import { median } from '../summary.js';

export type Collision = {
  readonly codes: readonly [readonly number[], readonly number[]];
  /** ‖z₁ − z₂‖ in units of the codes, at least the separation. */
  readonly latentDistance: number;
  /** ‖g(z₁) − g(z₂)‖ in units of the images. */
  readonly dataDistance: number;
  /** The same for the two given codes where the descent began. */
  readonly startDistance: number;
};

export type CollisionSearch = {
  /** The deviation of each number of a code. */
  readonly codeUnits: readonly number[];
  /**
   * Of each column of a table its deviation over the images of the codes, ∞ for one that is the same throughout; 1 for the
   * elements of a picture, which have one unit in common.
   */
  readonly imageUnits: readonly number[];
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
  /** Least ‖z₁ − z₂‖ of a pair, in units of the codes; half the median distance of two codes unless given. */
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

/**
 * Of a pair (z₁, z₂) and weights w, fed as one row of 2d + D numbers: ‖w·r‖ for r = g(z₁) − g(z₂), and the gradient
 * (J₁ᵀw²r, −J₂ᵀw²r) of ½‖w·r‖².
 */
const pairExpressions = (decoder: Network, d: number, image: readonly number[]) => {
  const size = sizeOf(image);
  const all = data(2 * d + size);
  const code = (i: number): Expr => reshaped(slice(all, [i * d], [d]), ...decoder.input);
  const weights = reshaped(slice(all, [2 * d], [size]), ...image);
  const difference = mul(weights, sub(apply(decoder, code(0)), apply(decoder, code(1))));
  const pulled = (i: number): Expr<readonly [number]> =>
    reshaped(vjp(decoder, code(i), mul(weights, difference)), d);
  return { distance: norm(difference), gradient: concat(pulled(0), neg(pulled(1))) };
};

/** Columns that differ by no more than a decoder rounds differ in nothing. */
const ROUNDING = 2 ** -20;

/** What images [n, …shape] are measured in. */
const imageUnitsOf = (images: Float32Array, shape: readonly number[]): Float64Array => {
  const size = sizeOf(shape);
  if (shape.length > 1) return new Float64Array(size).fill(1);
  const mean = meanOf(images, size);
  return variancesOf(images, mean).map((variance, i) => {
    const deviation = Math.sqrt(variance);
    return deviation > ROUNDING * Math.abs(float64At(mean, i)) ? deviation : Infinity;
  });
};

/** What the expressions are fed with for pairs [n, 2d] in units of the codes. */
const rowsOf = (pairs: Float32Array, codeUnits: Float64Array, imageUnits: Float64Array): Float32Array => {
  const width = 2 * codeUnits.length;
  const row = width + imageUnits.length;
  return Float32Array.from({ length: (pairs.length / width) * row }, (_, at) => {
    const i = at % row;
    return i < width
      ? float32At(pairs, Math.floor(at / row) * width + i) * float64At(codeUnits, i % codeUnits.length)
      : 1 / float64At(imageUnits, i - width);
  });
};

const inUnits = (rows: Float32Array, units: Float64Array): Float32Array =>
  rows.map((x, at) => x / float64At(units, at % units.length));

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
  const size = sizeOf(shape);
  const read = wanted.subarray(0, (values.length / size) * d);
  const codeUnits = unitsOfRows(read, d);
  const imageUnits = imageUnitsOf(values, shape);
  const codes = inUnits(read, codeUnits);

  const all = pairsOf(codes, d, inUnits(values, imageUnits), size);
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

  const opened = await openExpressions(model, pairExpressions(decoder, d, shape), [2 * d + size], {
    rows: starts.length,
    flops,
  });
  if (isLeft(opened)) return opened;
  const { evaluate, affordable, dispose } = opened.right;
  const oracle = async (pairs: Float32Array) => {
    const found = await evaluate(rowsOf(pairs, codeUnits, imageUnits));
    if (isLeft(found)) return found;
    const { distance, gradient } = found.right;
    const inCodeUnits = gradient.values.map((x, at) => x * float64At(codeUnits, at % d));
    return right({ distance: distance.values, gradient: inCodeUnits });
  };
  const steps = Math.min(iterations, Math.floor(affordable / starts.length));
  const placed = await descend(oracle, starts, { separation, ...boxOf(codes, d) }, steps).finally(dispose);
  if (isLeft(placed)) return placed;

  const typicalDistance = median(apart.map(({ dataDistance }) => dataDistance));
  const codeAt = (at: Float32Array, first: number): readonly number[] =>
    Array.from(codeUnits, (unit, k) => Math.fround(float32At(at, first + k) * unit));
  const found = placed.right
    .map(({ at, distance }, i): Collision => ({
      codes: [codeAt(at, 0), codeAt(at, d)],
      latentDistance: distanceOfRows(at, d, 0, 1),
      dataDistance: distance,
      startDistance: elementAt(nearest, i).dataDistance,
    }))
    .sort((a, b) => a.dataDistance - b.dataDistance);
  return right({
    codeUnits: [...codeUnits],
    imageUnits: [...imageUnits],
    separation,
    searched: codes.length / d,
    typicalDistance,
    iterations: steps,
    pairs: found,
    coinciding: found.filter(({ dataDistance }) => dataDistance <= tolerance * typicalDistance).length,
  });
};
