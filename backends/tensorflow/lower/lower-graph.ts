/** Lowers programs over one state to a single TensorFlow graph: state in variables, one signature for each program. */
import { atLeast, elementAt, getFrom } from '../../../dsl/lookup.js';
import type { Graph, GraphNode, Signature } from '../graph.js';
import { eliminateDeadCode } from '../../../compiler/passes/dce.js';
import type { Program, Var } from '../../../compiler/ir/program.js';
import { physicalShape } from '../../../compiler/ir/type.js';
import { bool, createGraphBuilder, float, type GraphBuilder, graphName } from './graph-builder.js';
import { type AdamUpdate, adamUpdatesIn, readBy, updatedBy } from './graph-adam.js';
import { lowerEquations } from './graph-equations.js';
import { joined } from './graph-idioms.js';
import {
  assignArrays,
  handleOf,
  type Layout,
  layoutOf,
  type Lowered,
  readArrays,
  readOf,
  type State,
} from './graph-state.js';
import type { Value } from './graph-value.js';
import { decomposeSolvers } from './solver-decomposition.js';

const placeholder = (graph: GraphBuilder, name: string, shape: readonly number[]): string =>
  graph.node('Placeholder', [], { dtype: float, shape: { tag: 'shape', value: shape } }, `feed/${name}`);

const fetch = (graph: GraphBuilder, name: string, node: string, after: readonly string[] = []): string =>
  graph.node('Identity', [node, ...after.map((control) => `^${control}`)], { T: float }, `fetch/${name}`);

type Part = { readonly nodes: readonly GraphNode[]; readonly signature: Signature };

/** Fills every variable from what is fed. */
const initialise = (state: State, { variables }: Layout): Part => {
  const graph = createGraphBuilder('init');
  const inputs = [...state].map(([name, shape]) => ({ name, shape, node: placeholder(graph, name, shape) }));
  const fed = new Map(inputs.map(({ name, node }) => [name, node]));
  const assigned = variables.map((variable) =>
    assignArrays(graph, variable, state, (name) => getFrom(fed, name)),
  );
  const done = fetch(graph, 'done', graph.floats([1], []), assigned);
  return {
    nodes: graph.nodes(),
    signature: { name: 'init', inputs, outputs: [{ kind: 'value', name: 'done', node: done, shape: [] }] },
  };
};

/** Fetches every array of the state. */
const readAll = (state: State, { variables }: Layout): Part => {
  const graph = createGraphBuilder('read');
  const arrays = new Map(variables.flatMap((variable) => readArrays(graph, variable, state)));
  const outputs = [...state].map(([name, shape]) => ({
    kind: 'value' as const,
    name,
    shape,
    node: fetch(graph, name, getFrom(arrays, name)),
  }));
  return { nodes: graph.nodes(), signature: { name: 'read', inputs: [], outputs } };
};

/** A change of the state that waits behind the switch: `value` goes in dead unless the step is committed. */
type Change = {
  readonly value: string;
  /** Reads of the state that come first. */
  readonly after: readonly string[];
  readonly apply: (value: string, control: readonly string[]) => string;
};

/**
 * Changes the state behind a switch, so that nothing changes unless `commit` holds; gives the node that is done when the
 * changes are. A value that does not pass the switch is dead and the operation that takes it never runs.
 */
const commitState = (graph: GraphBuilder, commit: string, changes: readonly Change[]): string => {
  const holds = graph.node('Greater', [commit, graph.floats([0.5], [])], { T: float });
  const changed = changes.map(({ value, after, apply }) => {
    const passed = graph.node('Switch', [value, holds], { T: float });
    return apply(
      `${passed}:1`,
      after.map((node) => `^${node}`),
    );
  });
  const token = graph.node('Switch', [holds, holds], { T: bool });
  const taken = graph.node('Identity', [`${token}:1`, ...changed.map((node) => `^${node}`)], { T: bool });
  const left = graph.node('Identity', [token], { T: bool });
  return graph.node('Merge', [taken, left], { T: bool, N: { tag: 'int', value: 2 } });
};

/**
 * Without the equations that one operation for each variable stands for; as it is where the program does not replace what a session
 * holds.
 */
const withOneUpdate = (program: Program, state: State): Lowered => {
  const adam = adamUpdatesIn(program).filter((update) => updatedBy(update).every((name) => state.has(name)));
  const updated = new Set(adam.flatMap(updatedBy));
  const outputs = program.outputs.filter((o) => o.kind !== 'next' || !updated.has(o.name));
  return { ...eliminateDeadCode({ ...program, outputs }, adam.flatMap(readBy)), adam };
};

/**
 * TensorFlow's fused Adam, once for each variable. It adds its ε̂ to the root of the raw second moment, so ε̂ = ε·√(1 − β₂ᵗ) for
 * an ε added to the corrected one.
 */
