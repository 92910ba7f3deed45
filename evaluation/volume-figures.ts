/** The volume term of a decoder at test examples, its bounds, and the log-density that it gives, as figures of a trial. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { logDensity as trueLogDensity } from '../data/index.js';
import { hypersOf, type Problem, sizeOf } from '../dsl/index.js';
import type { Figures, Fitted, Model, Parts } from '../training/index.js';
import { boundNames, boundsOf, logVolume } from './bounds.js';
import { jacobiansAt } from './jacobian.js';
import type { CodePrior } from './priors/gaussian.js';
import { isDegenerate } from './singular-values.js';
import { mean } from './summary.js';

/**
 * log p(h(x)) − ½ log det JᵀJ, the log-density at the reconstruction with respect to volume on the decoder's image, beside the
 * density that the examples were drawn from; only where that is known.
 */
const densities = (
  { manifold, scaling, test }: Parts,
  prior: CodePrior | undefined,
  codes: Float32Array,
  volumes: readonly (number | undefined)[],
): Figures => {
  const { latents } = test;
  if (manifold === undefined || scaling !== undefined || latents === undefined || prior === undefined)
    return {};
  const d = manifold.dimension;
  const logPrior = prior.logDensity(codes);
  const pairs = volumes.flatMap((volume, row) =>
    volume === undefined
      ? []
      : [
          [
            logPrior[row] - volume,
            trueLogDensity(manifold, latents.subarray(row * d, (row + 1) * d)),
          ] as const,
        ],
  );
  return {
    'test/logDensity': mean(pairs.map(([model]) => model)),
    'test/trueLogDensity': mean(pairs.map(([, truth]) => truth)),
  };
};

/**
 * At the first `points` test examples, means in nats: the exact ½ log det JᵀJ, by how much each of its bounds exceeds it, and
 * log-densities where the true one is known. Points where J is degenerate are left out and counted. Besides, the share of points with
 * a singular value below η.
 */
export const volumeFigures = async (
  fitted: Model & Pick<Fitted, 'encode'>,
  data: Parts,
  prior: CodePrior | undefined,
  { points, seed }: { readonly points: number; readonly seed: number },
): Promise<Either<readonly Problem[], Figures>> => {
  const { examples, shape, size } = data.test;
  const width = sizeOf(shape);
  if (points === 0) return right({});
  const codes = await fitted.encode(examples.subarray(0, Math.min(points, size) * width));
  const found = await jacobiansAt(fitted, codes, { seed });
  if (isLeft(found)) return found;
  const all = found.right.map(({ spectrum }) => spectrum);
  const regular = all.filter((spectrum) => !isDegenerate(spectrum, width));
  const hypers = hypersOf(fitted.experiment);
  const [lambda, eta] = [hypers.get('lambda') ?? 1, hypers.get('eta') ?? 0.1];
  const exact = regular.map(logVolume);
  const bounds = regular.map((spectrum) => boundsOf(spectrum, lambda));
  const excess = boundNames.map(
    (name) => [`test/excess/${name}`, mean(bounds.map((at, i) => at[name] - exact[i]))] as const,
  );
  return right({
    'test/volume': mean(exact),
    ...Object.fromEntries(excess),
    'test/degenerate': all.length - regular.length,
    'test/violations': mean(all.map((spectrum) => (spectrum[spectrum.length - 1] < eta ? 1 : 0))),
    ...densities(
      data,
      prior,
      codes,
      all.map((spectrum) => (isDegenerate(spectrum, width) ? undefined : logVolume(spectrum))),
    ),
  });
};
