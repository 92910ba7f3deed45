/**
 * What a decoder does to space along the data: the spectrum of its Jacobian, how tight the bounds on its volume term
 * are, where it falls short of injectivity, and how well the encoder undoes it.
 */
import { type Either, isLeft, isRight, right } from 'fp-ts/lib/Either.js';
import type { Dataset } from '../data/index.js';
import {
  apply,
  codeOutput,
  data,
  type Expr,
  hypersOf,
  type Network,
  norm,
  type Problem,
  sizeOf,
  sub,
} from '../dsl/index.js';
import { attempt } from '../runtime/failure.js';
import type { Fitted, Model, Prior } from '../training/index.js';
import { type BoundName, boundsOf, logVolume } from './bounds.js';
import { type CollisionSearch, searchCollisions } from './collisions.js';
import { evaluateExpressions } from './expressions.js';
import { jacobiansAt, type LocalGeometry } from './jacobian.js';
import { fitGaussian } from './priors/gaussian.js';
import { conditionNumber, effectiveRank, isDegenerate } from './singular-values.js';
import { mean, type Summary, summaryOf } from './summary.js';

export type Tightness = Readonly<Record<BoundName, number>>;

export type Geometry = {
  /** At how many points the Jacobian was taken. */
  readonly points: number;
  /** d. */
  readonly dimension: number;
  /** s₁ ≥ … ≥ s_d along the data, a summary for each index. */
  readonly spectrum: readonly Summary[];
  /** s₁/s_d. */
  readonly condition: Summary;
  /** From 1 to d. */
  readonly effectiveRank: Summary;
  /** ½ log det JᵀJ, in nats. */
  readonly volume: Summary;
  /** Points where J is not of full rank in single precision; means of the volume and of the tightness leave them out. */
  readonly degenerate: number;
  /** Each bound minus ½ log det JᵀJ, in nats, mean over the points. */
  readonly tightness: Tightness;
  /** λ of the linear bound, eq. (4). */
  readonly lambda: number;
  readonly violations: {
    readonly eta: number;
    /** Share of points with s_d < η. */
    readonly points: number;
    /** Share of uniform directions v at these points with ‖Jv‖/‖v‖ < η: what the injectivity term samples. */
    readonly directions: number;
  };
  readonly reencoding: {
    /** ‖h(g(z)) − z‖ at the codes z of the data. */
    readonly data: Summary;
    /** The same at as many codes drawn from the prior; null where there is none. */
    readonly prior: Summary | null;
    /** Root mean square distance of the codes from their mean: what to compare with. */
    readonly spread: number;
  };
  /** Null where no two codes differ. */
  readonly collisions: CollisionSearch | null;
};

export type GeometryOptions = {
  /** The most points, spread evenly over the data; 256 unless given. */
  readonly points?: number;
  /** What the Jacobians may cost, and the search for collisions again: fewer points and steps otherwise. */
  readonly flops?: number;
  readonly seed?: number;
  /** Where more codes to re-encode are drawn; the Gaussian fitted to the codes of the points unless given. */
  readonly prior?: Prior;
  /** η; the hyper-parameter `eta` of the experiment, or the paper's 0.1. */
  readonly eta?: number;
  /** λ; the hyper-parameter `lambda` of the experiment, or the paper's 1. */
  readonly lambda?: number;
};

/** A few seconds on one core. */
const AFFORDABLE = 5e10;

/** Rows spread evenly over a data set. */
const spreadRows = ({ examples, shape, size }: Dataset, most: number): Float32Array => {
  const width = sizeOf(shape);
  const count = Math.min(most, size);
  const chosen = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const row = Math.floor((i * size) / count);
    chosen.set(examples.subarray(row * width, (row + 1) * width), i * width);
  }
  return chosen;
};

