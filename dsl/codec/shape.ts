/** Shapes as arrays of sizes. */
import * as t from 'io-ts/lib/index.js';
import type { Shape } from '../shape.js';
import type { Codec } from './codec.js';
import { codec, list } from './codec.js';
import { nonNegativeInteger, positiveInteger } from './primitive.js';

const MAX_AXES = 6;

const sizes = (name: string, size: Codec<number>, atLeast: number): Codec<Shape> => {
  const any = list(name, () => size, atLeast);
  return codec<Shape>(
    name,
    (u, context) =>
      Array.isArray(u) && u.length > MAX_AXES ? t.failure(u, context) : any.validate(u, context),
    any.encode,
  );
};

/** The shape of data and of a network's input: 1 to 6 axes. */
export const exampleShapeCodec = sizes(`an array of 1 to ${MAX_AXES} positive integers`, positiveInteger, 1);

/** Any shape, a scalar's `[]` too. */
export const shapeCodec = sizes(`an array of at most ${MAX_AXES} positive integers`, positiveInteger, 0);

/** Places along each axis: where a slice begins, how much a pad adds. */
export const offsetsCodec = sizes(
  `an array of at most ${MAX_AXES} non-negative integers`,
  nonNegativeInteger,
  0,
);
