/** A named stack of layers. Weights belong to the name: two applications of one network share them. */
import { elementAt } from './lookup.js';
import { shapesAlong } from './layers/bijector.js';
import { mapLayer } from './layers/rewrite.js';
import type { Direction, FlowStack, FlowType, Kind, Opposite } from './layers/flow.js';
import type { ActivationName, Layer, NetworkValue } from './grammar.js';
import type { Headed, Stack } from './layers/layer.js';
import type { Known, Shape } from './shape.js';

export type { NetworkValue } from './grammar.js';

/** A network with one output: I → O, shapes of one example. */
export type Network<I extends Shape = Shape, O extends Shape = Shape> = NetworkValue & {
  readonly _input?: Known<I> | undefined;
  readonly _output?: Known<O> | undefined;
  readonly _outputs?: undefined;
  readonly _flow?: object | undefined;
};

/** A network of invertible layers. */
export type Flow<
  I extends Shape = Shape,
  O extends Shape = Shape,
  D extends Direction = Direction,
  K extends Kind = Kind,
> = Network<I, O> & { readonly _flow?: FlowType<D, K> | undefined };

/** A network with several named outputs. */
export type HeadedNetwork<
  I extends Shape = Shape,
  H extends Readonly<Record<string, Shape>> = Readonly<Record<string, Shape>>,
> = NetworkValue & {
  readonly _input?: Known<I> | undefined;
  readonly _output?: undefined;
  readonly _outputs?: { readonly [K in keyof H]: Known<H[K]> } | undefined;
};

/** Names a stack. Parameters are then called `name/layer-path/role`. */
export function network<I extends Shape, O extends Shape, D extends Direction, K extends Kind>(
  name: string,
  stack: FlowStack<I, O, D, K>,
): Flow<I, O, D, K>;
export function network<I extends Shape, O extends Shape>(name: string, stack: Stack<I, O>): Network<I, O>;
export function network<I extends Shape, H extends Readonly<Record<string, Shape>>>(
  name: string,
  stack: Headed<I, H>,
): HeadedNetwork<I, H>;
export function network(name: string, stack: { input: Shape; layers: readonly Layer[] }): NetworkValue {
  return { name, input: stack.input, layers: stack.layers };
}

/**
 * The inverse of a flow, of an injective one its left inverse: the same layers and weights, run backwards. `invert` of that
 * is the flow again.
 */
export const invert = <I extends Shape, O extends Shape, D extends Direction, K extends Kind>(
  flow: Flow<I, O, D, K>,
): Flow<O, I, Opposite<D>, K> => {
  const { name, input, layers, inverts } = flow;
  if (inverts !== undefined) return { name, input: inverts, layers };
  const along = shapesAlong(layers, input);
  // Layers that do not fit are reported where they are elaborated.
  const output = along.tag === 'shapes' ? elementAt(along.shapes, layers.length) : input;
  return { name, input: output, layers, inverts: input };
};

/** The network as it was written: an inverted one the right way round again. */
export const written = (net: NetworkValue): NetworkValue =>
  net.inverts === undefined ? net : { name: net.name, input: net.inverts, layers: net.layers };

/** `decoder`, and `decoder⁻¹` for an inverted network. */
export const labelOf = (net: NetworkValue): string =>
  net.inverts === undefined ? net.name : `${net.name}⁻¹`;

/** Names of the outputs; a network with one output has the single name ''. */
export const outputNames = (net: NetworkValue): readonly string[] => {
  const last = net.layers.at(-1);
  return last?.tag === 'heads' ? Object.keys(last.heads) : [''];
};

/** The output that is a network's code: the one named `mean` where there is one (a Gaussian encoder's), else the first. */
export const codeOutput = (net: NetworkValue): string => {
  const names = outputNames(net);
  return names.includes('mean') ? 'mean' : elementAt(names, 0);
};

/**
 * `2.dense`, the second part of the names of a layer's parameters. A spectral layer has the name of the layer it wraps, so
 * that wrapping changes no parameter's name and no initial value.
 */
export const layerName = (index: number, layer: Layer): string =>
  `${index}.${layer.tag === 'spectral' ? layer.layer.tag : layer.tag}`;

/** The same network with every layer rewritten by `f`. */
export const mapLayers = <N extends NetworkValue>(net: N, f: (layer: Layer) => Layer): N => ({
  ...net,
  layers: net.layers.map((layer) => mapLayer(layer, f)),
});

/** The same network with one activation in place of another. */
export const replaceActivation = <N extends NetworkValue>(
  net: N,
  from: ActivationName,
  to: ActivationName,
): N =>
  mapLayers(net, (layer) =>
    layer.tag === 'activation' && layer.name === from ? { ...layer, name: to } : layer,
  );

/** The same structure under another name, so with weights of its own. */
export const rename = <N extends NetworkValue>(net: N, name: string): N => ({ ...net, name });
