/** Conjugate gradients as a loop of TensorFlow's own nodes. */
import { atLeast, elementAt, getFrom, internalError } from '../../../dsl/lookup.js';
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
const loopOf = (
  graph: GraphBuilder,
  eq: EquationOf<'solveSPD'>,
  { right, values }: { readonly right: string; readonly values: readonly string[] },
  batch: number,
  inside: LowerInside,
  zeros: (shape: readonly number[]) => string,
): ReadonlyMap<string, string> => {
  const frame = `conjugate_gradients_${graph.nodes().length}`;
  const enter = (node: string, type: GraphAttribute, constant: boolean): string =>
    graph.node('Enter', [node], {
      T: type,
      frame_name: { tag: 'string', value: frame },
      is_constant: { tag: 'bool', value: constant },
      parallel_iterations: { tag: 'int', value: 1 },
    });
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
  const body = insideLoop(graph, count);
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
  const carriedAtEnd = switched.slice(2);
  return new Map(carriedAtEnd.map(({ name, either }) => [name, graph.node('Exit', [either], { T: float })]));
};

/** The loop of a system, made once for all that is asked of it. */
export const lowerSolve = (
  graph: GraphBuilder,
  eq: EquationOf<'solveSPD'>,
  [b, ...captured]: Operands<'solveSPD', Value>,
  batch: number,
  inside: LowerInside,
  like: Value = b,
): Value => {
  const written = (x: Value, shape: readonly number[]): string => materialised(graph, x, shape, like).node;
  const zeros = (shape: readonly number[]): string =>
    written({ node: graph.floats([0], []), shape: [] }, shape);
  const shapeOf = (i: number): readonly number[] => physicalShape(elementAt(eq.inputs, i).type, batch);
  const given = {
    right: written(b, shapeOf(0)),
    values: captured.map((x, i) => written(x, shapeOf(i + 1))),
  };
  const carried = carriedBy(eq);
  const { operator, iterations, tolerance } = eq.params;
  const system = [operator, iterations, tolerance, carried.map(({ name }) => name), given];
  const results = graph.once(system, () => loopOf(graph, eq, given, batch, inside, zeros));
  const result =
    carried.find(({ isResult }) => isResult)?.name ?? internalError('a solver carries no result');
  return { node: getFrom(results, result), shape: physicalShape(eq.out.type, batch) };
};
