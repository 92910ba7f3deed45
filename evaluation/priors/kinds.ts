/** The priors over codes by name. */
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js';
import { type Codec, mapped, struct } from '../../dsl/codec/codec.js';
import { positiveInteger } from '../../dsl/codec/primitive.js';
import { didYouMean, namesOf, optionProblems, type Problem, problem } from '../../dsl/index.js';
import { flowOverCodes } from './flow.js';
import { gaussianCodec, mixtureCodec } from './formula-codecs.js';
import { checkCodes, fitGaussian, type FittedGaussian, type Gaussian, standardGaussian } from './gaussian.js';
import { matchingOverCodes } from './matching.js';
import { fitMixture, type FittedMixture } from './mixture-fit.js';
import { type PriorName, priorNames } from './prior-name.js';
import { type FittedPrior, formulaPrior, type PriorContext, type PriorKind } from './prior.js';

const standardCodec: Codec<Gaussian> = mapped(
  struct('the number of dimensions', { size: positiveInteger }),
  ({ size }) => standardGaussian(size),
  ({ size }) => ({ size }),
);

export type FitPriorOptions = Pick<PriorContext, 'backend'> &
  Partial<Pick<PriorContext, 'seed' | 'components' | 'folder'>>;

const fitNames = namesOf<FitPriorOptions>({ backend: true, seed: true, components: true, folder: true });

const COMPONENTS = 10;

const unknownName = (name: string): Problem =>
  problem('prior', JSON.stringify(name), `one of ${priorNames.join(', ')}`, didYouMean(name, priorNames));

/** The kind of a name that may have been typed. */
export const priorKindOf = (name: string): Either<readonly Problem[], PriorKind> => {
  const known = priorNames.find((one) => one === name);
  return known === undefined ? left([unknownName(name)]) : right(priorKinds[known]);
};

/**
 * A prior fitted to codes [n, d]: a formula at once, `flow` and `matching` by training. With a new `folder` what was fitted is kept, and `openPrior` reads it
 * again to the bit. One that was trained is to be disposed.
 */
export const fitPrior = async (
  name: PriorName,
  codes: Float32Array,
  d: number,
  options: FitPriorOptions,
): Promise<Either<readonly Problem[], FittedPrior>> => {
  const kind = priorKindOf(name);
  const problems = [...optionProblems('fitPrior', options, fitNames), ...(isLeft(kind) ? kind.left : [])];
  if (problems.length > 0 || isLeft(kind)) return left(problems);
  const checked = name === 'standard' ? right(codes) : checkCodes(codes, d);
  return isLeft(checked)
    ? checked
    : kind.right.fit(codes, { seed: 0, components: COMPONENTS, ...options, d });
};

/** What `fitPrior` kept in a folder. */
export const openPrior = async (
  name: PriorName,
  folder: string,
  options: Pick<PriorContext, 'backend'>,
): Promise<Either<readonly Problem[], FittedPrior>> => {
  const kind = priorKindOf(name);
  return isLeft(kind) ? kind : kind.right.open(folder, options);
};

/** `standard` is fitted to nothing. */
export const priorKinds: Readonly<Record<PriorName, PriorKind>> = {
  standard: formulaPrior(
    () => 'N(0, I)',
    standardCodec,
    (_, { d }) => right({ ...standardGaussian(d), fit: {} }),
  ),
  gaussian: formulaPrior(
    () => 'a Gaussian fitted to the codes',
    gaussianCodec,
    (codes, { d }) =>
      map((prior: FittedGaussian) => ({ ...prior, fit: { floored: prior.floored } }))(fitGaussian(codes, d)),
  ),
  mixture: formulaPrior(
    ({ components }) => `a mixture of ${components} Gaussians fitted to the codes`,
    mixtureCodec,
    (codes, { d, components, seed }) =>
      map((prior: FittedMixture) => {
        const { rounds, converged, floored } = prior;
        return { ...prior, fit: { rounds, converged: Number(converged), floored } };
      })(fitMixture(codes, d, { components, seed })),
  ),
  flow: flowOverCodes,
  matching: matchingOverCodes,
};
