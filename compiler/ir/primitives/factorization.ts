/** Cholesky factors and triangular systems, matrix by matrix, in the precision of the arrays that hold them. */
import { floatAt } from '../../../dsl/lookup.js';
import type { Params } from '../params.js';

type Numbers = Float32Array | Float64Array;

/** The lower factor of the matrix at `at` plus jitter·I, written to `out`; false at the first pivot that is not positive. */
const factor = (a: Numbers, at: number, n: number, jitter: number, out: Numbers): boolean => {
  for (let j = 0; j < n; j++) {
    let pivot = floatAt(a, at + j * n + j) + jitter;
    for (let k = 0; k < j; k++) pivot -= floatAt(out, at + j * n + k) ** 2;
    if (!(pivot > 0 && pivot < Infinity)) return false;
    const root = Math.sqrt(pivot);
    out[at + j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let entry = floatAt(a, at + i * n + j);
      for (let k = 0; k < j; k++) entry -= floatAt(out, at + i * n + k) * floatAt(out, at + j * n + k);
      out[at + i * n + j] = entry / root;
    }
  }
  return true;
};

/** The first jitter, as a part of the mean of the diagonal; each further one is ten times the one before. */
export const firstJitter = 1e-6;

/** `cholesky` of n×n matrices, into zeros; NaN on and below the diagonal for a matrix that has no factor after the last jitter. */
export const choleskyFactors = (
  a: Numbers,
  n: number,
  { jitters }: Params['cholesky'],
  out: Numbers,
): Numbers => {
  for (let at = 0; at < a.length; at += n * n) {
    let trace = 0;
    for (let i = 0; i < n; i++) trace += floatAt(a, at + i * n + i);
    const jitterOf = (attempt: number): number =>
      attempt === 0 ? 0 : (trace / n) * firstJitter * 10 ** (attempt - 1);
    let attempt = 0;
    while (attempt <= jitters && !factor(a, at, n, jitterOf(attempt), out)) attempt++;
    if (attempt > jitters) for (let i = 0; i < n; i++) out.fill(NaN, at + i * n, at + i * n + i + 1);
  }
  return out;
};

/**
 * `triangularSolve` for n×n matrices and n×m right-hand sides: as many matrices as right-hand sides, or one for all.
 */
export const solveTriangles = (
  matrix: Numbers,
  b: Numbers,
  n: number,
  m: number,
  { lower, transposed }: Params['triangularSolve'],
  out: Numbers,
): Numbers => {
  const step = matrix.length === n * n ? 0 : n * n;
  const forward = lower !== transposed;
  for (let row = 0; row * n * m < b.length; row++) {
    const [at, own] = [row * n * m, row * step];
    const entry = (i: number, k: number): number =>
      floatAt(matrix, own + (transposed ? k * n + i : i * n + k));
    for (let s = 0; s < n; s++) {
      const i = forward ? s : n - 1 - s;
      const diagonal = entry(i, i);
      for (let c = 0; c < m; c++) {
        let value = floatAt(b, at + i * m + c);
        if (forward) for (let k = 0; k < i; k++) value -= entry(i, k) * floatAt(out, at + k * m + c);
        else for (let k = i + 1; k < n; k++) value -= entry(i, k) * floatAt(out, at + k * m + c);
        out[at + i * m + c] = value / diagonal;
      }
    }
  }
  return out;
};
