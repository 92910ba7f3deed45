/** The inverse of a triangular factor, laid out for the innermost loop of a density: ‖L⁻¹c‖² by four rows at a time. */
import { float64At } from '../../dsl/lookup.js';
import type { Matrix } from 'ml-matrix';

/** L⁻¹ row after row, zeros above the diagonal, padded with zeros to a multiple of four rows and columns. */
export type TriangularInverse = { readonly stride: number; readonly values: Float64Array };

/** By forward substitution, column after column, of a lower triangular matrix with a diagonal that is not zero. */
export const triangularInverse = (factor: Matrix): TriangularInverse => {
  const d = factor.rows;
  const stride = 4 * Math.ceil(d / 4);
  const values = new Float64Array(stride * stride);
  for (let column = 0; column < d; column++) {
    for (let i = column; i < d; i++) {
      let sum = i === column ? 1 : 0;
      for (let j = column; j < i; j++) sum -= factor.get(i, j) * float64At(values, j * stride + column);
      values[i * stride + column] = sum / factor.get(i, i);
    }
  }
  return { stride, values };
};

/**
 * ‖L⁻¹c‖² for c of `stride` numbers, zeros at the end. The sum only grows, so once it is beyond `limit` it is given as it
 * stands: what lies far from a Gaussian costs little.
 */
export const squaredLength = (
  { stride, values }: TriangularInverse,
  c: Float64Array,
  limit: number,
): number => {
  let total = 0;
  for (let i = 0; i < stride && total <= limit; i += 4) {
    let at = i * stride;
    let y0 = 0;
    let y1 = 0;
    let y2 = 0;
    let y3 = 0;
    for (let j = 0; j < i + 4; j++, at++) {
      const x = float64At(c, j);
      y0 += float64At(values, at) * x;
      y1 += float64At(values, at + stride) * x;
      y2 += float64At(values, at + 2 * stride) * x;
      y3 += float64At(values, at + 3 * stride) * x;
    }
    total += y0 * y0 + y1 * y1 + (y2 * y2 + y3 * y3);
  }
  return total;
};
