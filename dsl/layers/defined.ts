/** Layers that are written as expressions of their input: they stack, print, serialise and differentiate like the built-in ones. */
import type { Expr, Layer, Node } from '../grammar.js';
import type { Shape } from '../shape.js';
import { shapeAfterLayers, shapeOf } from '../shape-rules.js';
import type { Block, Stack } from './layer.js';

type Layers = { readonly input: Shape; readonly layers: readonly Layer[] };

/**
 * A block from an expression of its input, which it is given with its shape: `layer('double', (x) => add(x, x))`. Parameters in it are
 * the layer's own, named after its place; it prints under its name. It may hold what the body of a network may.
 */
export function layer<A extends Shape, B extends Shape>(
  name: string,
  body: (x: Expr<A>, shape: A) => Expr<B>,
): Block<A, B>;
export function layer(name: string, body: (x: Node, shape: Shape) => Node) {
  return (stack: Layers): Layers => {
    const shape = shapeAfterLayers(stack.layers, stack.input);
    // Where the layers before do not fit, they are the problem, and nothing after them is reached.
    if (shape === undefined) return stack;
    const x: Node = { tag: 'argument', name: 'x', shape };
    const own: Layer = { tag: 'defined', name, arguments: { x: shape }, outputs: { '': body(x, shape) } };
    return { ...stack, layers: [...stack.layers, own] };
  };
}

/**
 * An expression through layers, in the body of a layer or of a network: `through('query', x, dense(16))`. Their parameters are
 * called after the name, so two of one name share them.
 */
export const through = <A extends Shape, B extends Shape>(
  name: string,
  of: Expr<A>,
  block: (stack: Stack<A, A>) => Stack<A, B>,
): Expr<B> => ({ tag: 'through', name, layers: block({ input: shapeOf(of) ?? [], layers: [] }).layers, of });
