/** Shapes of one example as literal tuples, and the arithmetic on them that TypeScript can follow. */

/** Sizes of one example along each axis; the batch axis is never written. `readonly []` is a scalar. */
export type Shape = readonly number[];

export type Scalar = readonly [];

/**
 * What a value's type remembers of its shape. A size that the type checker lost (`number`) fits any other;
 * the compiler checks it again with the real sizes.
 */
export type Known<S extends Shape> = {
  readonly [K in keyof S]: number extends S[K] ? any : S[K]; // eslint-disable-line @typescript-eslint/no-explicit-any -- the one place where a lost size is made to fit
};

/** ceil(n / 2) for the sizes that image networks meet. */
type Halves = {
  1: 1; 2: 1; 3: 2; 4: 2; 5: 3; 6: 3; 7: 4; 8: 4; 9: 5; 10: 5; 11: 6; 12: 6; 13: 7; 14: 7; 15: 8; 16: 8;
  20: 10; 24: 12; 25: 13; 28: 14; 32: 16; 40: 20; 48: 24; 50: 25; 56: 28; 64: 32; 80: 40; 96: 48; 100: 50;
  112: 56; 128: 64; 160: 80; 192: 96; 224: 112; 256: 128; 512: 256;
}; // prettier-ignore

/** 2n for the same sizes. */
type Doubles = {
  1: 2; 2: 4; 3: 6; 4: 8; 5: 10; 6: 12; 7: 14; 8: 16; 9: 18; 10: 20; 12: 24; 14: 28; 16: 32; 20: 40; 24: 48;
  25: 50; 28: 56; 32: 64; 40: 80; 48: 96; 50: 100; 56: 112; 64: 128; 80: 160; 96: 192; 100: 200; 112: 224;
  128: 256; 256: 512;
}; // prettier-ignore

/** Size after stride S with 'same' padding: ceil(n / S). */
export type Strided<N extends number, S extends number> = S extends 1
  ? N
  : S extends 2
    ? N extends keyof Halves
      ? Halves[N]
      : number
    : S extends 4
      ? Strided<Strided<N, 2>, 2>
      : number;

/** Size after enlarging by S: n · S. */
export type Enlarged<N extends number, S extends number> = S extends 1
  ? N
  : S extends 2
    ? N extends keyof Doubles
      ? Doubles[N]
      : number
    : S extends 4
      ? Enlarged<Enlarged<N, 2>, 2>
      : number;

/** Number of elements: the product of the sizes, 1 for a scalar. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** Whether two shapes have the same sizes in the same order. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** `[28,28,1]`, and `scalar` for the empty shape. */
export const showShape = (shape: Shape): string => (shape.length === 0 ? 'scalar' : `[${shape.join(',')}]`);
