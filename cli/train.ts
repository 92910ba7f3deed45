/** `immersion train SPEC`: trains an experiment and leaves a run folder. */
import { elementAt } from '../dsl/lookup.js';
import { type Either, isLeft, left, mapLeft } from 'fp-ts/lib/Either.js';
import { type Experiment, type Problem, setPath, setValues } from '../dsl/index.js';
import { priorKinds, priorNames } from '../evaluation/index.js';
import { backendNames } from '../runs/index.js';
import {
  type Arguments,
  assignments,
  naturalOption,
  type Option,
  readArguments,
  wantsJson,
} from './options/arguments.js';
import { loadSpec } from '../runs/load-spec.js';
import { fail, printJson } from './terminal/output.js';
import { heldOutOption, policyOf, policyOptions } from './options/policy-options.js';
import { priorNameOf } from './options/code-priors.js';
import { type Result, runTraining } from './running/training-run.js';
import { usage } from './options/usage.js';

/** Options that every command that trains has. */
export const runOptions: readonly Option[] = [
  { name: 'seed', value: 'N', summary: 'seed of every random number (0)' },
  {
    name: 'backend',
    value: 'NAME',
    summary: `${backendNames.join(', ')}, or auto for the one expected to end first (auto)`,
  },
  { name: 'device', value: 'NAME', summary: 'cpu keeps native off a GPU (auto)' },
  { name: 'out', value: 'DIR', summary: 'the run folder (a new one under outputs/)' },
];

/** Options that set a field of the experiment, as `--set` does. */
export const shorthands: readonly Option[] = [
  { name: 'steps', value: 'N', summary: 'how long to train, in steps' },
  { name: 'batch', value: 'N', summary: 'examples per step' },
  {
    name: 'data',
    value: 'REF',
    summary: 'what to train on: digits, a generator such as circle?kappa=2, a file or a folder',
  },
];

/** Event files beside the record. */
export const tensorboardOption: Option = {
  name: 'tensorboard',
  summary: 'writes event files for TensorBoard too, into tensorboard/ in the run folder',
};

/** Where the time goes. */
export const profileOption: Option = {
  name: 'profile',
  summary: "says at the end where the steps' time went, by the loops that explain --loops shows",
};

/** Data that examples are to be told from. */
export const outsideOption: Option = {
  name: 'outside',
  value: 'REF',
  summary: 'how well test examples are told from those of other data, by density and distance; repeatable',
};

/** Those that take time; the others are fitted whenever they are asked for. */
const trainedNames = priorNames.filter((name) => priorKinds[name].isTrained);

const options: readonly Option[] = [
  {
    name: 'set',
    value: 'NAME=VALUE',
    summary: 'sets a hyper-parameter or a field such as optimizer.rate; repeatable',
  },
  ...shorthands,
  ...runOptions,
  { name: 'report', summary: 'writes report.html too' },
  profileOption,
  {
    name: 'prior',
    value: 'NAME',
    summary: `trains a prior on the codes too, and keeps it: ${trainedNames.join(' or ')}`,
  },
  tensorboardOption,
  heldOutOption,
  ...policyOptions,
  outsideOption,
];

/** A shorthand's mistake under its own name. */
const asOption = (problems: readonly Problem[]): readonly Problem[] =>
  problems.map((one) => ({ ...one, path: one.path.replace(/^--set /, '--') }));

/** The experiment with all that the command line sets, the shorthands last; all problems at once. */
export const configured = (
  experiment: Experiment,
  pairs: readonly (readonly [string, string])[],
  given: Arguments,
): Either<readonly Problem[], Experiment> =>
  shorthands
    .flatMap(({ name }) => given.all(name).map((value) => [name, value] as const))
    .reduce<Either<readonly Problem[], Experiment>>(
      (before, [name, value]) => {
        const after = mapLeft(asOption)(setPath(isLeft(before) ? experiment : before.right, name, value));
        return isLeft(before) && isLeft(after)
          ? left([...before.left, ...after.left])
          : isLeft(before)
            ? before
            : after;
      },
      setValues(experiment, Object.fromEntries(pairs)),
    );

/** Ends a command that trained: 0, or 130 after Ctrl-C as shells have it. */
export const finish = (result: Result, json: boolean): number => {
  if (json) printJson(result);
  return result.interrupted ? 130 : 0;
};

export const train = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['SPEC']);
  if (isLeft(given)) return fail(given.left, json);
  const seed = naturalOption(given.right, 'seed', 0);
  const pairs = assignments(given.right.all('set'));
  const policy = policyOf(given.right);
  const priors = priorNameOf(given.right);
  const early = [seed, pairs, policy, priors].flatMap((either) => (isLeft(either) ? either.left : []));
  if (isLeft(seed) || isLeft(pairs) || isLeft(policy) || isLeft(priors)) return fail(early, json);

  const spec = await loadSpec(elementAt(given.right.positionals, 0));
  if (isLeft(spec)) return fail(spec.left, json);
  const experiment = configured(spec.right.experiment, pairs.right, given.right);
  if (isLeft(experiment)) return fail(experiment.left, json);

  const result = await runTraining({
    name: spec.right.name,
    experiment: experiment.right,
    seed: seed.right,
    backend: given.right.last('backend'),
    device: given.right.last('device'),
    out: given.right.last('out'),
    report: given.right.has('report'),
    profile: given.right.has('profile'),
    priors: priors.right === undefined ? [] : [priors.right],
    tensorboard: given.right.has('tensorboard'),
    outside: given.right.all('outside'),
    ...policy.right,
  });
  return isLeft(result) ? fail(result.left, json) : finish(result.right, json);
};

export const trainUsage = usage(
  'train SPEC',
  'SPEC is a module with an experiment as default export, or a JSON file.',
  options,
);
