/** Lowers programs over one state to a single TensorFlow graph: state in variables, one signature for each program. */
import type { Graph, GraphNode, Port, Signature } from '../graph.js';
import type { Program } from '../program.js';
import { physicalShape } from '../type.js';
import { bool, createGraphBuilder, float, type GraphBuilder, graphName } from './graph-builder.js';
import { lowerToGraph, materialised, type Value } from './graph-rules.js';

type State = ReadonlyMap<string, readonly number[]>;

const handleOf = (graph: GraphBuilder, name: string, shape: readonly number[]): string =>
  graph.node('VarHandleOp', [], {
    dtype: float,
    shape: { tag: 'shape', value: shape },
    shared_name: { tag: 'string', value: name },
    container: { tag: 'string', value: '' },
  });

const placeholder = (graph: GraphBuilder, name: string, shape: readonly number[]): string =>
  graph.node('Placeholder', [], { dtype: float, shape: { tag: 'shape', value: shape } }, `feed/${name}`);

const read = (graph: GraphBuilder, handle: string): string => graph.node('ReadVariableOp', [handle], { dtype: float });

const fetch = (graph: GraphBuilder, name: string, node: string, after: readonly string[] = []): string =>
  graph.node('Identity', [node, ...after.map((control) => `^${control}`)], { T: float }, `fetch/${name}`);

type Part = { readonly nodes: readonly GraphNode[]; readonly signature: Signature };

/** Fills every variable from what is fed. */
const initialise = (state: State): Part => {
  const graph = createGraphBuilder('init');
  const inputs = [...state].map(([name, shape]) => ({ name, shape, node: placeholder(graph, name, shape) }));
  const assigned = inputs.map(({ name, shape, node }) =>
    graph.node('AssignVariableOp', [handleOf(graph, name, shape), node], { dtype: float }),
  );
  const done = fetch(graph, 'done', graph.floats([1], []), assigned);
  return {
    nodes: graph.nodes(),
    signature: { name: 'init', inputs, outputs: [{ name: 'done', node: done, shape: [] }] },
  };
};

/** Fetches every variable. */
const readAll = (state: State): Part => {
  const graph = createGraphBuilder('read');
  const outputs = [...state].map(([name, shape]) => ({
    name,
    shape,
    node: fetch(graph, name, read(graph, handleOf(graph, name, shape))),
  }));
  return { nodes: graph.nodes(), signature: { name: 'read', inputs: [], outputs } };
};

/**
 * Assigns the next state behind a switch, so that nothing is assigned unless `commit` holds; gives the node that is done
 * when the assignments are. A value that does not pass the switch is dead and its assignment never runs.
 */
const commitState = (
  graph: GraphBuilder,
  commit: string,
  next: readonly { readonly handle: string; readonly reads: string; readonly value: string }[],
): string => {
  const holds = graph.node('Greater', [commit, graph.floats([0.5], [])], { T: float });
  const assigned = next.map(({ handle, reads, value }) => {
    const passed = graph.node('Switch', [value, holds], { T: float });
    return graph.node('AssignVariableOp', [handle, `${passed}:1`, `^${reads}`], { dtype: float });
  });
  const token = graph.node('Switch', [holds, holds], { T: bool });
  const taken = graph.node('Identity', [`${token}:1`, ...assigned.map((node) => `^${node}`)], { T: bool });
  const left = graph.node('Identity', [token], { T: bool });
  return graph.node('Merge', [taken, left], { T: bool, N: { tag: 'int', value: 2 } });
};

const lowerProgram = (program: Program, state: State): Part => {
  const graph = createGraphBuilder(graphName(program.name));
  const { batch } = program;
  const values = new Map<number, Value>();
  const valueOf = (id: number): Value => {
    const value = values.get(id);
    if (value === undefined) throw new Error(`variable ${id} has no node`);
    return value;
  };
  const inputs: Port[] = [];
  const reads = new Map<string, string>();
  const readState = (name: string, shape: readonly number[]): string => {
    const node = read(graph, handleOf(graph, name, shape));
    reads.set(name, node);
    return node;
  };
  for (const { name, var: x } of program.binders) {
    const shape = physicalShape(x.type, batch);
    if (!state.has(name)) inputs.push({ name, shape, node: placeholder(graph, name, shape) });
    values.set(x.id, { shape, node: state.has(name) ? readState(name, shape) : inputs[inputs.length - 1].node });
  }
  for (const eq of program.equations) {
    values.set(eq.out.id, lowerToGraph(graph, eq, eq.inputs.map((x) => valueOf(x.id)), batch));
  }
  const finished = (x: Program['outputs'][number]): Value =>
    materialised(graph, valueOf(x.var.id), physicalShape(x.var.type, batch));
  const results = program.outputs.filter((o) => o.kind === 'value').map((o) => ({ name: o.name, ...finished(o) }));
  const next = program.outputs
    .filter((o) => o.kind === 'next')
    .map((o) => {
      const { node, shape } = finished(o);
      const known = reads.get(o.name) ?? readState(o.name, shape);
      return { handle: handleOf(graph, o.name, shape), reads: known, value: node };
    });
  const commit = results.find((r) => r.name === 'commit')?.node ?? graph.floats([1], []);
  const after = next.length === 0 ? [] : [commitState(graph, commit, next)];
  const outputs = results.map(({ name, node, shape }) => ({ name, shape, node: fetch(graph, name, node, after) }));
  return { nodes: graph.nodes(), signature: { name: program.name, inputs, outputs } };
};

/** `state` gives the shape of every variable. Signatures: `init`, `read`, and one for each program under its name. */
export const lowerGraph = (programs: Iterable<Program>, state: State): Graph => {
  const parts = [initialise(state), readAll(state), ...[...programs].map((p) => lowerProgram(p, state))];
  return { nodes: parts.flatMap((p) => p.nodes), signatures: parts.map((p) => p.signature) };
};
