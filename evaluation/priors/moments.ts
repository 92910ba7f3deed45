/** Means and covariances of examples held row after row, and what a symmetric matrix needs to be one that can be factored. */
import { atLeast, elementAt, float64At, floatAt, type Floats } from '../../dsl/lookup.js';
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** Σ w·ccᵀ over the rows that were added. */
export type Scatter = {
  /** The row is copied. */
  readonly add: (row: Float64Array, weight: number) => void;
  /** The sum so far, d × d, divided by `by`. */
  readonly over: (by: number) => Matrix;
};

/** Four rows go into the sum at once, so that each of its elements is read and written once for four. */
export const createScatter = (d: number): Scatter => {
  const sum = new Float64Array(d * d);
  const rows = Array.from({ length: 4 }, () => new Float64Array(d));
  let held = 0;
  const flush = (): void => {
    const [a, b, c, e] = atLeast(4, rows);
    for (let i = 0; i < d; i++) {
      const ai = float64At(a, i);
      const bi = float64At(b, i);
      const ci = float64At(c, i);
      const ei = float64At(e, i);
      for (let j = 0, at = i * d; j <= i; j++, at++)
        sum[at] =
          float64At(sum, at) +
          (ai * float64At(a, j) + bi * float64At(b, j) + (ci * float64At(c, j) + ei * float64At(e, j)));
    }
    rows.forEach((row) => row.fill(0));
    held = 0;
  };
  return {
    add: (row, weight) => {
      const factor = Math.sqrt(weight);
      const into = elementAt(rows, held++);
      for (let i = 0; i < d; i++) into[i] = factor * float64At(row, i);
      if (held === 4) flush();
    },
    over: (by) => {
      flush();
      const at = (i: number, j: number): number => float64At(sum, Math.max(i, j) * d + Math.min(i, j)) / by;
      return new Matrix(Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => at(i, j))));
    },
  };
};

/** Every so many-th of the rows [n, d], so that at most `most` are left. */
export const thinned = (values: Float32Array, d: number, most: number): Float32Array => {
  const stride = Math.ceil(values.length / d / most);
  return stride <= 1 ? values : values.filter((_, at) => Math.floor(at / d) % stride === 0);
};

/** Of rows [n, d], n ≥ 1. */
export const meanOf = (values: Floats, d: number): Float64Array => {
  const mean = new Float64Array(d);
  for (let at = 0; at < values.length; at += d)
    for (let i = 0; i < d; i++) mean[i] = float64At(mean, i) + floatAt(values, at + i);
  return mean.map((sum) => (sum * d) / values.length);
};

/** Mean and covariance of rows [n, d]: divided by n, the maximum of the likelihood, or by `n − 1`, which is unbiased. */
export const momentsOf = (
  values: Floats,
  d: number,
  divisor: 'n' | 'n − 1' = 'n',
): { readonly mean: Float64Array; readonly covariance: Matrix } => {
  const mean = meanOf(values, d);
  const scatter = createScatter(d);
  const row = new Float64Array(d);
  for (let at = 0; at < values.length; at += d) {
    for (let i = 0; i < d; i++) row[i] = floatAt(values, at + i) - float64At(mean, i);
    scatter.add(row, 1);
  }
  return { mean, covariance: scatter.over(values.length / d - (divisor === 'n' ? 0 : 1)) };
};

/**
 * Eigenvalues, in no promised order, and eigenvectors as columns. Elements that are nothing beside the largest are taken for 0,
 * since ml-matrix's iteration can end in NaN on numbers near the smallest that there are.
 */
export const eigen = (
  symmetric: Matrix,
): { readonly values: readonly number[]; readonly vectors: Matrix } => {
  const { rows } = symmetric;
  const largest = Math.max(symmetric.max(), -symmetric.min());
  if (largest === 0) return { values: new Array<number>(rows).fill(0), vectors: Matrix.eye(rows, rows) };
  const scaled = symmetric.clone();
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      const x = symmetric.get(i, j) / largest;
      scaled.set(i, j, Math.abs(x) < 1e-60 ? 0 : x);
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(scaled, {
    assumeSymmetric: true,
  });
  return { values: realEigenvalues.map((x) => x * largest), vectors: eigenvectorMatrix };
};

/** V f(Λ) Vᵀ of a symmetric matrix VΛVᵀ, itself symmetric to the bit. */
export const spectralMap = (symmetric: Matrix, f: (eigenvalue: number) => number): Matrix => {
  const { values, vectors: V } = eigen(symmetric);
  const product = V.mmul(Matrix.diag(values.map(f))).mmul(V.transpose());
  return Matrix.add(product, product.transpose()).mul(0.5);
};

/**
 * The symmetric matrix with its eigenvalues raised to at least `floor`. Of all covariances of that kind it is the one of
 * greatest likelihood for a sample of covariance S, since −½(ln det C + tr C⁻¹S) shares its eigenvectors with S at the maximum.
 */
export const floored = (symmetric: Matrix, floor: number): Matrix => {
  const above = Matrix.sub(symmetric, Matrix.eye(symmetric.rows, symmetric.rows, floor));
  // Cheaper than eigenvalues, and mostly there is nothing to raise.
  return new CholeskyDecomposition(above).isPositiveDefinite()
    ? symmetric
    : spectralMap(symmetric, (eigenvalue) => Math.max(eigenvalue, floor));
};
