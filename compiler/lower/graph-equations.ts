/** Programs as nodes of a graph, one equation after the other. */
import type { Program } from '../program.js';
import { physicalShape } from '../type.js';
import type { GraphBuilder } from './graph-builder.js';
import { lowerToGraph } from './graph-rules.js';
import { materialised, type Value } from './graph-value.js';

/** Equations as nodes, on binders that are nodes already; gives the outputs, written out in full. */
export const lowerEquations = (
  graph: GraphBuilder,
  program: Program,
  bound: ReadonlyMap<string, string>,
  batch: number,
) => {
  const values = new Map<number, Value>(
    program.binders.map(({ name, var: x }) => [
      x.id,
      { node: bound.get(name) ?? '', shape: physicalShape(x.type, batch) },
    ]),
  );
  const valueOf = (id: number): Value => {
    const value = values.get(id);
    if (value === undefined) throw new Error(`variable ${id} has no node`);
    return value;
  };
  for (const eq of program.equations) {
    const inputs = eq.inputs.map((x) => valueOf(x.id));
    values.set(eq.out.id, lowerToGraph(graph, eq, inputs, batch, lowerEquations));
  }
  return program.outputs.map((o) => ({
    kind: o.kind,
    name: o.name,
    ...materialised(graph, valueOf(o.var.id), physicalShape(o.var.type, batch)),
  }));
};
