/** Pairs of codes with how far apart they and their images are. */
import { float32At } from '../../dsl/lookup.js';

export type Pair = {
  /** Numbers of the two codes. */
  readonly first: number;
  readonly second: number;
  readonly latentDistance: number;
  readonly dataDistance: number;
};

/** Rows of [n, width]. */
export const distanceOfRows = (values: Float32Array, width: number, i: number, j: number): number => {
  let square = 0;
  for (let k = 0; k < width; k++)
    square += (float32At(values, i * width + k) - float32At(values, j * width + k)) ** 2;
  return Math.sqrt(square);
};

/** All n(n − 1)/2 pairs of codes [n, d] with images [n, size]. */
export const pairsOf = (
  codes: Float32Array,
  d: number,
  images: Float32Array,
  size: number,
): readonly Pair[] => {
  const count = codes.length / d;
  return Array.from({ length: count }, (_, first) =>
    Array.from({ length: count - first - 1 }, (_pair, i): Pair => {
      const second = first + 1 + i;
      return {
        first,
        second,
        latentDistance: distanceOfRows(codes, d, first, second),
        dataDistance: distanceOfRows(images, size, first, second),
      };
    }),
  ).flat();
};

/** The pairs with the nearest images, no code in two of them. */
export const nearestPairs = (pairs: readonly Pair[], count: number): readonly Pair[] => {
  const used = new Set<number>();
  const chosen: Pair[] = [];
  for (const pair of [...pairs].sort((a, b) => a.dataDistance - b.dataDistance)) {
    if (chosen.length === count) break;
    if (used.has(pair.first) || used.has(pair.second)) continue;
    used.add(pair.first).add(pair.second);
    chosen.push(pair);
  }
  return chosen;
};
