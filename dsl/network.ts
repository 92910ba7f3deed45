/** A named stack of layers. Weights belong to the name: two applications of one network share them. */
import type { ActivationName, Headed, Layer, Stack } from './layer.js';
import type { Known, Shape } from './shape.js';

/** The data of a network, whatever its outputs. */
export type NetworkValue = {
  readonly name: string;
  /** Shape of one input example. */
  readonly input: Shape;
  readonly layers: readonly Layer[];
};

/** A network with one output: I → O, shapes of one example. */
export type Network<I extends Shape = Shape, O extends Shape = Shape> = NetworkValue & {
  readonly _input?: Known<I> | undefined;
  readonly _output?: Known<O> | undefined;
  readonly _outputs?: undefined;
};

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
export function network<I extends Shape, O extends Shape>(name: string, stack: Stack<I, O>): Network<I, O>;
export function network<I extends Shape, H extends Readonly<Record<string, Shape>>>(
  name: string,
  stack: Headed<I, H>,
): HeadedNetwork<I, H>;
export function network(name: string, stack: { input: Shape; layers: readonly Layer[] }): NetworkValue {
  return { name, input: stack.input, layers: stack.layers };
}

/** Names of the outputs; a network with one output has the single name ''. */
export const outputNames = (net: NetworkValue): readonly string[] => {
  const last = net.layers.at(-1);
  return last?.tag === 'heads' ? Object.keys(last.heads) : [''];
};

/** The output that is a network's code: the one named `mean` where there is one (a Gaussian encoder's), else the first. */
export const codeOutput = (net: NetworkValue): string => {
  const names = outputNames(net);
  return names.includes('mean') ? 'mean' : names[0];
};

/**
 * `2.dense`, the second part of the names of a layer's parameters. A spectral layer has the name of the layer it wraps, so
 * that wrapping changes no parameter's name and no initial value.
 */
export const layerName = (index: number, layer: Layer): string =>
  `${index}.${layer.tag === 'spectral' ? layer.layer.tag : layer.tag}`;

/** The layer with `f` applied to itself and everything inside it, from the inside out. */
export const mapLayer = (layer: Layer, f: (layer: Layer) => Layer): Layer => {
  switch (layer.tag) {
    case 'residual':
      return f({ ...layer, layers: layer.layers.map((inner) => mapLayer(inner, f)) });
    case 'heads':
      return f({
        ...layer,
        heads: Object.fromEntries(
          Object.entries(layer.heads).map(([name, inner]) => [name, inner.map((l) => mapLayer(l, f))]),
        ),
      });
    default:
      return f(layer);
  }
};

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
