/** Walking and rewriting expressions and experiments: subexpressions with their paths, and bottom-up maps. */
import type { Experiment } from '../experiment.js';
import type { Node } from './expression.js';
import type { Path } from '../path.js';

/** A part of an experiment and where it is. */
export type Located = { readonly path: Path; readonly node: Node };

/** The direct subexpressions, each with its path inside the node, in the order in which they are written. */
export const branches = (node: Node): readonly Located[] => {
  switch (node.tag) {
    case 'data':
    case 'constant':
    case 'hyper':
    case 'step':
    case 'draw':
    case 'parameter':
    case 'sqNormOfWeights':
    case 'basis':
      return [];
    case 'running':
      return node.update === undefined ? [] : [{ path: ['update'], node: node.update }];
    case 'apply':
    case 'logDet':
      return [{ path: ['at'], node: node.at }];
    case 'jvp':
      return [
        { path: ['at'], node: node.at },
        { path: ['tangent'], node: node.tangent },
      ];
    case 'vjp':
      return [
        { path: ['at'], node: node.at },
        { path: ['cotangent'], node: node.cotangent },
      ];
    case 'solveGram':
      return [
        { path: ['at'], node: node.at },
        { path: ['of'], node: node.of },
      ];
    case 'volume':
      return [
        { path: ['at'], node: node.at },
        ...(node.probes === undefined ? [] : [{ path: ['probes'], node: node.probes }]),
      ];
    case 'binary':
      return [
        { path: ['left'], node: node.left },
        { path: ['right'], node: node.right },
      ];
    case 'scale':
      return [
        { path: ['by'], node: node.by },
        { path: ['of'], node: node.of },
      ];
    case 'select':
      return [
        { path: ['condition'], node: node.condition },
        { path: ['then'], node: node.then },
        { path: ['otherwise'], node: node.otherwise },
      ];
    case 'concat':
      return node.of.map((part, i) => ({ path: ['of', i], node: part }));
    case 'stop':
    case 'unary':
    case 'fill':
    case 'sum':
    case 'norm':
    case 'reshape':
    case 'slice':
    case 'pad':
    case 'gram':
    case 'logDetSPD':
      return [{ path: ['of'], node: node.of }];
  }
};

/** The direct subexpressions of a node. */
export const children = (node: Node): readonly Node[] => branches(node).map((branch) => branch.node);

/** The node with `f` applied to each direct subexpression. */
export const mapChildren = (node: Node, f: (child: Node) => Node): Node => {
  switch (node.tag) {
    case 'data':
    case 'constant':
    case 'hyper':
    case 'step':
    case 'draw':
    case 'parameter':
    case 'sqNormOfWeights':
    case 'basis':
      return node;
    case 'running':
      return node.update === undefined ? node : { ...node, update: f(node.update) };
    case 'apply':
    case 'logDet':
      return { ...node, at: f(node.at) };
    case 'jvp':
      return { ...node, at: f(node.at), tangent: f(node.tangent) };
    case 'vjp':
      return { ...node, at: f(node.at), cotangent: f(node.cotangent) };
    case 'solveGram':
      return { ...node, at: f(node.at), of: f(node.of) };
    case 'volume':
      return {
        ...node,
        at: f(node.at),
        ...(node.probes === undefined ? {} : { probes: f(node.probes) }),
      };
    case 'binary':
      return { ...node, left: f(node.left), right: f(node.right) };
    case 'scale':
      return { ...node, by: f(node.by), of: f(node.of) };
    case 'select':
      return { ...node, condition: f(node.condition), then: f(node.then), otherwise: f(node.otherwise) };
    case 'concat':
      return { ...node, of: node.of.map((part) => f(part)) };
    case 'stop':
    case 'unary':
    case 'fill':
    case 'sum':
    case 'norm':
    case 'reshape':
    case 'slice':
    case 'pad':
    case 'gram':
    case 'logDetSPD':
      return { ...node, of: f(node.of) };
  }
};

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
