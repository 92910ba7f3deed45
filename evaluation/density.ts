/** How well a density was learned: the likelihood of held-out examples, and, where the manifold is known, the density on it beside the true one. */
import { logDensity, type Manifold, optimalNll } from '../data/index.js';
import { sizeOf } from '../dsl/index.js';
import type { Fitted } from '../training/index.js';
import type { Examples } from './expressions.js';

/** A point of D numbers and ln p there. */
export type DensityPoint = { readonly at: readonly number[]; readonly logDensity: number };

export type DensityFit = {
  /** −mean ln p in nats; of a manifold, at the points that examples project to. */
  readonly nll: number;
  /** What no model of the same manifold falls below, where the manifold is known. */
  readonly optimal: number | null;
  /** √ of the mean of ‖x − x̂‖²: how far examples are from the manifold that the density is on. */
  readonly distance: number;
  /** The same examples on the true manifold and on the learned one; empty where the manifold is not known. */
  readonly truth: readonly DensityPoint[];
  readonly learned: readonly DensityPoint[];
};

const POINTS = 1200;

const mean = (values: Float32Array): number => values.reduce((sum, v) => sum + v, 0) / values.length;

const pointsOf = (
  examples: Float32Array,
  width: number,
  count: number,
  at: (row: number) => number,
): readonly DensityPoint[] =>
  Array.from({ length: count }, (_, row) => ({
    at: [...examples.subarray(row * width, (row + 1) * width)],
    logDensity: at(row),
  }));

/** Latents of examples on a manifold: those they were made from, or those of the nearest point. */
const latentsOf = (
  { dimension, project }: Manifold,
  { shape, examples, latents }: Examples & { readonly latents?: Float64Array | undefined },
  row: number,
): Float64Array | undefined => {
  const width = sizeOf(shape);
  return latents === undefined
    ? project?.(examples.subarray(row * width, (row + 1) * width))
    : latents.subarray(row * dimension, (row + 1) * dimension);
};

/** Measures the density of a fitted model; undefined where the model has none, or there is nothing to measure it on. */
export const densityFit = async (
  fitted: Fitted,
  held: Examples & { readonly latents?: Float64Array | undefined },
  manifold?: Manifold,
): Promise<DensityFit | undefined> => {
  const { logProb } = fitted;
  const { shape, examples } = held;
  if (logProb === undefined || examples.length === 0) return undefined;
  const width = sizeOf(shape);
  const found = await logProb(examples);
  const count = Math.min(POINTS, examples.length / width);
  const trueDensity = (row: number): number => {
    const latents = manifold === undefined ? undefined : latentsOf(manifold, held, row);
    return manifold === undefined || latents === undefined ? Number.NaN : logDensity(manifold, latents);
  };
  const shown = manifold === undefined ? 0 : count;
  const reconstructed = shown === 0 ? examples : await fitted.reconstruct(examples.slice(0, shown * width));
  return {
    nll: -mean(found.logDensity),
    optimal: (manifold === undefined ? undefined : optimalNll(manifold)) ?? null,
    distance: Math.sqrt(mean(found.distance.map((r) => r * r))),
    truth: pointsOf(examples, width, shown, trueDensity),
    learned: pointsOf(reconstructed, width, shown, (row) => found.logDensity[row]),
  };
};
