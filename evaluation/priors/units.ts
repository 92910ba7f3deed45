/**
 * The unit of each coordinate: its own deviation. What is measured in units of the data commutes with a change of the units that
 * the data came in, and to the bit where one is a power of 2 of the other.
 */
import { elementAt, float64At, floatAt, type Floats } from '../../dsl/lookup.js';
import { meanOf } from './moments.js';

/** Float32 tells values apart by 2⁻²⁴ of their size. */
const RESOLUTION = 2 ** -24;

/**
 * What each coordinate of a mean and variances is measured in: its deviation, but no less than float32 resolves at its mean. One
 * that is 0 throughout has no unit of its own; it is measured in the greatest of the others, or in 1 where there is none.
 */
export const unitsOf = (mean: ArrayLike<number>, variances: ArrayLike<number>): Float64Array => {
  const own = Float64Array.from(variances, (variance, i) =>
    Math.sqrt(Math.max(variance, (RESOLUTION * elementAt(mean, i)) ** 2)),
  );
  const greatest = own.reduce((a, b) => Math.max(a, b), 0) || 1;
  return own.map((unit) => unit || greatest);
};

/** Variance of each column of rows [n, d], n ≥ 1, about a mean; 0 of one that is the same throughout. */
export const variancesOf = (rows: Floats, mean: ArrayLike<number>): Float64Array => {
  const d = mean.length;
  const squares = new Float64Array(d);
  for (let at = 0; at < rows.length; at++)
    squares[at % d] = float64At(squares, at % d) + (floatAt(rows, at) - elementAt(mean, at % d)) ** 2;
  return squares.map((sum) => (sum * d) / rows.length);
};

/** The unit of each column of rows [n, d], n ≥ 1. */
export const unitsOfRows = (rows: Floats, d: number): Float64Array => {
  const mean = meanOf(rows, d);
  return unitsOf(mean, variancesOf(rows, mean));
};
