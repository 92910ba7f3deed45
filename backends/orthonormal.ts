/** Gram–Schmidt, run twice because one pass loses orthogonality when a row nearly lies in the span of those before it (Giraud et al., 2005); on independent normals it gives Haar-distributed frames. */
import { float64At } from '../dsl/lookup.js';

/** Makes the first `count` rows of a row-major [count, size] array orthonormal in place; count ≤ size, rows independent. */
export const orthonormalizeRows = (rows: Float64Array, count: number, size: number): void => {
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * size, (i + 1) * size);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const earlier = rows.subarray(j * size, (j + 1) * size);
        let dot = 0;
        for (let t = 0; t < size; t++) dot += float64At(row, t) * float64At(earlier, t);
        for (let t = 0; t < size; t++) row[t] = float64At(row, t) - dot * float64At(earlier, t);
      }
      let square = 0;
      for (let t = 0; t < size; t++) square += float64At(row, t) * float64At(row, t);
      const norm = Math.sqrt(square);
      for (let t = 0; t < size; t++) row[t] = float64At(row, t) / norm;
    }
  }
};
