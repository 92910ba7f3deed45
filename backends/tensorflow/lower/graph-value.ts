/** Values in a graph under construction: repeated ones stay small until something needs them written out. */
import { atLeast } from '../../../dsl/lookup.js';
import type { GraphAttribute } from '../graph.js';
import { bool, float, type GraphBuilder, int32 } from './graph-builder.js';

/**
 * A node's output; its own shape has size 1 along axes where the variable repeats, and lacks leading ones. A size of −r is r rows for
 * each example of a batch of unknown size.
 */
export type Value = { readonly node: string; readonly shape: readonly number[] };

const T = { T: float } as const;

/** Unknown sizes as TensorFlow writes them where they follow from what is given. */
export const openSizes = (shape: readonly number[]): readonly number[] => shape.map((n) => Math.max(n, -1));

export const reshaped = (graph: GraphBuilder, x: Value, shape: readonly number[]): Value =>
  x.shape.join() === shape.join() && x.shape.length === shape.length
    ? x
    : {
        node: graph.node('Reshape', [x.node, graph.ints(openSizes(shape))], { ...T, Tshape: int32 }),
        shape,
      };

/** A shape as a tensor; a batch of unknown size is read off a value that has it. */
export const shapeTensor = (graph: GraphBuilder, shape: readonly number[], like: Value): string => {
  if (shape.every((n) => n >= 0)) return graph.ints(shape);
  const own = graph.node('Shape', [like.node], { ...T, out_type: int32 });
  const none: GraphAttribute = { tag: 'int', value: 0 };
  const batch = graph.node('StridedSlice', [own, graph.ints([0]), graph.ints([1]), graph.ints([1])], {
    T: int32,
    Index: int32,
    begin_mask: none,
    end_mask: none,
    ellipsis_mask: none,
    new_axis_mask: none,
    shrink_axis_mask: { tag: 'int', value: 1 },
  });
  const [rows] = atLeast(1, like.shape);
  const sizes = shape.map((n) =>
    n >= 0
      ? graph.int(n)
      : n === rows
        ? batch
        : graph.node('Mul', [batch, graph.int(n / rows)], { T: int32 }),
  );
  return graph.node('Pack', sizes, { T: int32, N: { tag: 'int', value: sizes.length }, axis: none });
};

/** The value with every repetition written out; `like` has the batch where it is not known. */
export const materialised = (
  graph: GraphBuilder,
  x: Value,
  shape: readonly number[],
  like: Value = x,
): Value => {
  if (x.shape.join() === shape.join() && x.shape.length === shape.length) return x;
  const sizes = shapeTensor(graph, shape, like);
  return { node: graph.node('BroadcastTo', [x.node, sizes], { ...T, Tidx: int32 }), shape };
};

/** The shape that shapes give together, as TensorFlow broadcasts. */
export const broadcastShape = (shapes: readonly (readonly number[])[]): readonly number[] => {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) =>
    shapes.map((s) => s[s.length - rank + i] ?? 1).reduce((a, b) => (a === 1 ? b : a)),
  );
};

/** A shape with ones before it. */
export const aligned = (shape: readonly number[], rank: number): readonly number[] => [
  ...new Array<number>(rank - shape.length).fill(1),
  ...shape,
];

/** 1 where a comparison holds, else 0. */
export const toFloat = (graph: GraphBuilder, node: string): string =>
  graph.node('Cast', [node], { SrcT: bool, DstT: float, Truncate: { tag: 'bool', value: false } });
