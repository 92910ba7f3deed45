/** Walking and rewriting expressions and experiments: subexpressions with their paths, and bottom-up maps. */
import type { Experiment } from '../experiment.js';
import { isRecord } from '../codec/codec.js';
import type { NetworkValue, Node } from '../grammar.js';
import type { Path } from '../path.js';
import { expressionFields, fieldsOf } from './fields.js';

/** A part of an experiment and where it is. */
export type Located = { readonly path: Path; readonly node: Node };

/** Whether a value of a field is an expression; fields are read by name, so their types are not known. */
const isNode = (u: unknown): u is Node =>
  isRecord(u) && typeof u.tag === 'string' && Object.hasOwn(expressionFields, u.tag);

const valuesOf = (node: Node): ReadonlyMap<string, unknown> => new Map<string, unknown>(Object.entries(node));

/** The direct subexpressions, each with its path inside the node, in the order in which they are written. */
export const branches = (node: Node): readonly Located[] => {
  const values = valuesOf(node);
  return Object.entries(fieldsOf(node)).flatMap(([field, { kind }]): readonly Located[] => {
    const held = kind === 'node' || kind === 'nodes' ? values.get(field) : undefined;
    if (isNode(held)) return [{ path: [field], node: held }];
    return Array.isArray(held)
      ? held.filter(isNode).map((part, i) => ({ path: [field, i], node: part }))
      : [];
  });
};

/** The direct subexpressions of a node. */
export const children = (node: Node): readonly Node[] => branches(node).map((branch) => branch.node);

/** The node with `f` applied to each direct subexpression. */
export const mapChildren = (node: Node, f: (child: Node) => Node): Node => {
  const changed = [...valuesOf(node)].flatMap(([field, held]): readonly (readonly [string, unknown])[] => {
    const kind = fieldsOf(node)[field]?.kind;
    if (kind === 'node' && isNode(held)) return [[field, f(held)]];
    return kind === 'nodes' && Array.isArray(held) ? [[field, held.filter(isNode).map(f)]] : [];
  });
  return changed.length === 0 ? node : { ...node, ...Object.fromEntries(changed) };
};

/** The plain values that a node holds, by field, in the order of its row: neither subexpressions nor networks. */
export const plainValues = (node: Node): Readonly<Record<string, unknown>> => {
  const values = valuesOf(node);
  return Object.fromEntries(
    Object.entries(fieldsOf(node)).flatMap(([field, { kind }]) =>
      kind === 'value' && values.has(field) ? [[field, values.get(field)]] : [],
    ),
  );
};

/** The network that a node applies or asks something of. */
export const networkIn = (node: Node): NetworkValue | undefined =>
  'network' in node ? node.network : undefined;

/** `f` with its results kept by the identity of the node, so that a shared subexpression is visited once. */
export const once = <A>(f: (node: Node) => A): ((node: Node) => A) => {
  const results = new WeakMap<Node, { readonly value: A }>();
  return (node) => {
    const known = results.get(node);
    if (known !== undefined) return known.value;
    const value = f(node);
    results.set(node, { value });
    return value;
  };
};

/** A bottom-up rewriting that keeps sharing, also between the roots it is given, and leaves untouched parts identical. */
export const rewriting = (f: (node: Node) => Node): ((root: Node) => Node) => {
  const go: (node: Node) => Node = once((node) =>
    f(children(node).every((child) => go(child) === child) ? node : mapChildren(node, go)),
  );
  return go;
};

/** The expression with every node rewritten by `f`, from the leaves up. Shared subexpressions stay shared. */
export const mapNode = (root: Node, f: (node: Node) => Node): Node => rewriting(f)(root);

/** The experiment with every expression in it rewritten by `f`, from the leaves up. */
export const mapExpressions = (experiment: Experiment, f: (node: Node) => Node): Experiment => {
  const rewrite = rewriting(f);
  return {
    ...experiment,
    objective: Object.fromEntries(
      Object.entries(experiment.objective).map(([name, term]) => [name, rewrite(term)]),
    ),
    ...(experiment.logDensity === undefined ? {} : { logDensity: rewrite(experiment.logDensity) }),
    optimizer: { ...experiment.optimizer, rate: rewrite(experiment.optimizer.rate) },
  };
};

/** The roots of all expressions: the objective's terms in order, the density, then the optimizer's rate. */
export const nodesOf = (experiment: Experiment): readonly Located[] => [
  ...Object.entries(experiment.objective).map(([name, node]) => ({ path: ['objective', name], node })),
  ...(experiment.logDensity === undefined ? [] : [{ path: ['logDensity'], node: experiment.logDensity }]),
  { path: ['optimizer', 'rate'], node: experiment.optimizer.rate },
];

/** Every distinct node below the roots, parents first, at the path where it occurs first. */
export const everyNode = (roots: readonly Located[]): readonly Located[] => {
  const seen = new WeakSet<Node>();
  const visit = (at: Located): readonly Located[] => {
    if (seen.has(at.node)) return [];
    seen.add(at.node);
    return [
      at,
      ...branches(at.node).flatMap(({ path, node }) => visit({ path: [...at.path, ...path], node })),
    ];
  };
  return roots.flatMap(visit);
};
