/** Vectors of L float32 lanes in C, by the vector extensions that GCC and Clang share: types, loads, stores, sums. */

/** NaN where either is. */
const extremum = (name: string, op: string) => ({
  name,
  one: `a ${op} b || a != a ? a : b`,
  of: (L: number): string => `choose${L}((f${L})((a ${op} b) | (a != a)), a, b)`,
});

const arithmetic = (name: string, op: string) => ({
  name,
  one: `a ${op} b`,
  of: (): string => `a ${op} b`,
});

/** What operators put between two numbers, two vectors and the lanes of one. */
export const combinations = {
  add: arithmetic('total', '+'),
  mul: arithmetic('product', '*'),
  max: extremum('greatest', '>'),
  min: extremum('least', '<'),
};

const scalars = Object.values(combinations)
  .map(({ name, one }) => `static inline float ${name}(float a, float b) { return ${one}; }\n`)
  .join('');

/** The first n numbers of a vector, loaded and stored by the processor's masks where it has them and no sanitizer watches, which does not see those. */
const masked = (L: number): { readonly load: string; readonly store: string } => {
  const loops = {
    load: `return loadn${L}(p, 1, n);`,
    store: `storen${L}(p, 1, n, v);`,
  };
  const where = (macro: string, { load, store }: typeof loops): typeof loops => ({
    load: `#if defined(${macro}) && !defined(__SANITIZE_ADDRESS__)\n  ${load}\n#else\n  ${loops.load}\n#endif`,
    store: `#if defined(${macro}) && !defined(__SANITIZE_ADDRESS__)\n  ${store}\n#else\n  ${loops.store}\n#endif`,
  });
  if (L === 16)
    return where('__AVX512F__', {
      load: 'return (f16)__builtin_ia32_loadups512_mask(p, (f16){}, (unsigned short)((1 << n) - 1));',
      store: '__builtin_ia32_storeups512_mask(p, v, (unsigned short)((1 << n) - 1));',
    });
  if (L === 8)
    return where('__AVX__', {
      load: 'return (f8)__builtin_ia32_maskloadps256((const f8 *)p, (i8)((i8){ 0, 1, 2, 3, 4, 5, 6, 7 } < n));',
      store: '__builtin_ia32_maskstoreps256((f8 *)p, (i8)((i8){ 0, 1, 2, 3, 4, 5, 6, 7 } < n), v);',
    });
  return loops;
};

/** What every length has. `fL` is L numbers, `iL` and `uL` their bits. */
const ofLength = (L: number): string => `
typedef float f${L} __attribute__((vector_size(${4 * L})));
typedef int i${L} __attribute__((vector_size(${4 * L})));
typedef unsigned u${L} __attribute__((vector_size(${4 * L})));
typedef float f${L}_at __attribute__((vector_size(${4 * L}), aligned(4), may_alias));
static inline f${L} all${L}(float x) { return x - (f${L}){}; }
static inline f${L} bits${L}(unsigned x) { return (f${L})(x - (u${L}){}); }
static inline f${L} load${L}(const float *p) { return *(const f${L}_at *)p; }
static inline void store${L}(float *p, f${L} v) { *(f${L}_at *)p = v; }
static inline f${L} loadn${L}(const float *p, long s, int n) {
  f${L} v = {};
  for (int k = 0; k < n; k++) v[k] = p[k * s];
  return v;
}
static inline f${L} at${L}(const float *p, f${L} x, long t, long s, int n) {
  f${L} v = {};
  for (int k = 0; k < n; k++) if (x[k] >= 0) v[k] = p[(long)x[k] * t + k * s];
  return v;
}
static inline void storen${L}(float *p, long s, int n, f${L} v) {
  for (int k = 0; k < n; k++) p[k * s] = v[k];
}
static inline f${L} part${L}(const float *p, int n) {
  ${masked(L).load}
}
static inline void put${L}(float *p, int n, f${L} v) {
  ${masked(L).store}
}
static inline f${L} first${L}(f${L} v, int n, float rest) {
  for (int k = n; k < ${L}; k++) v[k] = rest;
  return v;
}
static inline f${L} choose${L}(f${L} m, f${L} a, f${L} b) {
  return (f${L})(((i${L})m & (i${L})a) | (~(i${L})m & (i${L})b));
}
static inline f${L} root${L}(f${L} v) {
  for (int k = 0; k < ${L}; k++) v[k] = __builtin_sqrtf(v[k]);
  return v;
}
${Object.values(combinations)
  .map(
    ({ name, of }) => `static inline f${L} ${name}${L}(f${L} a, f${L} b) { return ${of(L)}; }
static inline float ${name}Along${L}(f${L} v) {
  for (int h = ${L / 2}; h > 0; h /= 2)
    for (int k = 0; k < h; k++) v[k] = ${name}(v[k], v[k + h]);
  return v[0];
}
`,
  )
  .join('')}`;

/** As GCC says it of itself. */
const sanitizer = `#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
`;

export const vectorSource = (lengths: readonly number[]): string =>
  [sanitizer, scalars, ...[...new Set(lengths)].map(ofLength)].join('');

/** `width` numbers from a place on, `stride` apart, on the first of L lanes. */
export const loadOf = (L: number, place: string, stride: number, width: number): string =>
  stride !== 1
    ? `loadn${L}(${place}, ${stride}, ${width})`
    : width === L
      ? `load${L}(${place})`
      : `part${L}(${place}, ${width})`;

/** The statement that stores what `loadOf` loads. */
export const storeOf = (L: number, place: string, stride: number, width: number, value: string): string =>
  stride !== 1
    ? `storen${L}(${place}, ${stride}, ${width}, ${value});`
    : width === L
      ? `store${L}(${place}, ${value});`
      : `put${L}(${place}, ${width}, ${value});`;

/** A float32 as C writes it. */
export const literal = (value: number): string => {
  const x = Math.fround(value);
  if (Number.isNaN(x)) return '__builtin_nanf("")';
  if (!Number.isFinite(x)) return x > 0 ? '__builtin_inff()' : '-__builtin_inff()';
  const digits = Object.is(x, -0) ? '-0.0' : x.toPrecision(9);
  return `${/[.e]/.test(digits) ? digits : `${digits}.0`}f`;
};
