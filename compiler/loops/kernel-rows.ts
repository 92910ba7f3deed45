/** Kernels of products and convolutions take rows: a vector or image that the batch shares is given to them as one row. */
import type { BilinearName } from '../ir/primitives/bilinear.js';

const ranks: { readonly [P in BilinearName]: number } = {
  linear: 2,
  linearInput: 2,
  linearFilter: 2,
  conv: 4,
  convInput: 4,
  convFilter: 4,
};

/** The physical shape of an operand or result with its axis of rows. */
export const withRows = (primitive: BilinearName, shape: readonly number[]): readonly number[] =>
  shape.length < ranks[primitive] ? [1, ...shape] : shape;
