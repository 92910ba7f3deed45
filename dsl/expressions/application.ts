/** Networks at work: their value, their derivatives in a direction, and the log-determinant of a flow. */
import type { Expr, NetworkValue, Node } from '../grammar.js';
import type { Direction } from '../layers/flow.js';
import {
  type Applied,
  type ArgumentsOf,
  argumentsOf,
  type Flow,
  type FunctionNetwork,
  type Network,
  outputNames,
} from '../network.js';
import type { Scalar, Shape } from '../shape.js';

type ArgumentShapes = Readonly<Record<string, Shape>>;
/** A direction, or several of them along a leading axis. */
export type Probed<S extends Shape> = S | readonly [number, ...S];
/** Where a derivative leads: along the leading axis of probes that the direction has. */
type Carried<T extends Shape, S extends Shape, Out extends Shape> = T extends readonly [
  infer K extends number,
  ...S,
]
  ? readonly [K, ...Out]
  : Out;
type At = Node | Readonly<Record<string, Node>>;

const isOne = (at: At): at is Node => typeof at.tag === 'string';

type Places = Pick<Extract<Node, { readonly tag: 'apply' }>, 'at' | 'argument' | 'given'>;

/** Where a network is applied: the argument that is differentiated, and the others. */
export const placesOf = (network: NetworkValue, at: At, argument?: string): Places => {
  if (isOne(at)) return { at };
  const [first = ''] = Object.keys(argumentsOf(network));
  const name = argument ?? first;
  const given = Object.fromEntries(Object.entries(at).filter(([other]) => other !== name));
  return {
    // An argument that is left out is a problem where the application is checked.
    at: at[name] ?? { tag: 'argument', name, shape: [] },
    ...(name === first ? {} : { argument: name }),
    ...(Object.keys(given).length === 0 ? {} : { given }),
  };
};

/**
 * The network's value at `at`; of several arguments an expression for each by name. Equal applications are one: one primal, one
 * dropout mask, one state update.
 */
export function apply<At = Expr, Out = Expr>(
  network: NetworkValue & { readonly _applied?: Applied<At, Out> | undefined },
  at: NoInfer<At>,
): Out;
export function apply(network: NetworkValue, at: At): unknown {
  const places = placesOf(network, at);
  const names = outputNames(network);
  const one = (output: string): Node => ({ tag: 'apply', network, ...places, output });
  return names[0] === '' ? one('') : Object.fromEntries(names.map((name) => [name, one(name)]));
}

/**
 * J·tangent, the directional derivative of the network at `at`. A tangent with a leading axis of k probes gives k
 * directional derivatives at the same point. Of several arguments one is differentiated: the first, or the one named last.
 */
export function jvp<I extends Shape, O extends Shape, T extends Probed<I> = Probed<I>>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
  tangent: Expr<T>,
): Expr<Carried<T, I, O>>;
export function jvp<
  A extends ArgumentShapes,
  O extends Shape,
  N extends keyof A & string,
  T extends Probed<A[N]> = Probed<A[N]>,
>(
  network: FunctionNetwork<A, O>,
  at: ArgumentsOf<NoInfer<A>>,
  tangent: Expr<T>,
  argument: N,
): Expr<Carried<T, A[N], O>>;
export function jvp(network: NetworkValue, at: At, tangent: Node, argument?: string): Node {
  const output = outputNames(network)[0] ?? '';
  return { tag: 'jvp', network, ...placesOf(network, at, argument), tangent, output };
}

/** Jᵀ·cotangent, the transpose of `jvp`; a leading axis of k probes, and several arguments, as there. */
export function vjp<I extends Shape, O extends Shape, T extends Probed<O> = Probed<O>>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
  cotangent: Expr<T>,
): Expr<Carried<T, O, I>>;
export function vjp<
  A extends ArgumentShapes,
  O extends Shape,
  N extends keyof A & string,
  T extends Probed<O> = Probed<O>,
>(
  network: FunctionNetwork<A, O>,
  at: ArgumentsOf<NoInfer<A>>,
  cotangent: Expr<T>,
  argument: N,
): Expr<Carried<T, O, A[N]>>;
export function vjp(network: NetworkValue, at: At, cotangent: Node, argument?: string): Node {
  const output = outputNames(network)[0] ?? '';
  return { tag: 'vjp', network, ...placesOf(network, at, argument), cotangent, output };
}

/** log |det J| of the flow at `at`, in nats, with the primal of `apply(flow, at)`. */
export const logDet = <I extends Shape, O extends Shape>(
  flow: Flow<I, O, Direction, 'bijective'>,
  at: Expr<NoInfer<I>>,
): Expr<Scalar> => ({ tag: 'logDet', network: flow, at });