const adamChanges = (
  graph: GraphBuilder,
  adam: AdamUpdate,
  written: (x: Var) => Value,
  variableOf: (name: string) => SessionVariable,
  isRead: (name: string) => boolean,
): readonly Change[] => {
  const number = (value: number): string => graph.floats([value], []);
  const rate = typeof adam.rate === 'number' ? number(adam.rate) : written(adam.rate).node;
  const [power1, power2] = atLeast(
    2,
    [adam.beta1Power, adam.beta2Power].map((x) => written(x).node),
  );
  const rest = graph.node('Sub', [number(1), power2], { T: float });
  const root = graph.node('Sqrt', [rest], { T: float });
  const epsilon = graph.node('Mul', [number(adam.epsilon), root], { T: float });
  const scalars = [power1, power2, rate, number(adam.beta1), number(adam.beta2), epsilon];
  const no = { tag: 'bool', value: false } as const;
  const variables = [...new Set(adam.targets.map(({ parameter }) => variableOf(parameter)))];
  return variables.map((variable) => {
    const together = adam.targets.filter(({ parameter }) => variableOf(parameter) === variable);
    const { parameter, mean, square } = elementAt(together, 0);
    const gradients = together.map(({ gradient: { of, factor } }): Value => {
      const { node, shape } = written(of);
      return factor === 1
        ? { node, shape }
        : { node: graph.node('Mul', [node, number(factor)], { T: float }), shape };
    });
    return {
      value: together.length === 1 ? elementAt(gradients, 0).node : joined(graph, gradients),
      // Moments that something else reads too are read before they change.
      after: [variable.read, ...[mean, square].filter(isRead).map((name) => variableOf(name).read)],
      apply: (value, control) =>
        graph.node(
          'ResourceApplyAdam',
          [
            ...[parameter, mean, square].map((name) => variableOf(name).handle),
            ...scalars,
            value,
            ...control,
          ],
          { T: float, use_locking: no, use_nesterov: no },
        ),
    };
  });
};

type SessionVariable = { readonly handle: string; readonly read: string };

const lowerProgram = (program: Lowered, state: State, layout: Layout): Part => {
  const graph = createGraphBuilder(graphName(program.name));
  const inputs = program.binders
    .filter(({ name }) => !state.has(name))
    .map(({ name, var: x }) => {
      const shape = physicalShape(x.type, program.batch);
      return { name, shape, node: placeholder(graph, name, shape) };
    });
  const used = new Set(program.binders.flatMap(({ name }) => layout.of.get(name) ?? []));
  const arrays = [...used].flatMap((variable) => readArrays(graph, variable, state));
  const fed = inputs.map(({ name, node }) => [name, node] as const);
  const { outputs, written } = lowerEquations(graph, program, new Map([...arrays, ...fed]), program.batch, {
    also: program.adam.flatMap(readBy),
  });
  const handles = new Map(
    layout.variables.map((variable) => [
      variable,
      { handle: handleOf(graph, variable, state), read: readOf(graph, variable, state) },
    ]),
  );
  const variableOf = (name: string): SessionVariable => {
    const variable = layout.of.get(name);
    const found = variable === undefined ? undefined : handles.get(variable);
    if (found === undefined) throw new Error(`no variable for ${name}`);
    return found;
  };
  const assignments = outputs
    .filter((o) => o.kind === 'next')
    .map(({ name, node }): Change => {
      const { handle, read } = variableOf(name);
      return {
        value: node,
        after: [read],
        apply: (value, control) =>
          graph.node('AssignVariableOp', [handle, value, ...control], { dtype: float }),
      };
    });
  const bound = new Set(program.binders.map(({ name }) => name));
  const updates = program.adam.flatMap((adam) =>
    adamChanges(graph, adam, written, variableOf, (name) => bound.has(name)),
  );
  const changes = [...updates, ...assignments];
  const results = outputs.filter((o) => o.kind !== 'next');
  const commit =
    results.find((r) => r.kind === 'telemetry' && r.name === 'commit')?.node ?? graph.floats([1], []);
  const after = changes.length === 0 ? [] : [commitState(graph, commit, changes)];
  const fetched = results.map(({ kind, name, node, shape }) => ({
    kind,
    name,
    shape,
    node: fetch(graph, name, node, after),
  }));
  return { nodes: graph.nodes(), signature: { name: program.name, inputs, outputs: fetched } };
};

/** `state` gives the shape of every array of it. Signatures: `init`, `read`, and one for each program under its name. */
export const lowerGraph = (programs: Iterable<Program>, state: State): Graph => {
  const all = [...programs].map((program) => withOneUpdate(program, state));
  const layout = layoutOf(all, state);
  const parts = [
    initialise(state, layout),
    readAll(state, layout),
    ...all.map((program) => lowerProgram(program, state, layout)),
  ];
  return { nodes: parts.flatMap((p) => p.nodes), signatures: parts.map((p) => p.signature) };
};

/** A size known only when the graph runs. */
const anyBatch = -1;

/**
 * A program with its state written in as constants and any batch size, in operations that every runtime has: what is exported. One
 * signature, the program's own name, or `signature` in its place.
 */
export const lowerFrozen = (
  given: Program,
  weights: ReadonlyMap<string, ArrayLike<number>>,
  signature = given.name,
): Graph => {
  const { program, state } = decomposeSolvers(given, weights);
  const graph = createGraphBuilder(graphName(program.name));
  const fed = program.binders.filter(({ name }) => !state.has(name));
  const inputs = fed.map(({ name, var: x }) => {
    const shape = physicalShape(x.type, anyBatch);
    return { name, shape, node: placeholder(graph, name, shape) };
  });
  const constants = program.binders.flatMap(({ name, var: x }) => {
    const values = state.get(name);
    return values === undefined ? [] : [[name, graph.floats(values, x.type.shape, name)] as const];
  });
  const bound = new Map([...constants, ...inputs.map(({ name, node }) => [name, node] as const)]);
  const outputs = lowerEquations(graph, program, bound, anyBatch, { portable: true }).outputs.map(
    ({ kind, name, node, shape }) => ({
      kind,
      name,
      shape,
      node: fetch(graph, name, node),
    }),
  );
  return { nodes: graph.nodes(), signatures: [{ name: signature, inputs, outputs }] };
};
