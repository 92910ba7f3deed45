/** Lowers programs over one state to a single TensorFlow graph: state in variables, one signature for each program. */
import type { Graph, GraphNode, Signature } from '../graph.js';
import type { Program } from '../program.js';
import { physicalShape } from '../type.js';
import { bool, createGraphBuilder, float, type GraphBuilder, graphName } from './graph-builder.js';
import { lowerEquations } from './graph-equations.js';

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

const read = (graph: GraphBuilder, handle: string): string =>
  graph.node('ReadVariableOp', [handle], { dtype: float });

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
  const inputs = program.binders
    .filter(({ name }) => !state.has(name))
    .map(({ name, var: x }) => {
      const shape = physicalShape(x.type, program.batch);
      return { name, shape, node: placeholder(graph, name, shape) };
    });
  const reads = new Map(
    program.binders
      .filter(({ name }) => state.has(name))
      .map(({ name, var: x }) => [name, read(graph, handleOf(graph, name, x.type.shape))]),
  );
  const fed = inputs.map(({ name, node }) => [name, node] as const);
  const outputs = lowerEquations(graph, program, new Map([...reads, ...fed]), program.batch);
  const next = outputs
    .filter((o) => o.kind === 'next')
    .map(({ name, node, shape }) => {
      const handle = handleOf(graph, name, shape);
      return { handle, reads: reads.get(name) ?? read(graph, handle), value: node };
    });
  const results = outputs.filter((o) => o.kind === 'value');
  const commit = results.find((r) => r.name === 'commit')?.node ?? graph.floats([1], []);
  const after = next.length === 0 ? [] : [commitState(graph, commit, next)];
  const fetched = results.map(({ name, node, shape }) => ({
    name,
    shape,
    node: fetch(graph, name, node, after),
  }));
  return { nodes: graph.nodes(), signature: { name: program.name, inputs, outputs: fetched } };
};

/** `state` gives the shape of every variable. Signatures: `init`, `read`, and one for each program under its name. */
export const lowerGraph = (programs: Iterable<Program>, state: State): Graph => {
  const parts = [initialise(state), readAll(state), ...[...programs].map((p) => lowerProgram(p, state))];
  return { nodes: parts.flatMap((p) => p.nodes), signatures: parts.map((p) => p.signature) };
};

/** A size known only when the graph runs. */
const anyBatch = -1;

/**
 * A program with its state written in as constants and any batch size: what is exported. One signature, the program's own
 * name, or `signature` in its place.
 */
export const lowerFrozen = (
  program: Program,
  state: ReadonlyMap<string, ArrayLike<number>>,
  signature = program.name,
): Graph => {
  const graph = createGraphBuilder(graphName(program.name));
  const fed = program.binders.filter(({ name }) => !state.has(name));
  const inputs = fed.map(({ name, var: x }) => {
    const shape = physicalShape(x.type, anyBatch);
    return { name, shape, node: placeholder(graph, name, shape) };
  });
  const weights = program.binders.flatMap(({ name, var: x }) => {
    const values = state.get(name);
    return values === undefined ? [] : [[name, graph.floats(values, x.type.shape, name)] as const];
  });
  const bound = new Map([...weights, ...inputs.map(({ name, node }) => [name, node] as const)]);
  const outputs = lowerEquations(graph, program, bound, anyBatch).map(({ name, node, shape }) => ({
    name,
    shape,
    node: fetch(graph, name, node),
  }));
  return { nodes: graph.nodes(), signatures: [{ name: signature, inputs, outputs }] };
};
