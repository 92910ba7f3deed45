/** Where codes of new examples are drawn, by name: N(0, I), or what is fitted to the codes of training examples that a run has kept. */
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../../dsl/index.js';
import { type FittedPrior, type PriorName, priorNames, priorOfRun } from '../../evaluation/index.js';
import type { OpenedRun } from '../../runs/index.js';
import { say } from '../terminal/output.js';
import type { Arguments, Option } from './arguments.js';

type Checked<A> = Either<readonly Problem[], A>;

export const priorOption: Option = {
  name: 'prior',
  value: 'NAME',
  summary: `${priorNames.join(', ')}: N(0, I), or fitted to the run's codes (standard for a model with a density, else gaussian)`,
};

export type NamedPrior = { readonly name: PriorName; readonly prior: FittedPrior };

/** The name that is asked for, or undefined where none is. */
export const priorNameOf = (given: Arguments): Checked<PriorName | undefined> => {
  const asked = given.last('prior');
  const name = priorNames.find((one) => one === asked);
  return asked !== undefined && name === undefined
    ? left([
        problem(
          '--prior',
          JSON.stringify(asked),
          `one of ${priorNames.join(', ')}`,
          didYouMean(asked, priorNames),
        ),
      ])
    : right(name);
};

/** A prior of a run by its name; one that is trained is said to be, since it takes seconds. */
export const namedPrior = async (run: OpenedRun, name: PriorName): Promise<Checked<NamedPrior>> =>
  map((prior: FittedPrior): NamedPrior => ({ name, prior }))(
    await priorOfRun(run, name, () => say(`trains the prior ${name} on ${run.kept.codes.shape[0]} codes`)),
  );

/** A prior over the codes of a run; by default the one that its density has, or else a Gaussian. */
export const priorOf = async (given: Arguments, run: OpenedRun): Promise<Checked<NamedPrior>> => {
  const name = priorNameOf(given);
  if (isLeft(name)) return name;
  const none = run.experiment.logDensity !== undefined || run.kept.codes.data.length === 0;
  return namedPrior(run, name.right ?? (none ? 'standard' : 'gaussian'));
};
