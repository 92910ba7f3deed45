/** Walking and rewriting expressions and experiments: subexpressions, bottom-up maps, and what the names in them mean. */
import * as E from 'fp-ts/lib/Either.js';
import type { Experiment } from './experiment.js';
import type { Node } from './expr.js';
import type { NetworkValue } from './network.js';
import type { Path } from './path.js';
import { showPath } from './path.js';
import type { Problem } from './problem.js';
import { problem } from './problem.js';

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
      return [];
    case 'apply':
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
      return node;
    case 'apply':
      return { ...node, at: f(node.at) };
    case 'jvp':
      return { ...node, at: f(node.at), tangent: f(node.tangent) };
    case 'vjp':
      return { ...node, at: f(node.at), cotangent: f(node.cotangent) };
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
      return { ...node, of: f(node.of) };
  }
};

/** `f` with its results kept by the identity of the node, so that a shared subexpression is visited once. */
const once = (f: (node: Node) => Node): ((node: Node) => Node) => {
  const results = new WeakMap<Node, Node>();
  return (node) => {
    const known = results.get(node);
    if (known !== undefined) return known;
    const result = f(node);
    results.set(node, result);
    return result;
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
    optimizer: { ...experiment.optimizer, rate: rewrite(experiment.optimizer.rate) },
  };
};

/** The roots of all expressions: the objective's terms in order, then the optimizer's rate. */
export const nodesOf = (experiment: Experiment): readonly Located[] => [
  ...Object.entries(experiment.objective).map(([name, node]) => ({ path: ['objective', name], node })),
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

/** A named part of an experiment. */
type Named<A> = { readonly name: string; readonly path: Path; readonly value: A };

/** The first of each name, in order. */
const firsts = <A>(all: readonly Named<A>[]): ReadonlyMap<string, A> => {
  const values = new Map(all.toReversed().map(({ name, value }) => [name, value]));
  return new Map(all.map(({ name, value }) => [name, values.get(name) ?? value]));
};

/** The named numbers of an experiment with their values, in the order of first use. */
export const hypersOf = (experiment: Experiment): ReadonlyMap<string, number> =>
  firsts(
    everyNode(nodesOf(experiment)).flatMap(({ path, node }) =>
      node.tag === 'hyper' ? [{ path, name: node.name, value: node.value }] : [],
    ),
  );

const networkIn = (node: Node): NetworkValue | undefined => {
  switch (node.tag) {
    case 'apply':
    case 'jvp':
    case 'vjp':
    case 'sqNormOfWeights':
      return node.network;
    default:
      return undefined;
  }
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Equality of plain data. */
const same = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const left = new Map<string, unknown>(Object.entries(a));
  const right = new Map<string, unknown>(Object.entries(b));
  return (
    left.size === right.size &&
    [...left].every(([key, value]) => right.has(key) && same(value, right.get(key)))
  );
};

/** Those that share a name with an earlier one and differ from it; each value once. */
const namesakes = <A>(all: readonly Named<A>[]): readonly Named<A>[] => {
  const first = firsts(all);
  const different = all.filter(({ name, value }) => !same(first.get(name), value));
  return different.filter(({ value }, i) => different.findIndex((other) => other.value === value) === i);
};

/**
 * Every network by name, in the order of first use: encoder, decoder, then those inside expressions.
 * One name with two structures is a problem.
 */
export const networksOf = (
  experiment: Experiment,
): E.Either<readonly Problem[], ReadonlyMap<string, NetworkValue>> => {
  const used = [
    { path: ['encoder'], value: experiment.encoder },
    { path: ['decoder'], value: experiment.decoder },
    ...everyNode(nodesOf(experiment)).flatMap(({ path, node }) => {
      const value = networkIn(node);
      return value === undefined ? [] : [{ path: [...path, 'network'], value }];
    }),
  ].map(({ path, value }) => ({ path, value, name: value.name }));
  const others = namesakes(used);
  return others.length === 0
    ? E.right(firsts(used))
    : E.left(
        others.map(({ path, name }) =>
          problem(
            showPath(path),
            `another structure named ${JSON.stringify(name)}`,
            `the structure that ${JSON.stringify(name)} has where it occurs first`,
            'give one of them another name',
          ),
        ),
      );
};

/** Hyper-parameters, draws and parameters that share a name and differ: each name means one thing. */
export const nameProblems = (experiment: Experiment): readonly Problem[] => {
  const nodes = everyNode(nodesOf(experiment));
  return (['hyper', 'draw', 'parameter'] as const).flatMap((tag) =>
    namesakes(
      nodes.flatMap(({ path, node }) =>
        node.tag === tag && 'name' in node ? [{ name: node.name, path, value: node }] : [],
      ),
    ).map(({ name, path }) =>
      problem(
        showPath(path),
        `another ${tag} named ${JSON.stringify(name)}`,
        `the same ${tag} as where the name occurs first`,
        'give one of them another name',
      ),
    ),
  );
};
