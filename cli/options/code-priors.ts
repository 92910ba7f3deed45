/** Where codes of new examples are drawn, by name: N(0, I), or what is fitted to the codes of training examples that a run has kept. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem, sizeOf } from '../../dsl/index.js';
import {
  type CodePrior,
  fitGaussian,
  fitMixture,
  type PriorName,
  priorNames,
  standardGaussian,
} from '../../evaluation/index.js';
import type { OpenedRun } from '../../runs/index.js';
import type { Arguments, Option } from './arguments.js';

type Checked<A> = Either<readonly Problem[], A>;

export const priorOption: Option = {
  name: 'prior',
  value: 'NAME',
  summary: `${priorNames.join(', ')}: N(0, I), or fitted to the run's codes (standard for a model with a density, else gaussian)`,
};

export type NamedPrior = { readonly name: PriorName; readonly prior: CodePrior };

const COMPONENTS = 10;

/** A prior over the codes of a run; by default the one that its density has, or else a Gaussian. */
export const priorOf = (given: Arguments, { experiment, kept, note }: OpenedRun): Checked<NamedPrior> => {
  const asked = given.last('prior');
  const codes = kept?.codes.data;
  const usual = experiment.logDensity !== undefined || codes === undefined ? 'standard' : 'gaussian';
  const name = priorNames.find((one) => one === (asked ?? usual));
  if (name === undefined)
    return left([
      problem(
        '--prior',
        JSON.stringify(asked),
        `one of ${priorNames.join(', ')}`,
        didYouMean(asked ?? '', priorNames),
      ),
    ]);
  const d = sizeOf(experiment.decoder.input);
  if (name === 'standard') return right({ name, prior: standardGaussian(d) });
  if (codes === undefined)
    return left([
      problem('--prior', `${name}, and no codes in ${note.folder}`, 'a run that ended, or --prior standard'),
    ]);
  const prior =
    name === 'gaussian' ? fitGaussian(codes, d) : fitMixture(codes, d, { components: COMPONENTS, seed: 0 });
  return isLeft(prior) ? prior : right({ name, prior: prior.right });
};
