/** Networks at work: their value, their derivatives in a direction, and the log-determinant of a flow. */
import type { Expr, NetworkValue, Node } from '../grammar.js';
import type { Direction } from '../layers/flow.js';
import {
  type ArgumentsOf,
  argumentsOf,
  type Flow,
  type FunctionNetwork,
  type HeadedFunction,
  type HeadedNetwork,
  type Network,
  outputNames,
} from '../network.js';
import type { Scalar, Shape } from '../shape.js';

type ArgumentShapes = Readonly<Record<string, Shape>>;
type Outputs<H> = { readonly [K in keyof H]: H[K] extends Shape ? Expr<H[K]> : never };
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
export function apply<A extends ArgumentShapes, H extends Readonly<Record<string, Shape>>>(
  network: HeadedFunction<A, H>,
  at: ArgumentsOf<NoInfer<A>>,
): Outputs<H>;
export function apply<A extends ArgumentShapes, O extends Shape>(
  network: FunctionNetwork<A, O>,
  at: ArgumentsOf<NoInfer<A>>,
): Expr<O>;
export function apply<I extends Shape, H extends Readonly<Record<string, Shape>>>(
  network: HeadedNetwork<I, H>,
  at: Expr<NoInfer<I>>,
): Outputs<H>;
export function apply<I extends Shape, O extends Shape>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
): Expr<O>;
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
export function jvp<A extends ArgumentShapes, O extends Shape, N extends keyof A & string>(
  network: FunctionNetwork<A, O>,
  at: ArgumentsOf<NoInfer<A>>,
  tangent: Expr<NoInfer<A[N]>>,
  argument: N,
): Expr<O>;
export function jvp<A extends ArgumentShapes, O extends Shape, N extends keyof A & string, K extends number>(
  network: FunctionNetwork<A, O>,
  at: ArgumentsOf<NoInfer<A>>,
  tangent: Expr<readonly [K, ...A[N]]>,
  argument: N,
): Expr<readonly [K, ...O]>;
export function jvp<I extends Shape, O extends Shape, K extends number>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
  tangent: Expr<readonly [K, ...I]>,
): Expr<readonly [K, ...O]>;
export function jvp<I extends Shape, O extends Shape>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
  tangent: Expr<NoInfer<I>>,
): Expr<O>;
export function jvp(network: NetworkValue, at: At, tangent: Node, argument?: string): Node {
  const output = outputNames(network)[0] ?? '';
  return { tag: 'jvp', network, ...placesOf(network, at, argument), tangent, output };
}

/** Jᵀ·cotangent, the transpose of `jvp`; a leading axis of k probes, and several arguments, as there. */
export function vjp<A extends ArgumentShapes, O extends Shape, N extends keyof A & string>(
  network: FunctionNetwork<A, O>,
  at: ArgumentsOf<NoInfer<A>>,
  cotangent: Expr<NoInfer<O>>,
  argument: N,
): Expr<A[N]>;
export function vjp<I extends Shape, O extends Shape, K extends number>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
  cotangent: Expr<readonly [K, ...O]>,
): Expr<readonly [K, ...I]>;
export function vjp<I extends Shape, O extends Shape>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
  cotangent: Expr<NoInfer<O>>,
): Expr<I>;
export function vjp(network: NetworkValue, at: At, cotangent: Node, argument?: string): Node {
  const output = outputNames(network)[0] ?? '';
  return { tag: 'vjp', network, ...placesOf(network, at, argument), cotangent, output };
}

/** log |det J| of the flow at `at`, in nats, with the primal of `apply(flow, at)`. */
export const logDet = <I extends Shape, O extends Shape>(
  flow: Flow<I, O, Direction, 'bijective'>,
  at: Expr<NoInfer<I>>,
): Expr<Scalar> => ({ tag: 'logDet', network: flow, at });
