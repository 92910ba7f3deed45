/** Collects the nodes of a graph under one prefix; equal nodes are made once. */
import { keyOf } from '../../../compiler/ir/key.js';
import type { DType, GraphAttribute, GraphNode } from '../graph.js';

export type GraphBuilder = {
  /** The name of a node with this operation; equal nodes without a given name are one. */
  readonly node: (
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, GraphAttribute>>,
    name?: string,
  ) => string;
  readonly floats: (values: ArrayLike<number>, shape: readonly number[], name?: string) => string;
  readonly doubles: (values: ArrayLike<number>, shape: readonly number[]) => string;
  readonly ints: (values: readonly number[]) => string;
  readonly int: (value: number) => string;
  /** The full name of a node that is given this one: what the end of a loop is called at its beginning. */
  readonly nameOf: (name: string) => string;
  /** Nodes by name of what several values are made of, such as a loop: made the first time that this key is asked for. */
  readonly once: (key: unknown, make: () => ReadonlyMap<string, string>) => ReadonlyMap<string, string>;
  readonly nodes: () => readonly GraphNode[];
};

export const float: GraphAttribute = { tag: 'type', value: 'float' };
export const int32: GraphAttribute = { tag: 'type', value: 'int32' };
export const bool: GraphAttribute = { tag: 'type', value: 'bool' };

/** Names that TensorFlow accepts. */
export const graphName = (name: string): string => name.replace(/[^A-Za-z0-9_./-]/g, '_');

/** The short ways to write constants, over any way to write nodes. */
const withConstants = (node: GraphBuilder['node']): Omit<GraphBuilder, 'nodes' | 'nameOf' | 'once'> => {
  const constant = (
    dtype: DType,
    values: ArrayLike<number>,
    shape: readonly number[],
    name?: string,
  ): string =>
    node(
      'Const',
      [],
      { dtype: { tag: 'type', value: dtype }, value: { tag: 'tensor', dtype, shape, values } },
      name,
    );
  return {
    node,
    floats: (values, shape, name) => constant('float', values, shape, name),
    doubles: (values, shape) => constant('double', values, shape),
    ints: (values) => constant('int32', values, [values.length]),
    int: (value) => constant('int32', [value], []),
  };
};

export const createGraphBuilder = (prefix: string): GraphBuilder => {
  const nodes: GraphNode[] = [];
  const known = new Map<string, string>();
  const taken = new Set<string>();
  const groups = new Map<string, ReadonlyMap<string, string>>();
  const once: GraphBuilder['once'] = (given, make) => {
    const key = keyOf(given);
    const group = groups.get(key) ?? make();
    groups.set(key, group);
    return group;
  };
  const nameOf = (name: string): string => `${prefix}/${graphName(name)}`;
  const node: GraphBuilder['node'] = (op, inputs, attributes = {}, name) => {
    const key = name === undefined ? keyOf([op, inputs, attributes]) : '';
    const before = known.get(key);
    if (before !== undefined) return before;
    const wanted = nameOf(name ?? `${op}_${nodes.length}`);
    // Two names may differ by what TensorFlow does not accept alone, or two outputs of a program by their kind alone.
    const full = taken.has(wanted) ? `${wanted}_${nodes.length}` : wanted;
    taken.add(full);
    nodes.push({ name: full, op, inputs, attributes });
    if (name === undefined) known.set(key, full);
    return full;
  };
  return { ...withConstants(node), nameOf, once, nodes: () => nodes };
};

/** The same builder inside a loop: what has no input there waits for a node of the loop, as TensorFlow asks of constants. */
export const insideLoop = (graph: GraphBuilder, pivot: string): GraphBuilder => {
  const node: GraphBuilder['node'] = (op, inputs, attributes, name) =>
    graph.node(op, inputs.length === 0 ? [`^${pivot}`] : inputs, attributes, name);
  return { ...withConstants(node), nameOf: graph.nameOf, once: graph.once, nodes: graph.nodes };
};
