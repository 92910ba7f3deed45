/** Elaborates the transforms of flows, each in both directions, on m numbers with P parameters each. */
import { elementAt } from '../../dsl/lookup.js';
import type { Transform } from '../../dsl/layers/layer.js';
import { add, mul, sub, times, unary } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';
import { splined } from './spline.js';

/** Which way a layer is run: as it was written, or inverted. */
export type Way = 'forward' | 'backward';

export const opposite = (way: Way): Way => (way === 'forward' ? 'backward' : 'forward');

/** The transformed numbers [m] and the logarithms of the slopes [m] of the map that was run. */
export type Transformed = { readonly value: Var; readonly logSlope: Var };

/** b·tanh(raw/b): close to raw near 0, within ±b everywhere. */
export const bounded = (emit: Emit, raw: Var, b: number): Var =>
  times(emit, unary(emit, 'tanh', times(emit, raw, 1 / b)), b);

/** Columns begin … begin + count − 1 of [m,P]. */
export const columns = (emit: Emit, raw: Var, begin: number, count: number): Var =>
  emit('slice', { begin: [0, begin], size: [elementAt(raw.type.shape, 0), count] }, [raw]);

const column = (emit: Emit, raw: Var, i: number): Var =>
  emit('reshape', { shape: [elementAt(raw.type.shape, 0)] }, [columns(emit, raw, i, 1)]);

const scaledAndShifted = (emit: Emit, bound: number, x: Var, raw: Var, way: Way): Transformed => {
  const logScale = bounded(emit, column(emit, raw, 0), bound);
  const shift = column(emit, raw, 1);
  const inverseLogScale = unary(emit, 'neg', logScale);
  return way === 'forward'
    ? { value: add(emit, mul(emit, x, unary(emit, 'exp', logScale)), shift), logSlope: logScale }
    : {
        value: mul(emit, sub(emit, x, shift), unary(emit, 'exp', inverseLogScale)),
        logSlope: inverseLogScale,
      };
};

/** P: how many numbers parametrise a transform. */
export const parameterCount = (transform: Transform): number => {
  switch (transform.tag) {
    case 'affine':
      return 2;
    case 'spline':
      return 3 * transform.bins - 1;
    case 'circularSpline':
      return 3 * transform.bins;
  }
};

/** x [m] through a transform with raw parameters [m,P]. */
export const transformed = (emit: Emit, transform: Transform, x: Var, raw: Var, way: Way): Transformed => {
  switch (transform.tag) {
    case 'affine':
      return scaledAndShifted(emit, transform.bound, x, raw, way);
    case 'spline':
    case 'circularSpline': {
      const { bins } = transform;
      const part = (i: number, count: number): Var =>
        bounded(emit, columns(emit, raw, i * bins, count), largestLogRatio);
      const shape = {
        widths: part(0, bins),
        heights: part(1, bins),
        slopes: part(2, transform.tag === 'spline' ? bins - 1 : bins),
      };
      return splined(emit, transform.bound, shape, x, way);
    }
  }
};

/** Widths and heights of bins, in the logarithm, and log-slopes at knots stay within this of 0: e³ is about 20. */
const largestLogRatio = 3;
