/**
 * Projected gradient descent on ½‖g(z₁) − g(z₂)‖² over pairs of codes that stay apart and inside a box, many pairs at
 * once. Step lengths are those of Barzilai and Borwein (*Two-point step size gradient methods*, 1988), accepted where the
 * value is below one of the last few (Grippo, Lampariello and Lucidi, 1986).
 */
import { elementAt, float32At, float64At, floatAt, type Floats } from '../../dsl/lookup.js';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { Problem } from '../../dsl/index.js';

/** Where a pair may be: both codes between `low` and `high`, at least `separation` apart. */
export type Region = {
  readonly separation: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
};

/** For pairs [n, 2d] the distance of their images and the gradient of half its square, [n, 2d]. */
export type PairOracle = (
  pairs: Float32Array,
) => Promise<
  Either<readonly Problem[], { readonly distance: Float32Array; readonly gradient: Float32Array }>
>;

/** A pair (z₁, z₂) and the distance of its images. */
export type Placed = { readonly at: Float32Array; readonly distance: number };

type Track = {
  readonly at: Float32Array;
  readonly distance: number;
  readonly gradient: Float32Array;
  readonly step: number;
  /** Latest distances, newest last. */
  readonly recent: readonly number[];
  readonly best: Placed;
};

const MEMORY = 5;
const ROUNDS = 30;
/** The first step moves a pair by this part of the separation. */
const FIRST_MOVE = 0.1;
const ROUNDING = 1e-6;

/** The least and the greatest of each coordinate of codes [n, d]. */
export const boxOf = (codes: Float32Array, d: number): Pick<Region, 'low' | 'high'> => {
  const low = new Float64Array(d).fill(Infinity);
  const high = new Float64Array(d).fill(-Infinity);
  codes.forEach((value, i) => {
    low[i % d] = Math.min(float64At(low, i % d), value);
    high[i % d] = Math.max(float64At(high, i % d), value);
  });
  return { low, high };
};

const gap = (pair: Floats): number => {
  const d = pair.length / 2;
  let square = 0;
  for (let i = 0; i < d; i++) square += (floatAt(pair, i) - floatAt(pair, d + i)) ** 2;
  return Math.sqrt(square);
};

/** A pair of the region near the given one, by projecting on the box and on the separation in turns; null where that leads nowhere. */
export const project = (pair: ArrayLike<number>, { separation, low, high }: Region): Float32Array | null => {
  const d = low.length;
  const at = Float64Array.from(pair);
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < 2 * d; i++)
      at[i] = Math.min(float64At(high, i % d), Math.max(float64At(low, i % d), float64At(at, i)));
    const found = Float32Array.from(at);
    const apart = gap(found);
    if (apart >= separation * (1 - ROUNDING)) return found;
    if (!(apart > 0)) return null;
    const longer = (separation / apart) * (1 + ROUNDING);
    for (let i = 0; i < d; i++) {
      const [middle, half] = [
        (float64At(at, i) + float64At(at, d + i)) / 2,
        ((float64At(at, i) - float64At(at, d + i)) / 2) * longer,
      ];
      at[i] = middle + half;
      at[d + i] = middle - half;
    }
  }
  return null;
};

const dot = (a: Floats, b: Floats): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += floatAt(a, i) * floatAt(b, i);
  return sum;
};

const minus = (a: Float32Array, b: Float32Array): Float64Array =>
  Float64Array.from(a, (value, i) => value - float32At(b, i));

const started = (at: Float32Array, distance: number, gradient: Float32Array, separation: number): Track => {
  const length = Math.sqrt(dot(gradient, gradient));
  const step = length > 0 ? (FIRST_MOVE * separation) / length : 0;
  return { at, distance, gradient, step, recent: [distance], best: { at, distance } };
};

const proposal = ({ at, gradient, step }: Track, region: Region): Float32Array =>
  project(
    at.map((value, i) => value - step * float32At(gradient, i)),
    region,
  ) ?? at;

const moved = (track: Track, at: Float32Array, distance: number, gradient: Float32Array): Track => {
  const change = minus(at, track.at);
  const length = dot(change, change);
  if (length === 0 || !(distance <= Math.max(...track.recent))) return { ...track, step: track.step / 4 };
  const curvature = dot(change, minus(gradient, track.gradient));
  return {
    at,
    distance,
    gradient,
    step: curvature > 0 ? length / curvature : 2 * track.step,
    recent: [...track.recent, distance].slice(-MEMORY),
    best: distance < track.best.distance ? { at, distance } : track.best,
  };
};

const joined = (pairs: readonly Float32Array[]): Float32Array => {
  const width = pairs[0]?.length ?? 0;
  const all = new Float32Array(pairs.length * width);
  pairs.forEach((pair, i) => all.set(pair, i * width));
  return all;
};

/** The nearest images that each pair came to, none farther than where it started. */
export const descend = async (
  oracle: PairOracle,
  starts: readonly Float32Array[],
  region: Region,
  iterations: number,
): Promise<Either<readonly Problem[], readonly Placed[]>> => {
  const first = await oracle(joined(starts));
  if (isLeft(first)) return first;
  const width = 2 * region.low.length;
  const row = (gradient: Float32Array, i: number): Float32Array =>
    gradient.subarray(i * width, (i + 1) * width);
  let tracks = starts.map((at, i) =>
    started(at, float32At(first.right.distance, i), row(first.right.gradient, i), region.separation),
  );
  for (let iteration = 0; iteration < iterations; iteration++) {
    const proposals = tracks.map((track) => proposal(track, region));
    const values = await oracle(joined(proposals));
    if (isLeft(values)) return values;
    const { distance, gradient } = values.right;
    tracks = tracks.map((track, i) =>
      moved(track, elementAt(proposals, i), float32At(distance, i), row(gradient, i)),
    );
  }
  return right(tracks.map(({ best }) => best));
};
