/** Gaussians and mixtures as JSON: means, and the rows of triangular factors up to the diagonal, to the last digit. */
import { Matrix } from 'ml-matrix';
import { type Codec, list, mapped, struct } from '../../dsl/codec/codec.js';
import { finite, positiveNumber } from '../../dsl/codec/primitive.js';
import { type Gaussian, gaussianOf } from './gaussian.js';
import { type Mixture, mixtureOf } from './mixture.js';

/** A number of the mean, and the row of the factor that spreads it: as many numbers as there are coordinates up to it, the last positive. */
const coordinate = (index: number) =>
  struct('a mean with a row of the factor', {
    mean: finite,
    spread: list(
      `${index + 1} numbers, the last of them positive`,
      (at) => (at === index ? positiveNumber : finite),
      index + 1,
    ),
  });

export const gaussianCodec: Codec<Gaussian> = mapped(
  list('the coordinates of a Gaussian', coordinate, 1),
  (rows) =>
    gaussianOf(
      Float64Array.from(rows, ({ mean }) => mean),
      new Matrix(rows.map(({ spread }) => rows.map((_, j) => spread[j] ?? 0))),
    ),
  ({ mean, factor }) => Array.from(mean, (at, i) => ({ mean: at, spread: factor.getRow(i).slice(0, i + 1) })),
);

export const mixtureCodec: Codec<Mixture> = mapped(
  list(
    'the components of a mixture',
    () => struct('a weight and a Gaussian', { weight: positiveNumber, gaussian: gaussianCodec }),
    1,
  ),
  (parts) =>
    mixtureOf(
      parts.map(({ weight }) => weight),
      parts.map(({ gaussian }) => gaussian),
    ),
  ({ weights, components }) => components.map((gaussian, k) => ({ weight: weights[k] ?? 0, gaussian })),
);
