/** How well a density was learned: the likelihood of held-out examples, and, where the manifold is known, the density on it beside the true one. */
import { float32At } from '../../dsl/lookup.js';
import { logDensity, type Manifold, optimalNll } from '../../data/index.js';
import { sizeOf } from '../../dsl/index.js';
import type { Fitted } from '../../runs/index.js';
import type { Examples } from '../../runs/index.js';

/** A point of D numbers and ln p there. */
export type DensityPoint = { readonly at: readonly number[]; readonly logDensity: number };

export type DensityFit = {
  /** −mean ln p in nats; of a manifold, at the points that examples project to. */
  readonly nll: number;
  /** What no model of the same manifold falls below, where the manifold is known. */
  readonly optimal: number | null;
  /** √ of the mean of ‖x − x̂‖²: how far examples are from the manifold that the density is on. */
  readonly distance: number;
  /**
   * Points of the true manifold and of the learned one; none where the manifold is not known. Of a curve they lie along it, in
   * order, as far as examples reach; else they are the same examples on both.
   */
  readonly truth: readonly DensityPoint[];
  readonly learned: readonly DensityPoint[];
  readonly isCurve: boolean;
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

const trueDensity = (manifold: Manifold | undefined, latents: Float64Array | undefined): number =>
  manifold === undefined || latents === undefined ? Number.NaN : logDensity(manifold, latents);

/** As many numbers at equal distances, from the least of some to the greatest. */
const between = (values: readonly number[]): readonly number[] => {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  return Array.from({ length: POINTS }, (_, i) => least + ((greatest - least) * i) / (POINTS - 1));
};

type Points = Pick<DensityFit, 'truth' | 'learned'>;

/** A curve from end to end, by its own parameter and by the code of the learned one. */
const curvePoints = async (
  { encode, decode, logProb }: Fitted,
  { examples }: Examples,
  latents: readonly number[],
  manifold: Manifold,
): Promise<Points> => {
  const decoded = await decode(Float32Array.from(between([...(await encode(examples))])));
  const found = await logProb(decoded);
  return {
    truth: between(latents).map((t) => ({
      at: [...manifold.embed([t])],
      logDensity: logDensity(manifold, [t]),
    })),
    learned: pointsOf(decoded, sizeOf(manifold.shape), POINTS, (row) => float32At(found.logDensity, row)),
  };
};

/** In one line. */
export const densityText = ({ nll, optimal, distance }: DensityFit): string => {
  const least = optimal === null ? '' : ` (${optimal.toFixed(3)} is the least on the true manifold)`;
  return `held-out negative log-likelihood ${nll.toFixed(3)} nats${least}, at an RMS distance of ${distance.toPrecision(3)} from the learned manifold`;
};

/** Measures the density of a fitted model; undefined where the model has none, or there is nothing to measure it on. */
export const densityFit = async (
  fitted: Fitted,
  held: Examples & { readonly latents?: Float64Array | undefined },
  manifold?: Manifold,
): Promise<DensityFit | undefined> => {
  const { logProb, experiment, compiled } = fitted;
  const { shape, examples } = held;
  if (compiled.density === undefined || examples.length === 0) return undefined;
  const width = sizeOf(shape);
  const found = await logProb(examples);
  const rows = manifold === undefined ? 0 : Math.min(POINTS, examples.length / width);
  const shown = { shape, examples: examples.slice(0, rows * width) };
  const latents =
    manifold === undefined ? [] : Array.from({ length: rows }, (_, row) => latentsOf(manifold, held, row));
  const isCurve = manifold?.dimension === 1 && sizeOf(experiment.decoder.input) === 1;
  const surfacePoints = async (): Promise<Points> => ({
    truth: pointsOf(shown.examples, width, rows, (row) => trueDensity(manifold, latents[row])),
    learned: pointsOf(await fitted.reconstruct(shown.examples), width, rows, (row) =>
      float32At(found.logDensity, row),
    ),
  });
  const points =
    manifold === undefined
      ? { truth: [], learned: [] }
      : isCurve
        ? await curvePoints(
            fitted,
            shown,
            latents.flatMap((z) => [...(z ?? [])]),
            manifold,
          )
        : await surfacePoints();
  return {
    nll: -mean(found.logDensity),
    optimal: (manifold === undefined ? undefined : optimalNll(manifold)) ?? null,
    distance: Math.sqrt(mean(found.distance.map((r) => r * r))),
    ...points,
    isCurve,
  };
};
