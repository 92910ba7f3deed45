/**
 * Squared Frobenius norms of Jacobians by random probes: ‖J‖²_F = tr JᵀJ = E‖Jv‖² for E vvᵀ = I; Hutchinson, A stochastic
 * estimator of the trace of the influence matrix, 1990.
 */
import {
  add,
  apply,
  type DistributionName,
  draw,
  type Expr,
  jvp,
  meanOf,
  type Network,
  type Node,
  reshaped,
  type Scalar,
  scale,
  type Shape,
  sizeOf,
  slice,
  sqNorm,
  sqNormEach,
  sub,
  vjp,
} from '../dsl/index.js';

export type ProbeOptions = {
  /** Name of the draw. Default: v. */
  readonly name?: string;
  /** How v is drawn, E vvᵀ = I each. Default: sphere (|v|² = d). */
  readonly probe?: Extract<DistributionName, 'normal' | 'sphere' | 'rademacher'>;
  /** k, the mean over which is taken; `exact` for an orthonormal frame of all dimensions, whose mean is ‖J‖²_F itself. Default: 1. */
  readonly probes?: number | 'exact';
  /**
   * `forward`: Jv, v of the input's shape. `reverse`: Jᵀv, v of the output's shape. `auto`, the default: whichever v has fewer
   * numbers. One product costs the same either way; the whole Jacobian takes as many as v has numbers, and the estimate by one
   * `sphere` probe of n numbers has variance 2/(n + 2)·(n·‖JᵀJ‖²_F − ‖J‖⁴_F), which grows with n. A number ε: forward by the finite
   * difference (g(z + εv) − g(z))/ε of eq. (8), Kumar, Poole and Murphy 2020, who take ε = 0.01.
   */
  readonly jacobian?: 'auto' | 'forward' | 'reverse' | number;
};

/**
 * Jv of eq. (8): (g(z + εv) − g(z))/ε, off by ε/2 times g's second derivative along v. With batch norm each of the two
 * values is normalised by the statistics of its own batch.
 */
export const finiteDifference = <I extends Shape, O extends Shape>(
  net: Network<I, O>,
  at: Expr<NoInfer<I>>,
  tangent: Expr<NoInfer<I>>,
  epsilon: number,
): Expr<O> => scale(1 / epsilon, sub(apply(net, add<I>(at, scale(epsilon, tangent))), apply(net, at)));

/** Hutchinson's estimate of ‖J‖²_F for the Jacobian J of a network at a point; `output` is the shape of the network's value. */
export const sqFrobenius = <I extends Shape, O extends Shape>(
  net: Network<I, O>,
  at: Expr<NoInfer<I>>,
  output: Shape,
  { name = 'v', probe = 'sphere', probes = 1, jacobian = 'auto' }: ProbeOptions = {},
): Expr<Scalar> => {
  const isReverse = jacobian === 'reverse' || (jacobian === 'auto' && sizeOf(output) < sizeOf(net.input));
  const shape = isReverse ? output : net.input;
  const k = probes === 'exact' ? sizeOf(shape) : probes;
  const distribution = { tag: probes === 'exact' ? 'orthonormal' : probe, shape } as const;
  if (isReverse) {
    const back: Node = vjp(net, at, draw<O, number>(name, distribution, { probes: k }));
    return meanOf(k, sqNormEach(back));
  }
  const v = draw<I, number>(name, distribution, { probes: k });
  const along: Node = jvp(net, at, v);
  if (typeof jacobian === 'string') return meanOf(k, sqNormEach(along));
  const squares = Array.from({ length: k }, (_, i) => {
    const one: Node = reshaped(slice(v, [i, ...shape.map(() => 0)], [1, ...shape]), ...shape);
    const tangent: Expr<I> = one;
    return sqNorm(finiteDifference(net, at, tangent, jacobian));
  });
  return scale(
    1 / k,
    squares.reduce((total, square) => add(total, square)),
  );
};
