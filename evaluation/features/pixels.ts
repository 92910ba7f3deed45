/** Principal components of the training examples (Pearson 1901): the pixels themselves, or the directions in which they vary most. */
import { elementAt, float32At, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Matrix } from 'ml-matrix';
import type { Source } from '../../data/index.js';
import { type Problem, problem, sizeOf } from '../../dsl/index.js';
import { createScatter, eigen, meanOf } from '../priors/moments.js';
import { thinned } from '../thinned.js';
import { carriedSize, type FeatureMap } from './feature-map.js';

/** Pixels at most for whose covariance eigenvectors are taken, and examples where there are more pixels: they take the cube. */
const MOST = 1000;
/** Examples at most that a covariance of pixels is estimated from. */
const MOST_ROWS = 10_000;

const transposed = (rows: Float64Array, width: number): Float64Array => {
  const height = rows.length / width;
  return Float64Array.from(rows, (_, at) => float64At(rows, (at % height) * width + Math.floor(at / height)));
};

/** XᵀX of rows X. */
const gram = (rows: Float64Array, width: number): Matrix => {
  const scatter = createScatter(width);
  for (let at = 0; at < rows.length; at += width) scatter.add(rows.subarray(at, at + width), 1);
  return scatter.over(1);
};

/** Unit eigenvectors of the greatest eigenvalues, first to last, each with the square root of its eigenvalue. */
const leading = (symmetric: Matrix, count: number) => {
  const { values, vectors } = eigen(symmetric);
  const order = values.map((_, k) => k).sort((a, b) => elementAt(values, b) - elementAt(values, a));
  return order
    .slice(0, count)
    .map((k) => ({ root: Math.sqrt(Math.max(elementAt(values, k), 0)), vector: vectors.getColumn(k) }));
};

/** The first `count` right singular vectors of centred rows, by the smaller of XᵀX and XXᵀ; zeros beyond the rank. */
const components = (centred: Float64Array, width: number, count: number): readonly Float64Array[] => {
  const height = centred.length / width;
  if (width <= height)
    return leading(gram(centred, width), count).map(({ vector }) => Float64Array.from(vector));
  const found = leading(gram(transposed(centred, width), height), count);
  const largest = found[0]?.root ?? 0;
  return Array.from({ length: count }, (_, k) => {
    const direction = new Float64Array(width);
    const { root, vector } = found[k] ?? { root: 0, vector: [] };
    if (root <= 1e-6 * largest) return direction;
    centred.forEach(
      (x, at) =>
        (direction[at % width] =
          float64At(direction, at % width) + (elementAt(vector, Math.floor(at / width)) * x) / root),
    );
    return direction;
  });
};

/**
 * Features `pixels` for samples of `examples` examples: as many principal components of the training examples as such samples can
 * carry (see `carriedSize`), `most` = 64 unless given, or the pixels as they are where those are no more.
 */
export const pixels = async (
  train: Source,
  { samples, most = 64 }: { readonly samples: number; readonly most?: number },
): Promise<Either<readonly Problem[], FeatureMap>> => {
  const { shape, size: rows } = train;
  const width = sizeOf(shape);
  if (rows === 0) return left([problem('train', 'no examples', 'examples to take principal components of')]);
  const size = carriedSize(samples, most);
  const name = 'pixels';
  if (width <= size)
    return right({ name, size: width, apply: (all) => Promise.resolve(all), dispose: () => undefined });
  const some = await thinned(train, width > MOST ? MOST : MOST_ROWS);
  if (isLeft(some)) return some;
  const mean = meanOf(some.right.examples, width);
  const directions = components(
    Float64Array.from(some.right.examples, (x, at) => x - float64At(mean, at % width)),
    width,
    size,
  );
  const project = (all: Float32Array): Float32Array =>
    Float32Array.from({ length: (all.length / width) * size }, (_, at) => {
      const first = Math.floor(at / size) * width;
      return elementAt(directions, at % size).reduce(
        (sum, w, i) => sum + w * (float32At(all, first + i) - float64At(mean, i)),
        0,
      );
    });
  return right({ name, size, apply: (all) => Promise.resolve(project(all)), dispose: () => undefined });
};
