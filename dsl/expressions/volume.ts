/**
 * The volume that a network spans: ½ ln det JᵀJ, J its Jacobian, exactly or by the surrogate of Caterini, Loaiza-Ganem, Pleiss and
 * Cunningham, Rectangular Flows for Manifold Learning, NeurIPS 2021.
 */
import { namesOf, unknownOptions } from '../mistake.js';
import { elementAt } from '../lookup.js';
import { draw } from './expression.js';
import type { Expr, Node, Surrogate, VolumeMethod } from './expression.js';
import type { DistributionName } from './draw.js';
import { placesOf, type Probed } from './application.js';
import {
  type ArgumentsOf,
  argumentsOf,
  type FunctionNetwork,
  type Network,
  type NetworkValue,
  outputNames,
} from '../network.js';
import type { Scalar, Shape } from '../shape.js';

/** The unit probes of a shape: jvp over them gives the whole Jacobian, a column for each. */
export const basis = <const S extends Shape>(...shape: S): Expr<readonly [number, ...S]> => ({
  tag: 'basis',
  shape,
});

/** ⟨e_i, e_j⟩ for the k arrays of the leading axis: JᵀJ of the columns of J. */
export const gram = <K extends number>(e: Expr<readonly [K, ...Shape]>): Expr<readonly [K, K]> => ({
  tag: 'gram',
  of: e,
});

/**
 * ln det of a symmetric positive definite matrix by its Cholesky factor. Where it has none, a training step adds jitter to the
 * diagonal three times, from 1e-6 of its mean by factors of 10; after that it is not a number, and the step is not committed.
 * Evaluated it has no jitter, and is not a number where a pivot is less than 1e-6 of its diagonal element. Of `gram(e)` it takes the
 * triangular factor of e itself, whose condition is the root of the matrix's: with jitter of 1e-6 in training, and evaluated not a number,
 * where one of the arrays adds less than 1e-6 of its length to those before it.
 */
export const logDetSPD = <N extends number>(e: Expr<readonly [N, N]>): Expr<Scalar> => ({
  tag: 'logDetSPD',
  of: e,
});

export type SolveOptions = {
  /**
   * Conjugate gradients with at most as many products with JᵀJ. Without it the solution is exact: after as many products as there
   * are dimensions, or by all columns of J and their triangular factor where the compiler finds that cheaper.
   */
  readonly iterations?: number;
  /** Relative residual at which an example is done. Default 1e-6. */
  readonly tolerance?: number;
};

/**
 * (JᵀJ)⁻¹·b, J the Jacobian of the network at `at`; b may have a leading axis of probes. The network has at least as many outputs as
 * inputs. Its derivative is that of the exact solution, also where a bound on the iterations leaves something over.
 */
export function solveGram<I extends Shape, O extends Shape, T extends Probed<I> = Probed<I>>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
  b: Expr<T>,
  options?: SolveOptions,
): Expr<T>;
export function solveGram(network: NetworkValue, at: Node, b: Node, options: SolveOptions = {}): Node {
  const { iterations, tolerance = 1e-6 } = options;
  const bound = iterations === undefined ? {} : { iterations };
  return {
    tag: 'solveGram',
    network,
    at,
    of: b,
    output: elementAt(outputNames(network), 0),
    ...bound,
    tolerance,
    ...unknownOptions('solveGram', options, ['iterations', 'tolerance']),
  };
}

const volumeOptions = namesOf<VolumeOptions & { readonly argument?: string }>({
  method: true,
  probe: true,
  probes: true,
  name: true,
  iterations: true,
  argument: true,
});

export type VolumeOptions<M extends VolumeMethod = VolumeMethod> = {
  /**
   * Default `auto`: the surrogate where it costs less, by as much as its variance is worth, than the exact volume: with one probe half as many
   * products with J. `explain` shows both.
   */
  readonly method?: M;
  /** How ε is drawn. Default `sphere`. */
  readonly probe?: Extract<DistributionName, 'normal' | 'sphere' | 'rademacher'>;
  /** How many ε an example gets. Default 1. */
  readonly probes?: number;
  /** The name of the draw. Default `epsilon`. */
  readonly name?: string;
  /** Conjugate gradients with at most as many products with JᵀJ for u; see solveGram. */
  readonly iterations?: number;
};

