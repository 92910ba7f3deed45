/** The C of routines: work in sequence that no loop nest expresses. */
import { elementAt } from '../../dsl/lookup.js';
import { firstJitter } from '../../compiler/ir/primitives/factorization.js';
import type { Routine } from '../../compiler/loops/plan.js';

/** Factors and triangular systems, as compiler/ir/primitives/factorization.ts and reflections.ts have them: in double, kept in float. */
export const routineSource = `
static int factor(const float *a, long n, double jitter, float *l) {
  for (long j = 0; j < n; j++) {
    double pivot = a[j * n + j] + jitter;
    for (long k = 0; k < j; k++) pivot -= (double)l[j * n + k] * l[j * n + k];
    if (!(pivot > 0 && pivot < __builtin_inf())) return 0;
    const double root = __builtin_sqrt(pivot);
    l[j * n + j] = (float)root;
    for (long i = j + 1; i < n; i++) {
      double entry = a[i * n + j];
      for (long k = 0; k < j; k++) entry -= (double)l[i * n + k] * l[j * n + k];
      l[i * n + j] = (float)(entry / root);
    }
  }
  return 1;
}
static void cholesky(const float *a, float *l, long matrices, long n, int jitters) {
  __builtin_memset(l, 0, sizeof(float) * matrices * n * n);
  for (long m = 0; m < matrices; m++, a += n * n, l += n * n) {
    double trace = 0, jitter = 0;
    for (long i = 0; i < n; i++) trace += a[i * n + i];
    int attempt = 0;
    while (attempt <= jitters && !factor(a, n, jitter, l)) {
      jitter = attempt == 0 ? trace / n * ${firstJitter} : jitter * 10;
      attempt++;
    }
    if (attempt > jitters)
      for (long i = 0; i < n; i++)
        for (long j = 0; j <= i; j++) l[i * n + j] = __builtin_nanf("");
  }
}
static int reflect(double *w, long n, long width, double least) {
  int independent = 1;
  for (long k = 0; k < n; k++) {
    double *own = w + k * width, before = 0, square = 0;
    for (long i = 0; i < k; i++) before += own[i] * own[i];
    for (long i = k; i < width; i++) square += own[i] * own[i];
    if (!(square > least * least * (before + square) && square < __builtin_inf())) independent = 0;
    const double length = __builtin_sqrt(square), head = own[k];
    const double diagonal = head > 0 ? -length : length;
    own[k] = head - diagonal;
    const double half = square - diagonal * head;
    for (long j = k + 1; j < n; j++) {
      double *other = w + j * width, along = 0;
      for (long i = k; i < width; i++) along += own[i] * other[i];
      const double share = half == 0 ? 0 : along / half;
      for (long i = k; i < width; i++) other[i] -= share * own[i];
      if (diagonal < 0) other[k] = -other[k];
    }
    own[k] = length;
    for (long i = k + 1; i < width; i++) own[i] = 0;
  }
  return independent;
}
static void lq(const float *a, float *l, long matrices, long n, long m, double jitter, double least) {
  double *w = __builtin_malloc(sizeof(double) * n * (m + n));
  for (long r = 0; r < matrices; r++, a += n * m, l += n * n) {
    long width = m;
    for (long i = 0; w && i < n * m; i++) w[i] = a[i];
    int known = w && reflect(w, n, m, least);
    if (w && !known && jitter > 0) {
      double squares = 0;
      for (long i = 0; i < n * m; i++) squares += (double)a[i] * a[i];
      const double root = __builtin_sqrt(jitter * squares / n);
      width = m + n;
      for (long k = 0; k < n; k++)
        for (long i = 0; i < width; i++) w[k * width + i] = i < m ? a[k * m + i] : i == m + k ? root : 0;
      known = reflect(w, n, width, 0);
    }
    for (long i = 0; i < n; i++)
      for (long k = 0; k < n; k++) l[i * n + k] = k > i ? 0 : known ? (float)w[i * width + k] : __builtin_nanf("");
  }
  __builtin_free(w);
}
static void triangles(const float *a, const float *b, float *x, long systems, int each, long n, long m,
                      int forward, int transposed) {
  for (long r = 0; r < systems; r++, b += n * m, x += n * m, a += each ? n * n : 0) {
    const long di = transposed ? 1 : n, dk = transposed ? n : 1;
    for (long s = 0; s < n; s++) {
      const long i = forward ? s : n - 1 - s;
      const long from = forward ? 0 : i + 1, to = forward ? i : n;
      for (long c = 0; c < m; c++) {
        double value = b[i * m + c];
        for (long k = from; k < to; k++) value -= (double)a[i * di + k * dk] * x[k * m + c];
        x[i * m + c] = (float)(value / a[i * di + i * dk]);
      }
    }
  }
}
`;

/** The call of a routine on buffers of these sizes; `table` gives the name of an array of whole numbers. */
export const routineCall = (
  routine: Routine,
  inputs: readonly { readonly place: string; readonly size: number }[],
  output: string,
  table: (values: readonly number[]) => string,
): string => {
  const [a, b] = inputs;
  if (a === undefined) throw new Error(`${routine.name} of nothing`);
  switch (routine.name) {
    case 'cholesky': {
      const { n, params } = routine;
      return `cholesky(${a.place}, ${output}, ${a.size / (n * n)}, ${n}, ${params.jitters});`;
    }
    case 'lq': {
      const { n, m, params } = routine;
      return `lq(${a.place}, ${output}, ${a.size / (n * m)}, ${n}, ${m}, ${params.jitter}, ${params.least});`;
    }
    case 'triangularSolve': {
      if (b === undefined) throw new Error('a triangular system without its right-hand side');
      const { n, columns, params } = routine;
      const each = a.size === n * n ? 0 : 1;
      const forward = params.lower === params.transposed ? 0 : 1;
      return `triangles(${a.place}, ${b.place}, ${output}, ${b.size / (n * columns)}, ${each}, ${n}, ${columns}, ${forward}, ${params.transposed ? 1 : 0});`;
    }
    case 'reorder': {
      const n = routine.order.length;
      return `for (long r = 0; r < ${a.size / n}; r++) for (long k = 0; k < ${n}; k++) (${output})[r * ${n} + k] = (${a.place})[r * ${n} + ${table(routine.order)}[k]];`;
    }
    case 'join': {
      const { widths } = routine;
      const width = widths.reduce((sum, n) => sum + n, 0);
      const rows = a.size / elementAt(widths, 0);
      let start = 0;
      return inputs
        .map(({ place }, i) => {
          const own = elementAt(widths, i);
          const copy = `for (long r = 0; r < ${rows}; r++) __builtin_memcpy((${output}) + r * ${width} + ${start}, (${place}) + r * ${own}, ${4 * own});`;
          start += own;
          return copy;
        })
        .join(' ');
    }
  }
};
