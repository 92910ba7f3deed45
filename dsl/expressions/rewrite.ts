/** Walking and rewriting expressions and experiments: subexpressions with their paths, and bottom-up maps. */
import type { Experiment } from '../experiment.js';
import { isRecord } from '../codec/codec.js';
import type { Field } from '../field.js';
import type { Layer, NetworkValue, Node } from '../grammar.js';
import { bodiesOf, mapBodies } from '../layers/rewrite.js';
import type { Path } from '../path.js';
import { expressionsIn, mapOptimizer } from '../update.js';
import { once } from './once.js';
import { expressionFields, fieldsOf } from './fields.js';

/** A part of an experiment and where it is. */
export type Located = { readonly path: Path; readonly node: Node };

/** Whether a value of a field is an expression; fields are read by name, so their types are not known. */
const isNode = (u: unknown): u is Node =>
  isRecord(u) && typeof u.tag === 'string' && Object.hasOwn(expressionFields, u.tag);

const valuesOf = (node: Node): ReadonlyMap<string, unknown> => new Map<string, unknown>(Object.entries(node));

const isChild = ({ kind }: Field): boolean => kind === 'node' || kind === 'nodes' || kind === 'named';

/** The expressions that a field holds, with their paths: one, a list, or one for each name. */
const nodesIn = (field: string, held: unknown): readonly Located[] => {
  if (isNode(held)) return [{ path: [field], node: held }];
  const parts = Array.isArray(held) ? [...held.entries()] : isRecord(held) ? Object.entries(held) : [];
  return parts.flatMap(([key, node]: readonly [string | number, unknown]) =>
    isNode(node) ? [{ path: [field, key], node }] : [],
  );
};

/** What a field holds with each expression in it replaced. */
const mapIn = (held: unknown, f: (child: Node) => Node): unknown =>
  isNode(held)
    ? f(held)
    : Array.isArray(held)
      ? held.filter(isNode).map((node) => f(node))
      : isRecord(held)
        ? Object.fromEntries(
            Object.entries(held).flatMap(([key, node]) => (isNode(node) ? [[key, f(node)]] : [])),
          )
        : held;

/** The direct subexpressions, each with its path inside the node, in the order in which they are written. */
export const branches = (node: Node): readonly Located[] => {
  const values = valuesOf(node);
  return Object.entries(fieldsOf(node)).flatMap(([field, of]) =>
    isChild(of) ? nodesIn(field, values.get(field)) : [],
  );
};

/** The direct subexpressions of a node. */
export const children = (node: Node): readonly Node[] => branches(node).map((branch) => branch.node);

/** The node with `f` applied to each direct subexpression. */
export const mapChildren = (node: Node, f: (child: Node) => Node): Node => {
  const fields = fieldsOf(node);
  const changed = [...valuesOf(node)].flatMap(([field, held]): readonly (readonly [string, unknown])[] => {
    const of = fields[field];
    return of !== undefined && isChild(of) ? [[field, mapIn(held, f)]] : [];
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

/** A rewriting of expressions, and of the networks that they are in. */
type Rewriting = {
  readonly node: (root: Node) => Node;
  readonly network: <N extends NetworkValue>(network: N) => N;
};

/**
 * A bottom-up rewriting that keeps sharing, also between the roots it is given, and leaves untouched parts identical. It reaches
 * the bodies of layers and networks too.
 */
const rewritingAll = (f: (node: Node) => Node): Rewriting => {
  const known = new WeakMap<NetworkValue, readonly Layer[]>();
  const layersOf = (net: NetworkValue): readonly Layer[] => {
    const layers = known.get(net) ?? mapBodies(net.layers, (body) => node(body));
    known.set(net, layers);
    return layers;
  };
  const network = <N extends NetworkValue>(net: N): N => {
    const layers = layersOf(net);
    return layers === net.layers ? net : { ...net, layers };
  };
  const within = (at: Node): Node => {
    if (at.tag === 'through') {
      const layers = mapBodies(at.layers, (body) => node(body));
      return layers === at.layers ? at : { ...at, layers };
    }
    if (!('network' in at)) return at;
    const net = network(at.network);
    return net === at.network ? at : { ...at, network: net };
  };
  const node: (root: Node) => Node = once((at) =>
    f(within(children(at).every((child) => node(child) === child) ? at : mapChildren(at, node))),
  );
  return { node, network };
};

export const rewriting = (f: (node: Node) => Node): ((root: Node) => Node) => rewritingAll(f).node;

/** The expression with every node rewritten by `f`, from the leaves up. Shared subexpressions stay shared. */
export const mapNode = (root: Node, f: (node: Node) => Node): Node => rewriting(f)(root);

/** The experiment with every expression in it rewritten by `f`, from the leaves up. */
export const mapExpressions = (experiment: Experiment, f: (node: Node) => Node): Experiment => {
  const { node: rewrite, network } = rewritingAll(f);
  return {
    ...experiment,
    encoder: network(experiment.encoder),
    decoder: network(experiment.decoder),
    objective: Object.fromEntries(
      Object.entries(experiment.objective).map(([name, term]) => [name, rewrite(term)]),
    ),
    ...(experiment.logDensity === undefined ? {} : { logDensity: rewrite(experiment.logDensity) }),
    optimizer: mapOptimizer(experiment.optimizer, rewrite),
  };
};

/** The expressions that a network's layers are defined by, at the paths of its JSON form. */
const bodiesIn = ({ name, layers }: NetworkValue): readonly Located[] =>
  bodiesOf(layers).map(({ path, node }) => ({ path: ['networks', name, 'layers', ...path], node }));

/** Whether an expression stands in the body of a network or of a layer. */
export const isInBody = ({ path }: Located): boolean => path[0] === 'networks';

/** The roots of all expressions: the objective's terms in order, the density, the optimizer's, then the bodies of the networks. */
export const nodesOf = (experiment: Experiment): readonly Located[] => [
  ...Object.entries(experiment.objective).map(([name, node]) => ({ path: ['objective', name], node })),
  ...(experiment.logDensity === undefined ? [] : [{ path: ['logDensity'], node: experiment.logDensity }]),
  ...expressionsIn(experiment.optimizer).map(({ path, node }) => ({ path: ['optimizer', ...path], node })),
  ...bodiesIn(experiment.encoder),
  ...bodiesIn(experiment.decoder),
];

/** Every distinct node below the roots, parents first, at the path where it occurs first. */
export const everyNode = (roots: readonly Located[]): readonly Located[] => {
  const seen = new WeakSet<Node>();
  const visit = (at: Located): readonly Located[] => {
    if (seen.has(at.node)) return [];
    seen.add(at.node);
    const network = networkIn(at.node);
    const inside = at.node.tag === 'through' ? bodiesOf(at.node.layers) : [];
    return [
      at,
      ...branches(at.node).flatMap(({ path, node }) => visit({ path: [...at.path, ...path], node })),
      ...inside.flatMap(({ path, node }) => visit({ path: [...at.path, 'layers', ...path], node })),
      ...(network === undefined ? [] : bodiesIn(network).flatMap(visit)),
    ];
  };
  return roots.flatMap(visit);
};