/**
 * ½ ln det JᵀJ of the network at `at` (½ ln det JJᵀ where it has more inputs than outputs). `exact` takes min(d, D) products
 * with J and their triangular factor. `stochastic` is a surrogate whose expected gradient is the exact one: ½·mean of ‖J·stop(w)‖², w = L⁻ᵀε with
 * JᵀJ = L·Lᵀ, whose variance does not grow with J's condition; or, where conjugate gradients are asked for by `iterations` or cost less, of
 * ⟨J·stop(u), J·ε⟩, u = (JᵀJ)⁻¹ε, whose variance does. Evaluation is exact whatever the method.
 */
export function volume<A extends Readonly<Record<string, Shape>>, O extends Shape>(
  network: FunctionNetwork<A, O>,
  at: ArgumentsOf<NoInfer<A>>,
  options: VolumeOptions & { readonly argument: keyof A & string },
): Surrogate;
export function volume<I extends Shape, O extends Shape>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
  options: VolumeOptions<'exact'> & { readonly method: 'exact' },
): Expr<Scalar>;
export function volume<I extends Shape, O extends Shape>(
  network: Network<I, O>,
  at: Expr<NoInfer<I>>,
  options?: VolumeOptions,
): Surrogate;
export function volume(
  network: NetworkValue,
  at: Node | Readonly<Record<string, Node>>,
  options: VolumeOptions & { readonly argument?: string } = {},
): Node {
  const { method = 'auto', probe = 'sphere', probes = 1, name = 'epsilon', iterations, argument } = options;
  const shapes = argumentsOf(network);
  const input = shapes[argument ?? ''] ?? network.input;
  return {
    tag: 'volume',
    network,
    ...placesOf(network, at, argument),
    output: elementAt(outputNames(network), 0),
    method,
    ...(method === 'exact' ? {} : { probes: draw(name, { tag: probe, shape: input }, { probes }) }),
    ...(iterations === undefined ? {} : { iterations }),
    ...unknownOptions('volume', options, volumeOptions),
  };
}

export type VolumeNode = Extract<Node, { readonly tag: 'volume' }>;
export type SolveNode = Extract<Node, { readonly tag: 'solveGram' }>;

/** How many ε there are among probes. */
export const probeCount = (probes: Node | undefined): number =>
  probes?.tag === 'draw' ? (probes.probes ?? 1) : 1;

type Placed = Pick<VolumeNode, 'at' | 'argument' | 'given'>;

/** Where a network is applied, for another question about it there. */
export const placesIn = ({ at, argument, given }: Placed): Placed => ({
  at,
  ...(argument === undefined ? {} : { argument }),
  ...(given === undefined ? {} : { given }),
});

const half = (of: Node): Node => ({ tag: 'scale', by: { tag: 'constant', value: 0.5 }, of });

/** The volume by all columns of J, or by all its rows: its shape is that of the basis. */
export const exactVolume = (volumeNode: VolumeNode, by: 'columns' | 'rows', shape: Shape): Node => {
  const { network, output } = volumeNode;
  const places = placesIn(volumeNode);
  const unit: Node = { tag: 'basis', shape };
  const products: Node =
    by === 'columns'
      ? { tag: 'jvp', network, ...places, tangent: unit, output }
      : { tag: 'vjp', network, ...places, cotangent: unit, output };
  return half({ tag: 'logDetSPD', of: { tag: 'gram', of: products } });
};

/** u = (JᵀJ)⁻¹·ε, as the surrogate has it. */
export const surrogateSystem = (volumeNode: VolumeNode, probes: Node): SolveNode => {
  const { network, output, iterations } = volumeNode;
  const bound = iterations === undefined ? {} : { iterations };
  return {
    tag: 'solveGram',
    network,
    ...placesIn(volumeNode),
    of: probes,
    output,
    ...bound,
    tolerance: 1e-6,
  };
};
