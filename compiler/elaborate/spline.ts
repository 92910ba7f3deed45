/**
 * Monotone rational-quadratic splines, Durkan et al., *Neural spline flows*, 2019, equations (4) to (8): between two knots
 * y = y_k + h (s θ² + d_k θ(1−θ)) / (s + (d_{k+1} + d_k − 2s) θ(1−θ)), with θ = (x − x_k)/w and s = h/w.
 */
import { atLeast } from '../../dsl/lookup.js';
import {
  add,
  binary,
  constantLike,
  div,
  joined,
  mul,
  plus,
  select,
  sub,
  times,
  unary,
} from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';

/**
 * Logarithms of widths and heights up to a factor, [m,K], and of the slopes: at the knots between, [m,K−1], with slope 1 at both ends; or at all knots
 * but the last, [m,K], which has that of the first, on a circle.
 */
export type SplineShape = { readonly widths: Var; readonly heights: Var; readonly slopes: Var };

const filling = (emit: Emit, x: Var, like: Var): Var =>
  emit('broadcast', { shape: like.type.shape, axes: [0] }, [x]);

/** Moves columns of [m,K] to the right; zeros come in. */
const shifted = (emit: Emit, x: Var, by: number): Var => {
  const [m, k] = atLeast(2, x.type.shape);
  const kept = emit('slice', { begin: [0, 0], size: [m, k - by] }, [x]);
  return emit('pad', { before: [0, by], after: [0, 0] }, [kept]);
};

/** Sums over the columns before each, in log₂ K steps (Hillis and Steele 1986). */
const sumsBefore = (emit: Emit, x: Var): Var => {
  const [, k] = atLeast(2, x.type.shape);
  const doubled = (sums: Var, by: number): Var =>
    by >= k ? sums : doubled(add(emit, sums, shifted(emit, sums, by)), 2 * by);
  return doubled(shifted(emit, x, 1), 1);
};

/** Where bins begin and how long they are, on [−bound, bound]. */
type Axis = { readonly begins: Var; readonly lengths: Var };

const axisOf = (emit: Emit, logLengths: Var, bound: number): Axis => {
  const parts = unary(emit, 'exp', logLengths);
  const total = filling(emit, emit('reduce', { op: 'add', axes: [1] }, [parts]), parts);
  const lengths = times(emit, div(emit, parts, total), 2 * bound);
  return { begins: plus(emit, sumsBefore(emit, lengths), -bound), lengths };
};

/** For each number 1 in the column of its bin, else 0: [m,K]. */
const binOf = (emit: Emit, x: Var, begins: Var): Var => {
  const [m, k] = atLeast(2, begins.type.shape);
  const knots = emit('slice', { begin: [0, 1], size: [m, k - 1] }, [begins]);
  const beyond = binary(emit, 'greater', filling(emit, x, knots), knots);
  const first = constantLike(emit, 1, { rows: beyond.type.rows, shape: [m, 1] });
  const reached = emit('concat', { axis: 1 }, joined(emit, [first, beyond]));
  return sub(emit, reached, emit('pad', { before: [0, 0], after: [0, 1] }, [beyond]));
};

const clamped = (emit: Emit, x: Var, bound: number): Var => {
  const above = binary(emit, 'max', x, constantLike(emit, -bound, x.type));
  return binary(emit, 'min', above, constantLike(emit, bound, x.type));
};

/** The numbers x [m] through the spline, or back through it, and the log-slopes of that; the identity beyond ±bound. */
export const splined = (
  emit: Emit,
  bound: number,
  { widths, heights, slopes }: SplineShape,
  x: Var,
  way: 'forward' | 'backward',
): { readonly value: Var; readonly logSlope: Var } => {
  const [m, bins] = atLeast(2, widths.type.shape);
  const horizontal = axisOf(emit, widths, bound);
  const vertical = axisOf(emit, heights, bound);
  const [, given] = atLeast(2, slopes.type.shape);
  const first = (): Var => emit('slice', { begin: [0, 0], size: [m, 1] }, [slopes]);
  const knots =
    given === bins
      ? emit('concat', { axis: 1 }, [slopes, first()])
      : // Slope 1 at both ends, where the identity follows.
        emit('pad', { before: [0, 1], after: [0, 1] }, [slopes]);
  const knotSlopes = unary(emit, 'exp', knots);
  const slopesFrom = (i: number): Var => emit('slice', { begin: [0, i], size: [m, bins] }, [knotSlopes]);
  const inside = clamped(emit, x, bound);
  const bin = binOf(emit, inside, (way === 'forward' ? horizontal : vertical).begins);
  const own = (values: Var): Var => emit('reduce', { op: 'add', axes: [1] }, [mul(emit, bin, values)]);
  const [left, width] = [own(horizontal.begins), own(horizontal.lengths)];
  const [low, height] = [own(vertical.begins), own(vertical.lengths)];
  const [before, after] = [own(slopesFrom(0)), own(slopesFrom(1))];
  const s = div(emit, height, width);
  const bend = sub(emit, add(emit, after, before), times(emit, s, 2));

  /** θ of a height above the bin's lower edge: a root of equation (6), in the form that adds where the other one cancels. */
  const placeOf = (rise: Var): Var => {
    const a = add(emit, mul(emit, height, sub(emit, s, before)), mul(emit, rise, bend));
    const b = sub(emit, mul(emit, height, before), mul(emit, rise, bend));
    const c = mul(emit, s, rise);
    const square = add(emit, mul(emit, b, b), times(emit, mul(emit, a, c), 4));
    const root = unary(emit, 'sqrt', binary(emit, 'max', square, constantLike(emit, 0, square.type)));
    // Where b < 0, a > h·s.
    const isNegative = binary(emit, 'greater', constantLike(emit, 0, b.type), b);
    return div(
      emit,
      select(emit, isNegative, sub(emit, root, b), times(emit, c, 2)),
      select(emit, isNegative, times(emit, a, 2), add(emit, b, root)),
    );
  };
  const theta =
    way === 'forward' ? div(emit, sub(emit, inside, left), width) : placeOf(sub(emit, inside, low));
  const rest = sub(emit, constantLike(emit, 1, theta.type), theta);
  const [squared, product, restSquared] = [
    mul(emit, theta, theta),
    mul(emit, theta, rest),
    mul(emit, rest, rest),
  ];
  const denominator = add(emit, s, mul(emit, bend, product));
  const rise = div(
    emit,
    mul(emit, height, add(emit, mul(emit, s, squared), mul(emit, before, product))),
    denominator,
  );
  const slope = div(
    emit,
    mul(
      emit,
      mul(emit, s, s),
      add(
        emit,
        add(emit, mul(emit, after, squared), times(emit, mul(emit, s, product), 2)),
        mul(emit, before, restSquared),
      ),
    ),
    mul(emit, denominator, denominator),
  );
  const logSlope = unary(emit, 'log', slope);
  const isInside = binary(
    emit,
    'greater',
    constantLike(emit, bound, x.type),
    binary(emit, 'max', x, unary(emit, 'neg', x)),
  );
  const zero = constantLike(emit, 0, logSlope.type);
  return way === 'forward'
    ? {
        value: select(emit, isInside, add(emit, low, rise), x),
        logSlope: select(emit, isInside, logSlope, zero),
      }
    : {
        value: select(emit, isInside, add(emit, left, mul(emit, theta, width)), x),
        logSlope: select(emit, isInside, unary(emit, 'neg', logSlope), zero),
      };
};
