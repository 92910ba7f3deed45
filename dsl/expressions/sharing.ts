/** What occurs more than once in expressions: equal parts made one, the order in which they are read, and how often each is. */
import type { Node } from '../grammar.js';
import { labelOf } from '../network.js';
import { branches, children, networkIn, plainValues } from './rewrite.js';

/** A rewriting that makes equal nodes identical, given that it has done so for their children. */
export const shared = (): ((node: Node) => Node) => {
  const byKey = new Map<string, Node>();
  const numbers = new WeakMap<Node, number>();
  return (node) => {
    const network = networkIn(node);
    const own = [node.tag, plainValues(node), network === undefined ? '' : labelOf(network)];
    const key = JSON.stringify([own, branches(node).map((part) => [part.path, numbers.get(part.node)])]);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    numbers.set(node, byKey.size);
    byKey.set(key, node); // eslint-disable-line functional/immutable-data -- local to one rewriting
    return node;
  };
};

/** Every distinct node, subexpressions first. */
export const leavesFirst = (roots: readonly Node[]): readonly Node[] => {
  const seen = new WeakSet<Node>();
  const visit = (node: Node): readonly Node[] => {
    if (seen.has(node)) return [];
    seen.add(node);
    return [...children(node).flatMap(visit), node];
  };
  return roots.flatMap(visit);
};

/** How often each node is written down, if it is written down once for each of its distinct parents. */
export const usesOf = (nodes: readonly Node[], roots: readonly Node[]): ((node: Node) => number) => {
  const uses = new WeakMap<Node, number>();
  [...roots, ...nodes.flatMap(children)].forEach((node) => uses.set(node, (uses.get(node) ?? 0) + 1));
  return (node) => uses.get(node) ?? 0;
};
