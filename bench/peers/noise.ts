/** Numbers that every machine makes alike, for weights, batches and probes. */

/** Numbers between 0 and 1 without a pattern, the same on every machine. */
export const noise = (count: number, seed: number): Float32Array => {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  });
};

/** Rows with |v|² = d, near Gaussian: each number is a sum of twelve. */
export const probes = (rows: number, d: number): Float32Array => {
  const words = noise(rows * d * 12, 2);
  const values = Float32Array.from({ length: rows * d }, (_, i) =>
    words.subarray(12 * i, 12 * i + 12).reduce((sum, u) => sum + u, -6),
  );
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * d, (row + 1) * d);
    const length = Math.sqrt(own.reduce((sum, z) => sum + z * z, 0) / d);
    own.forEach((z, i) => (own[i] = z / length));
  }
  return values;
};
