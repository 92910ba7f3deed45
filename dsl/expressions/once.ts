/** Functions of expressions that see each of them once. */
import type { Node } from '../grammar.js';

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
