/** Sums of two values, in the order that the program has them. */
import { float, type GraphBuilder } from './graph-builder.js';

/**
 * TensorFlow's optimizer of graphs joins sums of sums into one AddN, and AddN begins with whichever of its inputs it may overwrite at
 * that moment: with three or more, the order of summing depends on which of their other readers are done. With this mark, its own for
 * what it has looked at already, a sum stays as it is.
 */
const asWritten = { _grappler_ArithmeticOptimizer_AddOpsRewriteStage: { tag: 'bool', value: true } } as const;

/** a + b, the smaller of the two broadcast. */
export const sum = (graph: GraphBuilder, a: string, b: string): string =>
  graph.node('AddV2', [a, b], { T: float, ...asWritten });
