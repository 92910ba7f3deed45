/** A perceptron x ↦ tanh(xA + a)·B + b and its Jacobian, by plain loops over the arrays that a program is fed. */
import { atLeast, elementAt, float64At } from '../../dsl/lookup.js';
import type { Arrays } from '../../compiler/ir/interpret.js';
import { arrayOf } from './expressions.js';

export type Vector = readonly number[];

/** y = xW + b for a row-major W [n,m]. */
const affine = (x: Vector, W: Float64Array, b: Float64Array): Vector =>
  [...b].map((bias, j) =>
    x.reduce((total, value, i) => total + value * float64At(W, i * b.length + j), bias),
  );

export type Perceptron = {
  readonly value: (x: Vector) => Vector;
  /** A row for each output: ∂y_j/∂x_i. */
  readonly jacobian: (x: Vector) => readonly Vector[];
};

/** `first` and `last` are the names of its two dense layers. */
export const perceptron = (arrays: Arrays, first: string, last: string): Perceptron => {
  const [A, a, B, b] = atLeast(
    4,
    [first, last].flatMap((layer) => [arrayOf(arrays, `${layer}/kernel`), arrayOf(arrays, `${layer}/bias`)]),
  );
  const hidden = (x: Vector): Vector => affine(x, A, a).map(Math.tanh);
  return {
    value: (x) => affine(hidden(x), B, b),
    jacobian: (x) => {
      const slopes = hidden(x).map((t) => 1 - t * t);
      return [...b].map((_b, j) =>
        x.map((_x, i) =>
          slopes.reduce(
            (total, s, k) => total + float64At(A, i * a.length + k) * s * float64At(B, k * b.length + j),
            0,
          ),
        ),
      );
    },
  };
};

export const dotOf = (a: Vector, b: Vector): number =>
  a.reduce((total, value, i) => total + value * elementAt(b, i), 0);

export const squareOf = (a: Vector): number => dotOf(a, a);

export const minus = (a: Vector, b: Vector): Vector => a.map((value, i) => value - elementAt(b, i));

/** J·v, J by its rows. */
export const along = (J: readonly Vector[], v: Vector): Vector => J.map((row) => dotOf(row, v));

/** Jᵀ·w. */
export const across = (J: readonly Vector[], w: Vector): Vector =>
  elementAt(J, 0).map((_, i) =>
    dotOf(
      J.map((row) => elementAt(row, i)),
      w,
    ),
  );

export const meanOf = (values: Vector): number =>
  values.reduce((total, value) => total + value, 0) / values.length;
