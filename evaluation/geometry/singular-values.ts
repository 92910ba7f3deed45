/** Singular values s₁ ≥ … ≥ s_d of a Jacobian, and what they say of it. */
import { float64At } from '../../dsl/lookup.js';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';

/** Descending. */
export type Spectrum = Float64Array;

/**
 * The triangular factor R of a matrix given by its columns, [columns, size] row-major, by Householder reflections: it
 * has the same singular values, and is small where the columns are long.
 */
const triangle = (columns: ArrayLike<number>, count: number, size: number): Matrix => {
  const a = Float64Array.from(columns);
  const rows = Math.min(count, size);
  const factor = Matrix.zeros(rows, count);
  for (let k = 0; k < rows; k++) {
    const start = k * size;
    let square = 0;
    for (let i = k; i < size; i++) square += float64At(a, start + i) ** 2;
    const head = float64At(a, start + k);
    const diagonal = head > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    factor.set(k, k, diagonal);
    // The reflection is I − v vᵀ/(−diagonal · v_k) with v the column, its head moved by −diagonal.
    a[start + k] = head - diagonal;
    const scale = -diagonal * float64At(a, start + k);
    for (let j = k + 1; j < count; j++) {
      const other = j * size;
      let along = 0;
      for (let i = k; i < size; i++) along += float64At(a, start + i) * float64At(a, other + i);
      const factorAlong = scale === 0 ? 0 : along / scale;
      for (let i = k; i < size; i++)
        a[other + i] = float64At(a, other + i) - factorAlong * float64At(a, start + i);
      factor.set(k, j, float64At(a, other + k));
    }
  }
  return factor;
};

/**
 * Singular values of the matrix with these finite columns, row-major [count, size]; as many as there are columns, so
 * zeros where columns are longer in number than in size.
 */
export const singularValues = (columns: ArrayLike<number>, count: number): Spectrum => {
  const size = columns.length / count;
  const values = new Float64Array(count);
  const { diagonal } = new SingularValueDecomposition(triangle(columns, count, size), {
    autoTranspose: true,
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
  });
  values.set(diagonal.slice(0, count));
  return values.sort().reverse();
};

/** s₁/s_d; ∞ for one that is not of full rank. */
export const conditionNumber = (s: Spectrum): number => float64At(s, 0) / float64At(s, s.length - 1);

/** exp of the entropy of s/Σs, from 1 to d (Roy and Vetterli, *The effective rank*, EUSIPCO 2007). */
export const effectiveRank = (s: Spectrum): number => {
  const total = s.reduce((sum, value) => sum + value, 0);
  const entropy = s.reduce(
    (sum, value) => (value === 0 ? sum : sum - (value / total) * Math.log(value / total)),
    0,
  );
  return Math.exp(entropy);
};

/** Whether s_d is no more than what single precision makes of zero, given the D numbers of each column. */
export const isDegenerate = (s: Spectrum, size: number): boolean =>
  !(float64At(s, s.length - 1) > float64At(s, 0) * 2 ** -23 * Math.sqrt(Math.max(size, s.length)));
