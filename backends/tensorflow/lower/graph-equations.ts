/** Programs as nodes of a graph, one equation after the other. */
import { getFrom } from '../../../dsl/lookup.js';
import type { Program, Var } from '../../../compiler/ir/program.js';
import { physicalShape } from '../../../compiler/ir/type.js';
import type { GraphBuilder } from './graph-builder.js';
import { select } from './graph-idioms.js';
import { lowerToGraph } from './graph-rules.js';
import { materialised, type Value } from './graph-value.js';

/** Equations as nodes, on binders that are nodes already; gives the outputs, written out in full, and the values that are asked for beside them. */
export const lowerEquations = (
  graph: GraphBuilder,
  program: Program,
  bound: ReadonlyMap<string, string>,
  batch: number,
  { portable = false, also = [] }: { readonly portable?: boolean; readonly also?: readonly Var[] } = {},
) => {
  const values = new Map<number, Value>(
    program.binders.map(({ name, var: x }) => [
      x.id,
      { node: getFrom(bound, name), shape: physicalShape(x.type, batch) },
    ]),
  );
  const value = ({ id }: Var): Value => {
    const found = values.get(id);
    if (found === undefined) throw new Error(`variable ${id} has no node`);
    return found;
  };
  // A constant that fills a batch of unknown size takes it from here.
  const like = [...values.values()].find(({ shape }) => shape[0] === -1);
  const written = (x: Var): Value => materialised(graph, value(x), physicalShape(x.type, batch), like);
  for (const { eq, idiom } of select(program, portable, also)) {
    values.set(
      eq.out.id,
      idiom === null
        ? lowerToGraph(
            graph,
            eq,
            eq.inputs.map(value),
            batch,
            (...inside) => lowerEquations(...inside, { portable }).outputs,
            like,
          )
        : idiom.lower(graph, { value, written }),
    );
  }
  return {
    written,
    outputs: program.outputs.map((o) => ({ kind: o.kind, name: o.name, ...written(o.var) })),
  };
};
