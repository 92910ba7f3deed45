/** Which layers have an inverse, and the shapes they lead to. */
import type { BijectorLayer, Layer, Part } from '../grammar.js';
import { elementAt, last } from '../lookup.js';
import type { Shape } from '../shape.js';
import { sameShape, showShape, sizeOf } from '../shape.js';

/** Layers of both kinds of network that a flow may hold: they move numbers and keep volumes. */
type Rearrangement = Extract<Layer, { readonly tag: 'flatten' | 'reshape' }>;

/** A layer with an inverse. */
export type Invertible = BijectorLayer | Rearrangement;

const invertibleTags: readonly string[] = [
  'coupling',
  'elementwise',
  'permutation',
  'luLinear',
  'squeeze',
  'factorOut',
  'inverse',
  'inject',
  'bijection',
  'flatten',
  'reshape',
] satisfies readonly Invertible['tag'][];

export const isInvertible = (layer: Layer): layer is Invertible => invertibleTags.includes(layer.tag);

/** Number of channels, the last axis, in the part that a coupling transforms. */
export const partSize = (part: Part, channels: number): number =>
  part === 'first' ? Math.floor(channels / 2) : Math.ceil(channels / 2);

/** The shape that an invertible layer leads to, or what it expects instead, in words. */
export const shapeAfter = (layer: Invertible, shape: Shape): Shape | string => {
  const channels = shape.at(-1) ?? 0;
  switch (layer.tag) {
    case 'coupling':
      return shape.length === 1 || shape.length === 3
        ? channels >= 2
          ? shape
          : 'at least two channels: one part conditions the other'
        : 'a vector [n] or an image [h,w,c]';
    case 'luLinear':
      return shape.length === 1 || shape.length === 3 ? shape : 'a vector [n] or an image [h,w,c]';
    case 'elementwise':
    case 'permutation':
      return shape.length > 0 ? shape : 'at least one axis';
    case 'squeeze': {
      const [h, w, c] = shape;
      return h !== undefined &&
        w !== undefined &&
        c !== undefined &&
        shape.length === 3 &&
        h % layer.size === 0 &&
        w % layer.size === 0
        ? [h / layer.size, w / layer.size, c * layer.size ** 2]
        : `an image [h,w,c] whose sides divide by ${layer.size}`;
    }
    case 'factorOut': {
      if (shape.length === 0 || channels < 2) return 'at least two channels: one half is done';
      const inner = shapesAlong(layer.layers, halfOf(shape));
      return inner.tag === 'shapes' ? [sizeOf(shape)] : `a half that fits inside: ${inner.expected}`;
    }
    case 'inverse': {
      const inner = shapesAlong(layer.layers, layer.input);
      if (inner.tag === 'misfit') return `layers that fit ${showShape(layer.input)}: ${inner.expected}`;
      const given = last(inner.shapes);
      return sameShape(shape, given)
        ? layer.input
        : `${showShape(given)}, which the layers inverted here give`;
    }
    case 'inject':
      return shape.length === 1 && sizeOf(shape) <= layer.units
        ? [layer.units]
        : `a vector of at most ${layer.units}`;
    case 'bijection':
      return sameShape(shape, layer.input)
        ? layer.output
        : `${showShape(layer.input)}, as ${layer.name} is written for`;
    case 'flatten':
      return [sizeOf(shape)];
    case 'reshape':
      return sizeOf(layer.shape) === sizeOf(shape)
        ? layer.shape
        : `${sizeOf(layer.shape)} elements to make ${showShape(layer.shape)} of`;
  }
};

/** What goes on through the layers of a `factorOut`. */
export const halfOf = (shape: Shape): Shape => [...shape.slice(0, -1), partSize('first', last(shape))];

/** The shapes before, between and after layers; or the first layer that does not fit, and what it expects. */
export type ShapesAlong =
  | { readonly tag: 'shapes'; readonly shapes: readonly Shape[] }
  | { readonly tag: 'misfit'; readonly layer: number; readonly found: string; readonly expected: string };

export const shapesAlong = (layers: readonly Layer[], input: Shape): ShapesAlong =>
  layers.reduce<ShapesAlong>(
    (along, layer, i) => {
      if (along.tag === 'misfit') return along;
      const before = elementAt(along.shapes, i);
      const after = isInvertible(layer) ? shapeAfter(layer, before) : 'a layer with an inverse';
      return typeof after === 'string'
        ? {
            tag: 'misfit',
            layer: i,
            found: isInvertible(layer) ? `an input of shape ${showShape(before)}` : layer.tag,
            expected: after,
          }
        : { tag: 'shapes', shapes: [...along.shapes, after] };
    },
    { tag: 'shapes', shapes: [input] },
  );