/** ‖h(g(z)) − z‖ for each code z, row-major [n, d]. */
export const reencodingDistances = async (
  model: Model,
  codes: Float32Array,
): Promise<Either<readonly Problem[], Float32Array>> => {
  const { encoder, decoder }: { readonly encoder: Network; readonly decoder: Network } = model.experiment;
  const z = data(...decoder.input);
  const again: Expr = {
    tag: 'apply',
    network: encoder,
    at: apply(decoder, z),
    output: codeOutput(encoder),
  };
  const expressions = { distance: norm(sub(again, z)) };
  const found = await evaluateExpressions(model, expressions, { shape: decoder.input, examples: codes });
  return isLeft(found) ? found : right(found.right.distance.values);
};

const spreadOf = (codes: Float32Array, d: number): number => {
  const count = codes.length / d;
  const center = new Float64Array(d);
  codes.forEach((value, i) => (center[i % d] += value / count));
  return Math.sqrt(codes.reduce((sum, value, i) => sum + (value - center[i % d]) ** 2, 0) / count);
};

const gaussianOf = (codes: Float32Array, d: number): Prior | null => {
  const gaussian = fitGaussian(codes, d);
  return isLeft(gaussian) ? null : gaussian.right.sample;
};

const share = (values: readonly boolean[]): number => values.filter(Boolean).length / values.length;

const localFigures = (points: readonly LocalGeometry[], size: number, eta: number, lambda: number) => {
  const spectra = points.map(({ spectrum }) => spectrum);
  const [{ length: d }] = spectra;
  const regular = spectra.filter((s) => !isDegenerate(s, size));
  const bounds = regular.map((s) => ({ volume: logVolume(s), ...boundsOf(s, lambda) }));
  const excess = (name: BoundName): number => mean(bounds.map((at) => at[name] - at.volume));
  return {
    points: points.length,
    dimension: d,
    spectrum: Array.from({ length: d }, (_, i) => summaryOf(spectra.map((s) => s[i]))),
    condition: summaryOf(spectra.map(conditionNumber)),
    effectiveRank: summaryOf(spectra.map(effectiveRank)),
    volume: summaryOf(bounds.map(({ volume }) => volume)),
    degenerate: spectra.length - regular.length,
    tightness: { sphere: excess('sphere'), frobenius: excess('frobenius'), linear: excess('linear') },
    lambda,
    violations: {
      eta,
      points: share(spectra.map((s) => s[d - 1] < eta)),
      directions: share(points.flatMap(({ stretches }) => [...stretches].map((stretch) => stretch < eta))),
    },
  };
};

/** The geometry of a fitted model along a data set of at least one example. */
export const geometryOf = async (
  fitted: Model & Pick<Fitted, 'encode'>,
  dataset: Dataset,
  options: GeometryOptions = {},
): Promise<Either<readonly Problem[], Geometry>> => {
  const { points: most = 256, flops = AFFORDABLE, seed = 0 } = options;
  const hypers = hypersOf(fitted.experiment);
  const eta = options.eta ?? hypers.get('eta') ?? 0.1;
  const lambda = options.lambda ?? hypers.get('lambda') ?? 1;
  const d = sizeOf(fitted.experiment.decoder.input);
  const encoded = await attempt(() => fitted.encode(spreadRows(dataset, most)));
  if (isLeft(encoded)) return encoded;
  const codes = encoded.right;
  const local = await jacobiansAt(fitted, codes, { flops, seed });
  if (isLeft(local)) return local;
  const reencoded = await reencodingDistances(fitted, codes);
  if (isLeft(reencoded)) return reencoded;
  const prior = options.prior ?? gaussianOf(codes, d);
  const drawn = prior === null ? null : await reencodingDistances(fitted, prior(codes.length / d, seed));
  if (drawn !== null && isLeft(drawn)) return drawn;
  const collisions = await searchCollisions(fitted, codes, { flops });
  return right({
    ...localFigures(local.right, sizeOf(dataset.shape), eta, lambda),
    reencoding: {
      data: summaryOf([...reencoded.right]),
      prior: drawn === null ? null : summaryOf([...drawn.right]),
      spread: spreadOf(codes, d),
    },
    collisions: isRight(collisions) ? collisions.right : null,
  });
};
