/** Conjugate gradients as a loop of TensorFlow's own nodes. */
import { atLeast, elementAt, internalError } from '../../../dsl/lookup.js';
import type { GraphAttribute } from '../graph.js';
import type { Operands } from '../../../compiler/ir/arity.js';
import type { EquationOf, Program } from '../../../compiler/ir/program.js';
import { physicalShape } from '../../../compiler/ir/type.js';
import { carriedBy, roundOf } from '../../../compiler/loops/conjugate-gradients.js';
import { float, type GraphBuilder, insideLoop, int32 } from './graph-builder.js';
import { materialised, type Value } from './graph-value.js';

/** Writes a program on binders that are nodes already; gives its outputs. */
export type LowerInside = (
  graph: GraphBuilder,
  program: Program,
  bound: ReadonlyMap<string, string>,
  batch: number,
) => readonly { readonly name: string; readonly node: string }[];

/** `while (running > 0.5 && i < iterations)` in TensorFlow's own nodes: Enter, Merge, Switch, NextIteration, Exit. */
export const lowerSolve = (
  graph: GraphBuilder,
  eq: EquationOf<'solveSPD'>,
  [b, ...captured]: Operands<'solveSPD', Value>,
  batch: number,
  inside: LowerInside,
  like: Value = b,
): Value => {
  const frame = `conjugate_gradients_${graph.nodes().length}`;
  const shape = physicalShape(elementAt(eq.inputs, 0).type, batch);
  const enter = (node: string, type: GraphAttribute, constant: boolean): string =>
    graph.node('Enter', [node], {
      T: type,
      frame_name: { tag: 'string', value: frame },
      is_constant: { tag: 'bool', value: constant },
      parallel_iterations: { tag: 'int', value: 1 },
    });
  const zeros = (of: readonly number[]): string =>
    materialised(graph, { node: graph.floats([0], []), shape: [] }, of, like).node;
  const right = materialised(graph, b, shape, like).node;
  const variables = [
    { name: 'i', type: int32, first: graph.int(0) },
    { name: 'running', type: float, first: graph.floats([1], []) },
    ...carriedBy(eq).map(({ name, type, begins }) => ({
      name,
      type: float,
      first: begins === 'b' ? right : zeros(physicalShape(type, batch)),
    })),
  ].map(({ name, type, first }) => {
    const next = `${frame}/${name}`;
    const inputs = [enter(first, type, false), graph.nameOf(next)];
    return {
      name,
      type,
      next,
      merged: graph.node('Merge', inputs, { T: type, N: { tag: 'int', value: 2 } }),
    };
  });
  const [counter, running] = atLeast(2, variables);
  const head = insideLoop(graph, counter.merged);
  const more = head.node('Less', [counter.merged, head.int(eq.params.iterations)], { T: int32 });
  const unfinished = head.node('Greater', [running.merged, head.floats([0.5], [])], { T: float });
  const condition = head.node('LoopCond', [head.node('LogicalAnd', [more, unfinished])]);
  const switched = variables.map(({ name, type, next, merged }) => {
    const either = graph.node('Switch', [merged, condition], { T: type });
    return { name, type, next, either, taken: graph.node('Identity', [`${either}:1`], { T: type }) };
  });
  const { taken: count } = elementAt(switched, 0);
  const result = carriedBy(eq).find(({ isResult }) => isResult)?.name;
  const { either } =
    switched.find(({ name }) => name === result) ?? internalError('a solver carries no result');
  const body = insideLoop(graph, count);
  const values = captured.map(
    (x, i) => materialised(graph, x, physicalShape(elementAt(eq.inputs, i + 1).type, batch), like).node,
  );
  const round = roundOf(eq, batch);
  const carried = new Map(switched.map(({ name, taken }) => [name, taken]));
  const kept = round.binders.slice(carriedBy(eq).length).map(({ name }) => name);
  const bound = [right, ...values].map((node, i) => [elementAt(kept, i), enter(node, float, true)] as const);
  const results = new Map([
    ...inside(body, round, new Map([...carried, ...bound]), batch).map(
      ({ name, node }) => [name, node] as const,
    ),
    ['i', body.node('AddV2', [count, body.int(1)], { T: int32 })] as const,
  ]);
  for (const { name, type, next } of switched) {
    const after = results.get(name) ?? internalError(`a solver's round leaves no ${name}`);
    graph.node('NextIteration', [after], { T: type }, next);
  }
  return { node: graph.node('Exit', [either], { T: float }), shape: physicalShape(eq.out.type, batch) };
};
