/**
 * What a decoder does to space along the data: the spectrum of its Jacobian, how tight the bounds on its volume term
 * are, where it falls short of injectivity, and how well the encoder undoes it.
 */
import { atLeast, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js';
import { read, type Source } from '../../data/index.js';
import { permutation } from '../../data/batches.js';
import {
  apply,
  data,
  hypersOf,
  namesOf,
  type Network,
  norm,
  optionProblems,
  type Problem,
  problem,
  sizeOf,
  sub,
} from '../../dsl/index.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import type { Model, Prior } from '../../runs/index.js';
import { type BoundName, boundsOf, logVolume } from './bound-chain.js';
import { type CollisionSearch, searchCollisions } from './collisions.js';
import {
  codeOf,
  type EvaluationOptions,
  evaluateExpressions,
  type Examples,
} from '../../runs/model/expressions.js';
import { jacobiansAt, type LocalGeometry } from './decoder-jacobian.js';
import { fitGaussian } from '../priors/gaussian.js';
import { conditionNumber, effectiveRank } from './singular-values.js';
import { mean, type Summary, summaryOf } from '../summary.js';

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
    /** How many codes of the data. */
    readonly codes: number;
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
  /** The most points, a random part of the data; 256 unless given. */
  readonly points?: number;
  /** What each part may cost; fewer points and steps where all would cost more. 10¹¹ unless given. */
  readonly flops?: number;
  /** Chooses the points and their frames; 0 unless given. */
  readonly seed?: number;
  /** Where more codes to re-encode are drawn; the Gaussian fitted to the codes of the points unless given. */
  readonly prior?: Prior;
  /** η; the hyper-parameter `eta` of the experiment, or the paper's 0.1. */
  readonly eta?: number;
  /** λ; the hyper-parameter `lambda` of the experiment, or the paper's 1. */
  readonly lambda?: number;
};

const names = namesOf<GeometryOptions>({
  points: true,
  flops: true,
  seed: true,
  prior: true,
  eta: true,
  lambda: true,
});

/** Some seconds on one core for each of the parts. */
const AFFORDABLE = 1e11;

/** Examples of a data set in random order, so that the first of them stand for all. */
const sampled = async (
  source: Source,
  most: number,
  seed: number,
): Promise<Either<readonly Problem[], Examples>> => {
  const { shape, size } = source;
  const key = deriveKey(seed, 'geometry');
  const order = permutation(size, 0, (epoch, count) => uniforms(key, [0, 0, epoch], count));
  const rows = order.subarray(0, Math.min(most, size));
  const examples = new Float32Array(rows.length * sizeOf(shape));
  const done = await read(source, rows, examples)();
  return isLeft(done) ? done : right({ shape, examples });
};

/** ‖h(g(z)) − z‖ for each code z, row-major [n, d]. */
export const reencodingDistances = async (
  model: Model,
  codes: Float32Array,
  options: EvaluationOptions = {},
): Promise<Either<readonly Problem[], Float32Array>> => {
  const { encoder, decoder }: { readonly encoder: Network; readonly decoder: Network } = model.experiment;
  const z = data(...decoder.input);
  const distance = norm(sub(codeOf(encoder, apply(decoder, z)), z));
  const examples = { shape: decoder.input, examples: codes };
  const found = await evaluateExpressions(model, { distance }, examples, options);
  return isLeft(found) ? found : right(found.right.distance.values);
};

/** Root mean square distance of codes [n, d] from their mean. */
export const spreadOf = (codes: Float32Array, d: number): number => {
  const count = codes.length / d;
  const center = new Float64Array(d);
  codes.forEach((value, i) => (center[i % d] = float64At(center, i % d) + value / count));
  return Math.sqrt(codes.reduce((sum, value, i) => sum + (value - float64At(center, i % d)) ** 2, 0) / count);
};

const gaussianOf = (codes: Float32Array, d: number): Prior | null => {
  const gaussian = fitGaussian(codes, d);
  return isLeft(gaussian) ? null : gaussian.right.sample;
};

const share = (values: readonly boolean[]): number => values.filter(Boolean).length / values.length;

/** What Jacobians at some points come to. */
export const localFigures = (
  points: readonly LocalGeometry[],
  eta: number,
  lambda: number,
): Omit<Geometry, 'reencoding' | 'collisions'> => {
  const spectra = points.map(({ spectrum }) => spectrum);
  const [{ length: d }] = atLeast(1, spectra);
  const regular = points.flatMap(({ spectrum, degenerate }) => (degenerate ? [] : [spectrum]));
  const bounds = regular.map((s) => ({ volume: logVolume(s), ...boundsOf(s, lambda) }));
  const excess = (name: BoundName): number => mean(bounds.map((at) => at[name] - at.volume));
  return {
    points: points.length,
    dimension: d,
    spectrum: Array.from({ length: d }, (_, i) => summaryOf(spectra.map((s) => float64At(s, i)))),
    condition: summaryOf(spectra.map(conditionNumber)),
    effectiveRank: summaryOf(spectra.map(effectiveRank)),
    volume: summaryOf(bounds.map(({ volume }) => volume)),
    degenerate: spectra.length - regular.length,
    tightness: { sphere: excess('sphere'), frobenius: excess('frobenius'), linear: excess('linear') },
    lambda,
    violations: {
      eta,
      points: share(spectra.map((s) => float64At(s, d - 1) < eta)),
      directions: share(points.flatMap(({ stretches }) => [...stretches].map((stretch) => stretch < eta))),
    },
  };
};

/** The geometry of a trained model along a data set. */
export const geometryOf = async (
  model: Model,
  dataset: Source,
  options: GeometryOptions = {},
): Promise<Either<readonly Problem[], Geometry>> => {
  const unknown = optionProblems('geometryOf', options, names);
  if (unknown.length > 0) return left(unknown);
  const { points: most = 256, flops = AFFORDABLE, seed = 0 } = options;
  if (dataset.size === 0) return left([problem('data', 'no example', 'at least one')]);
  const { encoder, decoder } = model.experiment;
  const hypers = hypersOf(model.experiment);
  const eta = options.eta ?? hypers.get('eta') ?? 0.1;
  const lambda = options.lambda ?? hypers.get('lambda') ?? 1;
  const d = sizeOf(decoder.input);
  const examples = await sampled(dataset, most, seed);
  if (isLeft(examples)) return examples;
  const code = codeOf(encoder, data(...encoder.input));
  const encoded = await evaluateExpressions(model, { code }, examples.right, { flops });
  if (isLeft(encoded)) return encoded;
  const codes = encoded.right.code.values;
  const local = await jacobiansAt(model, codes, { flops, seed });
  if (isLeft(local)) return local;
  const reencoded = await reencodingDistances(model, codes, { flops });
  if (isLeft(reencoded)) return reencoded;
  const prior = options.prior ?? gaussianOf(codes, d);
  const drawn =
    prior === null ? null : await reencodingDistances(model, prior(codes.length / d, seed), { flops });
  if (drawn !== null && isLeft(drawn)) return drawn;
  const collisions = await searchCollisions(model, codes, { flops });
  return right({
    ...localFigures(local.right, eta, lambda),
    reencoding: {
      codes: reencoded.right.length,
      data: summaryOf([...reencoded.right]),
      prior: drawn === null ? null : summaryOf([...drawn.right]),
      spread: spreadOf(codes, d),
    },
    collisions: isRight(collisions) ? collisions.right : null,
  });
};
