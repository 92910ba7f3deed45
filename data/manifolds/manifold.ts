/** Manifolds with a density on them, known exactly in float64: a chart from latents to data and the latents' density, from which all else follows. */
import { atLeast, elementAt, float64At, type AtLeast } from '../../dsl/lookup.js';
import { nodes } from './quadrature.js';

/** A point or its latents. */
export type Vector = ArrayLike<number> & Iterable<number>;

/** A function of a vector by its first coordinates. */
export const coordinates =
  <N extends keyof AtLeast<number>, R>(count: N, f: (values: AtLeast<number>[N]) => R) =>
  (vector: Vector): R =>
    f(atLeast(count, Array.from(vector)));

export type Manifold = {
  readonly name: string;
  /** Of one example. */
  readonly shape: readonly number[];
  /** The intrinsic dimension d, and that of the latents. */
  readonly dimension: number;
  /** An interval for each latent; outside lies less than 1e-14 of the mass. */
  readonly domain: readonly (readonly [number, number])[];
  /** How many numbers uniform on [0, 1) one example takes. */
  readonly uniforms: number;
  /** Latents of one example, [d]. */
  readonly latents: (uniforms: Vector) => Float64Array;
  /** Nats, with respect to Lebesgue measure on the domain. */
  readonly logLatentDensity: (latents: Vector) => number;
  /** The chart g: latents [d] → data [D]. */
  readonly embed: (latents: Vector) => Float64Array;
  /** dg/dz, row-major [D, d]. */
  readonly jacobian: (latents: Vector) => Float64Array;
  /** Latents of the nearest point of the manifold, where there is a formula. */
  readonly project?: (point: Vector) => Float64Array;
};

/** ½ log det of a symmetric positive semi-definite matrix, row-major [d, d], by Cholesky; −∞ where it is singular. */
const halfLogDet = (matrix: Float64Array, d: number): number => {
  const factor = Float64Array.from(matrix);
  let sum = 0;
  for (let j = 0; j < d; j++) {
    let pivot = float64At(factor, j * d + j);
    for (let k = 0; k < j; k++) pivot -= float64At(factor, j * d + k) ** 2;
    if (!(pivot > 0)) return -Infinity;
    const root = Math.sqrt(pivot);
    factor[j * d + j] = root;
    sum += Math.log(root);
    for (let i = j + 1; i < d; i++) {
      let entry = float64At(factor, i * d + j);
      for (let k = 0; k < j; k++) entry -= float64At(factor, i * d + k) * float64At(factor, j * d + k);
      factor[i * d + j] = entry / root;
    }
  }
  return sum;
};

/** ½ log det JᵀJ of a matrix, row-major [D, d]: the log of the volume of what a unit cube of latents becomes. */
export const logVolumeOf = (matrix: Vector, d: number): number => {
  const jacobian = Float64Array.from(matrix);
  const gram = new Float64Array(d * d);
  for (let row = 0; row < jacobian.length; row += d)
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++)
        gram[i * d + j] =
          float64At(gram, i * d + j) + float64At(jacobian, row + i) * float64At(jacobian, row + j);
  return halfLogDet(gram, d);
};

/** ½ log det JᵀJ of the chart at some latents, in nats. */
export const logVolume = (manifold: Manifold, latents: Vector): number =>
  logVolumeOf(manifold.jacobian(latents), manifold.dimension);

/** log p at g(z) with respect to volume on the manifold, in nats: log p(z) − ½ log det JᵀJ. */
export const logDensity = (manifold: Manifold, latents: Vector): number =>
  manifold.logLatentDensity(latents) - logVolume(manifold, latents);

/** Euclidean distance from a point to the manifold, where the nearest point is known. */
export const distance = ({ project, embed }: Manifold, point: Vector): number | undefined =>
  project === undefined
    ? undefined
    : Math.hypot(...embed(project(point)).map((value, i) => value - elementAt(point, i)));

const PANELS = 64;

/** E f(z) over the latents by quadrature, for d of one or two. */
export const expectation = (
  { dimension, domain, logLatentDensity }: Manifold,
  f: (latents: Vector) => number,
): number | undefined => {
  if (dimension > 2) return undefined;
  const weighted = (latents: readonly number[]): number => {
    const density = Math.exp(logLatentDensity(latents));
    return density === 0 ? 0 : density * f(latents);
  };
  const axes = domain.map(([from, to]) => nodes(from, to, PANELS));
  return elementAt(axes, 0).reduce(
    (total, { at: u, weight }) =>
      total +
      weight *
        (axes.length === 1
          ? weighted([u])
          : elementAt(axes, 1).reduce((sum, { at: v, weight: w }) => sum + w * weighted([u, v]), 0)),
    0,
  );
};

/** −E log p in nats: the negative log-likelihood that no model of the same manifold can fall below. For d of one or two. */
export const optimalNll = (manifold: Manifold): number | undefined =>
  expectation(manifold, (latents) => -logDensity(manifold, latents));
