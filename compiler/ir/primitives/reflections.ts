/** The triangular factor of a wide matrix without its square, by Householder reflections in double precision (Golub and Van Loan, Matrix Computations, 5.2). */
import { float64At } from '../../../dsl/lookup.js';
import type { Params } from '../params.js';

type Numbers = Float32Array | Float64Array;

/**
 * Turns the n rows of `width` numbers into lower triangular form in place, the diagonal positive; false where what a row adds to those
 * before it is no more than `least` of its length, or is not finite.
 */
const reflect = (w: Float64Array, n: number, width: number, least: number): boolean => {
  let isIndependent = true;
  for (let k = 0; k < n; k++) {
    const own = k * width;
    let [before, square] = [0, 0];
    for (let i = 0; i < k; i++) before += float64At(w, own + i) ** 2;
    for (let i = k; i < width; i++) square += float64At(w, own + i) ** 2;
    if (!(square > least * least * (before + square) && square < Infinity)) isIndependent = false;
    const length = Math.sqrt(square);
    const head = float64At(w, own + k);
    const diagonal = head > 0 ? -length : length;
    // The reflection of v = row − diagonal·e_k; half of vᵀv.
    w[own + k] = head - diagonal;
    const half = square - diagonal * head;
    for (let j = k + 1; j < n; j++) {
      const other = j * width;
      let along = 0;
      for (let i = k; i < width; i++) along += float64At(w, own + i) * float64At(w, other + i);
      const factor = half === 0 ? 0 : along / half;
      for (let i = k; i < width; i++) w[other + i] = float64At(w, other + i) - factor * float64At(w, own + i);
      if (diagonal < 0) w[other + k] = -float64At(w, other + k);
    }
    w[own + k] = length;
    for (let i = k + 1; i < width; i++) w[own + i] = 0;
  }
  return isIndependent;
};

/** `lq` of n×m matrices, into zeros. */
export const lqFactors = (
  a: Numbers,
  n: number,
  m: number,
  { jitter, least }: Params['lq'],
  out: Numbers,
): Numbers => {
  const [plain, more] = [new Float64Array(n * m), new Float64Array(n * (m + n))];
  for (let row = 0; row * n * m < a.length; row++) {
    const given = a.subarray(row * n * m, (row + 1) * n * m);
    plain.set(given);
    let [factor, width] = [plain, m];
    let isKnown = reflect(plain, n, m, least);
    if (!isKnown && jitter > 0) {
      // The rows of [A, √j·I] are independent whatever those of A are.
      let squares = 0;
      for (const x of given) squares += x * x;
      const root = Math.sqrt((jitter * squares) / n);
      more.fill(0);
      for (let k = 0; k < n; k++) {
        more.set(given.subarray(k * m, (k + 1) * m), k * (m + n));
        more[k * (m + n) + m + k] = root;
      }
      [factor, width] = [more, m + n];
      isKnown = reflect(more, n, m + n, 0);
    }
    for (let i = 0; i < n; i++)
      for (let k = 0; k <= i; k++)
        out[(row * n + i) * n + k] = isKnown ? float64At(factor, i * width + k) : NaN;
  }
  return out;
};
