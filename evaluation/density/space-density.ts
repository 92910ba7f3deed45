/**
 * A density over the whole space for a model whose own is on a manifold: ln(π·p_manifold ∗ noise + (1 − π)·p_background), as the last
 * section of Kumar, Poole and Murphy, Regularized Autoencoders via Relaxed Injective Probability Flow, 2020, proposes. Both parts
 * integrate to 1 over the space, so the whole does; what lies off the manifold has a likelihood, from the background at least.
 */
import { float32At, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem, sizeOf } from '../../dsl/index.js';
import type { CodePrior } from '../priors/gaussian.js';
import { median } from '../summary.js';
import {
  type Encoding,
  openSmoothedManifold,
  type SmoothedManifold,
  type SmoothedOptions,
} from './smoothed-manifold.js';

type Checked<A> = Either<readonly Problem[], A>;

/** ln p in nats of each example, [n], in the units that the model was trained in. */
export type SpaceLogDensity = {
  readonly logDensity: Float64Array;
  /** ln of the manifold's part, and of the background, without their shares. */
  readonly foreground: Float64Array;
  readonly background: Float64Array;
};

export type SpaceDensity = {
  /** π, of the manifold. */
  readonly share: number;
  /** σ of the noise around it. */
  readonly noise: number;
  readonly at: (examples: Float32Array) => Promise<Checked<SpaceLogDensity>>;
  readonly dispose: () => void;
};

export type SpaceOptions = SmoothedOptions & {
  /** Over examples, such as `fitGaussian` of the training examples. */
  readonly background: Pick<CodePrior, 'logDensity'>;
};

/** ln(π·e^f + (1 − π)·e^b), and the manifold's part in it. */
const mixed = (share: number, foreground: number, background: number) => {
  const [f, b] = [Math.log(share) + foreground, Math.log1p(-share) + background];
  const most = Math.max(f, b);
  const log = most === -Infinity ? most : most + Math.log(Math.exp(f - most) + Math.exp(b - most));
  return { log, responsibility: log === -Infinity ? 0 : Math.exp(f - log) };
};

const numberProblems = (share: number, noise: number): readonly Problem[] => [
  ...(share > 0 && share < 1 ? [] : [problem('share', String(share), 'a number between 0 and 1')]),
  ...(noise > 0 && Number.isFinite(noise) ? [] : [problem('noise', String(noise), 'a positive number')]),
];

const densityOf = (
  manifold: SmoothedManifold,
  { background }: SpaceOptions,
  share: number,
  noise: number,
): SpaceDensity => ({
  share,
  noise,
  at: async (examples) => {
    const found = await manifold.at(examples, noise);
    if (isLeft(found)) return found;
    const { logDensity: foreground } = found.right;
    const logs = background.logDensity(examples);
    const logDensity = foreground.map((log, row) => mixed(share, log, float64At(logs, row)).log);
    return right({ logDensity, foreground, background: logs });
  },
  dispose: manifold.dispose,
});

/** With a share π and a noise σ that are given. */
export const openSpaceDensity = async (
  model: Encoding,
  options: SpaceOptions & { readonly share: number; readonly noise: number },
): Promise<Checked<SpaceDensity>> => {
  const { share, noise } = options;
  const problems = numberProblems(share, noise);
  if (problems.length > 0) return left(problems);
  const opened = await openSmoothedManifold(model, options);
  return isLeft(opened) ? opened : right(densityOf(opened.right, options, share, noise));
};

const ROUNDS = 50;
/** Relative change of σ and change of π in a round below which they are settled. */
const SETTLED = 1e-3;
/** Neither part is given up, and noise is no less than this part of the examples' root mean square: images are in single precision. */
const LEAST_SHARE = 1e-6;
const LEAST_NOISE = 1e-5;

const sumOf = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0);

/**
 * With π and σ of greatest likelihood for examples [n, …shape] that the model was not trained on, by expectation-maximization with z
 * and the part of the mixture as what is not seen: π is the mean responsibility r of the manifold, σ² = Σ r E‖x − g(z)‖²/(D·Σ r).
 */
export const fitSpaceDensity = async (
  model: Encoding & { readonly decode: (codes: Float32Array) => Promise<Float32Array> },
  examples: Float32Array,
  options: SpaceOptions,
): Promise<Checked<SpaceDensity>> => {
  const D = sizeOf(model.experiment.encoder.input);
  const d = sizeOf(model.experiment.decoder.input);
  const count = examples.length / D;
  if (!Number.isInteger(count) || count === 0)
    return left([problem('examples', `${examples.length} numbers`, `a positive multiple of ${D}`)]);
  const opened = await openSmoothedManifold(model, options);
  if (isLeft(opened)) return opened;
  const manifold = opened.right;
  const reconstructions = await model.decode(await model.encode(examples));
  const squares = new Float64Array(count);
  examples.forEach(
    (x, at) =>
      (squares[Math.floor(at / D)] =
        float64At(squares, Math.floor(at / D)) + (x - float32At(reconstructions, at)) ** 2),
  );
  const size = Math.sqrt(examples.reduce((sum, x) => sum + x * x, 0) / examples.length) || 1;
  const bounded = (noise: number): number => Math.max(noise, LEAST_NOISE * size);
  const background = options.background.logDensity(examples);
  let noise = bounded(Math.sqrt(median(squares) / Math.max(1, D - d)));
  let share = 0.5;
  for (let round = 0; round < ROUNDS; round++) {
    const found = await manifold.at(examples, noise);
    if (isLeft(found)) {
      manifold.dispose();
      return found;
    }
    const { logDensity, square } = found.right;
    const responsibilities = logDensity.map(
      (log, row) => mixed(share, log, float64At(background, row)).responsibility,
    );
    const total = sumOf(responsibilities);
    const nextShare = Math.min(Math.max(total / count, LEAST_SHARE), 1 - LEAST_SHARE);
    const weighted = sumOf(responsibilities.map((r, row) => (r === 0 ? 0 : r * float64At(square, row))));
    const nextNoise = total > 0 ? bounded(Math.sqrt(weighted / (D * total))) : noise;
    const isSettled = Math.abs(nextNoise / noise - 1) < SETTLED && Math.abs(nextShare - share) < SETTLED;
    [noise, share] = [nextNoise, nextShare];
    if (isSettled) break;
  }
  return right(densityOf(manifold, options, share, noise));
};
