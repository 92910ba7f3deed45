/** Sums of two values, in the order that the program has them, reductions along axes and products of matrices. */
import { float, type GraphBuilder, int32 } from './graph-builder.js';
import type { Value } from './graph-value.js';

const T = { T: float } as const;

/**
 * TensorFlow's optimizer of graphs joins sums of sums into one AddN, and AddN begins with whichever of its inputs it may overwrite at
 * that moment: with three or more, the order of summing depends on which of their other readers are done. With this mark, its own for
 * what it has looked at already, a sum stays as it is.
 */
const asWritten = { _grappler_ArithmeticOptimizer_AddOpsRewriteStage: { tag: 'bool', value: true } } as const;

/** a + b, the smaller of the two broadcast. */
export const sum = (graph: GraphBuilder, a: string, b: string): string =>
  graph.node('AddV2', [a, b], { T: float, ...asWritten });

/** One operator between all elements along axes, which disappear. */
export const reduced = (graph: GraphBuilder, op: string, x: string, axes: readonly number[]): string =>
  graph.node(op, [x, graph.ints(axes)], {
    T: float,
    Tidx: int32,
    keep_dims: { tag: 'bool', value: false },
  });

/** A product of matrices, either transposed. */
export const matmul = (
  graph: GraphBuilder,
  a: Value,
  b: Value,
  ta: boolean,
  tb: boolean,
  shape: readonly number[],
): Value => ({
  node: graph.node('MatMul', [a.node, b.node], {
    ...T,
    transpose_a: { tag: 'bool', value: ta },
    transpose_b: { tag: 'bool', value: tb },
  }),
  shape,
});
