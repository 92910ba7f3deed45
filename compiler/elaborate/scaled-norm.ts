/** ‖x‖ = s·‖x/s‖ with s of the size of x, so that no square leaves the range of single precision on the way. */
import { binary, constantLike, div, mul, sumAll, times, unary } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';
import { sizeOfShape } from '../ir/type.js';

/** Numbers that the greatest and the least of single precision, divided by them, have squares of. */
const [least, greatest] = [1e-22, 1e22];

/**
 * The Euclidean norm over all axes but the first `keep`; its derivatives at 0 are 0. s is the mean of |x|, held constant, which leaves
 * the derivatives exact, for the norm does not depend on it.
 */
export const scaledNorm = (emit: Emit, x: Var, keep = 0): Var => {
  const { shape } = x.type;
  const count = sizeOfShape(shape.slice(keep));
  const filled = (s: Var): Var =>
    keep === shape.length
      ? s
      : emit('broadcast', { shape, axes: Array.from({ length: keep }, (_, i) => i) }, [s]);
  const seen = unary(emit, 'stop', x);
  const size = binary(emit, 'max', seen, unary(emit, 'neg', seen));
  const mean = sumAll(emit, times(emit, size, 1 / Math.max(1, count)), keep);
  const bound = (value: number): Var => constantLike(emit, value, mean.type);
  const s = binary(emit, 'min', binary(emit, 'max', mean, bound(least)), bound(greatest));
  const y = div(emit, x, filled(s));
  return mul(emit, s, unary(emit, 'sqrt', sumAll(emit, mul(emit, y, y), keep)));
};
