/** Random flows whose layers fit: every invertible layer, both transforms, small shapes. */
import { elementAt, last } from '../../dsl/lookup.js';
import { householder, rotation, scaling, translation } from '../../dsl/layers/bijections.js';
import { shapesAlong } from '../../dsl/layers/bijector.js';
import { latent } from '../../dsl/layers/flow.js';
import { glorotUniform } from '../../dsl/layers/initializer.js';
import type { Layer, Transform } from '../../dsl/layers/layer.js';
import type { NetworkValue } from '../../dsl/network.js';
import type { Shape } from '../../dsl/shape.js';
import { sizeOf } from '../../dsl/shape.js';
import { activation, dense } from './network.js';
import type { Tape } from './tape.js';

const transform = (tape: Tape): Transform =>
  tape.below(2) === 0
    ? { tag: 'affine', bound: tape.pick([2, 1]) }
    : {
        tag: tape.pick(['spline', 'circularSpline'] as const),
        bins: tape.pick([4, 2, 5]),
        bound: tape.pick([2, 0.5]),
      };

const pixelwise: Layer = {
  tag: 'conv',
  filters: 2,
  kernel: 2,
  stride: 1,
  padding: 'same',
  bias: true,
  initializer: glorotUniform,
};

const conditioner = (tape: Tape, shape: Shape): readonly Layer[] =>
  tape.below(4) === 0 ? [] : [shape.length === 1 ? dense(3) : pixelwise, activation('tanh')];

const movable = (shape: Shape): boolean => (shape.length === 1 || shape.length === 3) && last(shape) > 1;

/** A layer that bends space and keeps the shape. */
const bent = (tape: Tape, shape: Shape): Layer =>
  movable(shape)
    ? {
        tag: 'coupling',
        transform: transform(tape),
        part: tape.pick(['last', 'first'] as const),
        conditioner: conditioner(tape, shape),
      }
    : { tag: 'elementwise', transform: transform(tape) };

/** A layer that is written as expressions both ways. */
const composed = (tape: Tape, [n = 1]: Shape): Layer => {
  const made = tape.pick([translation, scaling, rotation, () => householder(2)]);
  return elementAt(made()(latent(n)).layers, 0);
};

/** One layer that takes a shape, and keeps every number. */
export const invertibleLayer = (tape: Tape, shape: Shape, depth: number): Layer => {
  const isImage = shape.length === 3;
  switch (tape.below(10)) {
    case 0:
      return { tag: 'elementwise', transform: transform(tape) };
    case 1:
      return tape.below(2) === 0 ? { tag: 'permutation', seed: tape.below(9) } : { tag: 'luLinear' };
    case 2:
      return isImage && shape.slice(0, 2).every((n) => n % 2 === 0)
        ? { tag: 'squeeze', size: 2 }
        : {
            tag: 'reshape',
            shape: sizeOf(shape) % 4 === 0 ? [2, 2, sizeOf(shape) / 4] : [1, 1, sizeOf(shape)],
          };
    case 3:
      return isImage && movable(shape) && depth > 0
        ? {
            tag: 'factorOut',
            layers: flowLayers(
              tape,
              [...shape.slice(0, -1), Math.floor(elementAt(shape, 2) / 2)],
              2,
              depth - 1,
            ),
          }
        : { tag: 'flatten' };
    case 5:
      return shape.length === 1 ? composed(tape, shape) : { tag: 'luLinear' };
    case 4:
      return depth > 0 ? inverted(tape, shape, depth - 1) : { tag: 'permutation', seed: 3 };
    default:
      return bent(tape, shape);
  }
};

/** Layers inverted, where they lead back to the shape that they took. */
const inverted = (tape: Tape, shape: Shape, depth: number): Layer => {
  const layers = flowLayers(tape, shape, 2, depth);
  const along = shapesAlong(layers, shape);
  const given = along.tag === 'shapes' ? elementAt(along.shapes, layers.length) : [];
  return {
    tag: 'inverse',
    input: shape,
    layers: [...layers, ...(given.join() === shape.join() ? [] : [{ tag: 'reshape', shape } as const])],
  };
};

const flowLayers = (tape: Tape, from: Shape, count: number, depth: number): readonly Layer[] =>
  Array.from({ length: count }).reduce<readonly Layer[]>((layers) => {
    const along = shapesAlong(layers, from);
    return along.tag === 'shapes'
      ? [...layers, invertibleLayer(tape, elementAt(along.shapes, layers.length), depth)]
      : layers;
  }, []);

const shapes: readonly Shape[] = [[2], [3], [1], [5], [2, 2, 2], [2, 4, 1], [1, 2, 3]];

/** A bijective flow of 1 to `count` layers. */
export const bijectiveFlow = (tape: Tape, count: number): NetworkValue => {
  const input = tape.pick(shapes);
  return { name: 'flow', input, layers: flowLayers(tape, input, 1 + tape.below(count), 1) };
};

/** An injective flow: [d] → [d + 1 … d + 3], with layers on both sides of the injection. */
export const injectiveFlow = (tape: Tape): NetworkValue => {
  const d = 1 + tape.below(3);
  const units = d + 1 + tape.below(3);
  const bending = (n: number, count: number): readonly Layer[] =>
    Array.from({ length: count }, (_, i) =>
      tape.pick<() => Layer>([
        () => bent(tape, [n]),
        () => bent(tape, [n]),
        () => ({ tag: 'permutation', seed: i }),
        () => ({ tag: 'luLinear' }),
      ])(),
    );
  return {
    name: 'flow',
    input: [d],
    layers: [...bending(d, 2), { tag: 'inject', units }, ...bending(units, 3)],
  };
};

/** The shape that a flow gives. */
export const outputOf = ({ layers, input }: NetworkValue): Shape => {
  const along = shapesAlong(layers, input);
  if (along.tag === 'misfit') throw new Error(`${along.found}, expected ${along.expected}`);
  return elementAt(along.shapes, layers.length);
};
