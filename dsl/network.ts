/** A named stack of layers. Weights belong to the name: two applications of one network share them. */
import { elementAt } from './lookup.js';
import { shapesAlong } from './layers/bijector.js';
import { mapLayer } from './layers/rewrite.js';
import type { Direction, FlowStack, FlowType, Kind, Opposite } from './layers/flow.js';
import type { ActivationName, DefinedLayer, Expr, Layer, NetworkValue } from './grammar.js';
import type { Headed, Stack } from './layers/layer.js';
import type { Known, Shape } from './shape.js';

export type { NetworkValue } from './grammar.js';

/** What a network is applied to, and what it gives then; types alone. */
export type Applied<At, Out> = { readonly at: At; readonly out: Out };

/** A network with one output: I → O, shapes of one example. */
export type Network<I extends Shape = Shape, O extends Shape = Shape> = NetworkValue & {
  readonly _applied?: Applied<Expr<I>, Expr<O>> | undefined;
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
  readonly _applied?: Applied<Expr<I>, ArgumentsOf<H>> | undefined;
  readonly _input?: Known<I> | undefined;
  readonly _output?: undefined;
  readonly _outputs?: { readonly [K in keyof H]: Known<H[K]> } | undefined;
};

type ArgumentShapes = Readonly<Record<string, Shape>>;

/** A network of several arguments by name, with one output. */
export type FunctionNetwork<
  A extends ArgumentShapes = ArgumentShapes,
  O extends Shape = Shape,
> = NetworkValue & {
  readonly _applied?: Applied<ArgumentsOf<A>, Expr<O>> | undefined;
  readonly _arguments?: { readonly [K in keyof A]: Known<A[K]> } | undefined;
  readonly _input?: undefined;
  readonly _output?: Known<O> | undefined;
  readonly _outputs?: undefined;
};

/** A network of several arguments with several named outputs. */
export type HeadedFunction<
  A extends ArgumentShapes = ArgumentShapes,
  H extends ArgumentShapes = ArgumentShapes,
> = NetworkValue & {
  readonly _applied?: Applied<ArgumentsOf<A>, ArgumentsOf<H>> | undefined;
  readonly _arguments?: { readonly [K in keyof A]: Known<A[K]> } | undefined;
  readonly _input?: undefined;
  readonly _output?: undefined;
  readonly _outputs?: { readonly [K in keyof H]: Known<H[K]> } | undefined;
};

/** An expression for each argument. */
export type ArgumentsOf<A extends ArgumentShapes> = { readonly [K in keyof A]: Expr<A[K]> };

type IsUnion<T, U = T> = T extends unknown ? (readonly [U] extends readonly [T] ? false : true) : never;

/** A function of one argument is a network like any other. */
type FunctionOf<A extends ArgumentShapes, O extends Shape> =
  IsUnion<keyof A> extends true ? FunctionNetwork<A, O> : Network<A[keyof A], O>;
type HeadedOf<A extends ArgumentShapes, H extends ArgumentShapes> =
  IsUnion<keyof A> extends true ? HeadedFunction<A, H> : HeadedNetwork<A[keyof A], H>;

type Result = Expr | Readonly<Record<string, Expr>>;

const isOne = (result: Result): result is Expr => typeof result.tag === 'string';

/** The function as the only layer of a network. */
const definedBy = (
  shapes: ArgumentShapes,
  body: (at: Readonly<Record<string, Expr>>) => Result,
): DefinedLayer => {
  const at = Object.entries(shapes).map(([name, shape]): readonly [string, Expr] => [
    name,
    { tag: 'argument', name, shape },
  ]);
  const result = body(Object.fromEntries(at));
  return {
    tag: 'defined',
    name: 'body',
    arguments: shapes,
    outputs: isOne(result) ? { '': result } : result,
  };
};

/**
 * Names a stack, or a function of named arguments with its body: `network('decoder', { z: [6], c: [10] }, ({ z, c }) => …)`. In a
 * body stand arguments, hyper-parameters, parameters (which are this network's own), layers (`through`) and other networks.
 * Parameters are then called `name/layer-path/role`.
 */
export function network<const A extends ArgumentShapes, O extends Shape>(
  name: string,
  shapes: A,
  body: (at: ArgumentsOf<A>) => Expr<O>,
): FunctionOf<A, O>;
export function network<const A extends ArgumentShapes, H extends ArgumentShapes>(
  name: string,
  shapes: A,
  body: (at: ArgumentsOf<A>) => { readonly [K in keyof H]: Expr<H[K]> },
): HeadedOf<A, H>;
export function network<I extends Shape, O extends Shape, D extends Direction, K extends Kind>(
  name: string,
  stack: FlowStack<I, O, D, K>,
): Flow<I, O, D, K>;
export function network<I extends Shape, O extends Shape>(name: string, stack: Stack<I, O>): Network<I, O>;
export function network<I extends Shape, H extends Readonly<Record<string, Shape>>>(
  name: string,
  stack: Headed<I, H>,
): HeadedNetwork<I, H>;
export function network(
  name: string,
  ...of:
    | readonly [stack: { readonly input: Shape; readonly layers: readonly Layer[] }]
    | readonly [shapes: ArgumentShapes, body: (at: Readonly<Record<string, Expr>>) => Result]
): NetworkValue {
  if (of.length === 1) {
    const [{ input, layers }] = of;
    return { name, input, layers };
  }
  const [shapes, body] = of;
  return { name, input: Object.values(shapes)[0] ?? [], layers: [definedBy(shapes, body)] };
}

/** The arguments of a network with their shapes; the single one of a stack has the name ''. */
export const argumentsOf = ({ input, layers }: NetworkValue): ArgumentShapes => {
  const [first, ...rest] = layers;
  return first?.tag === 'defined' && rest.length === 0 ? first.arguments : { '': input };
};

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
  switch (last?.tag) {
    case 'heads':
      return Object.keys(last.heads);
    case 'defined':
      return Object.keys(last.outputs);
    default:
      return [''];
  }
};

/** The output that is a network's code: the one named `mean` where there is one (a Gaussian encoder's), else the first. */
export const codeOutput = (net: NetworkValue): string => {
  const names = outputNames(net);
  return names.includes('mean') ? 'mean' : elementAt(names, 0);
};

const ownName = (layer: Layer): string => {
  switch (layer.tag) {
    case 'spectral':
      return layer.layer.tag;
    case 'defined':
    case 'bijection':
      return layer.name;
    default:
      return layer.tag;
  }
};

/**
 * `2.dense`, the second part of the names of a layer's parameters. A spectral layer has the name of the layer it wraps, so
 * that wrapping changes no parameter's name and no initial value.
 */
export const layerName = (index: number, layer: Layer): string => `${index}.${ownName(layer)}`;

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
