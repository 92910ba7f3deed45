/** The options of `immersion table`, and what they ask for. */
import { atLeast } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../../dsl/index.js';
import { loadSpec } from '../../runs/index.js';
import { type TableRequest, trainedColumns, type TrainedName } from '../../studies/paper/index.js';
import { type Arguments, naturalOption, type Option } from './arguments.js';
import { words } from './measure-options.js';

type Checked<A> = Either<readonly Problem[], A>;

export const tableOptions: readonly Option[] = [
  { name: 'data', value: 'REF', summary: 'what to compare on (digits)' },
  { name: 'spec', value: 'FILE', summary: 'a specification whose networks are used' },
  { name: 'latent', value: 'N', summary: 'size of the code of networks made here' },
  { name: 'quick', summary: 'fewer steps, seeds and configurations' },
  {
    name: 'steps',
    value: 'N',
    summary: "of each training (4000; 100000 on the paper's shapes; a quarter if quick)",
  },
  { name: 'seeds', value: 'N', summary: 'trainings of each configuration (5, or 3 if quick)' },
  {
    name: 'features',
    value: 'A,B',
    summary: 'what is scored: pixels, raw, classifier or a graph; the first one chooses',
  },
  { name: 'priors', value: 'A,B', summary: 'columns of trained priors too: flow, matching' },
  { name: 'rows', value: 'A,B', summary: 'only these models' },
];

const count = (given: Arguments, name: string): Checked<number | undefined> => {
  const value = naturalOption(given, name, 0);
  if (isLeft(value) || !given.has(name)) return isLeft(value) ? value : right(undefined);
  return value.right > 0
    ? value
    : left([problem(`--${name}`, JSON.stringify(given.last(name)), 'a positive integer')]);
};

/** Trained priors by name; each that is unknown is a problem. */
const trainedOf = (given: Arguments): Checked<readonly TrainedName[]> => {
  const known = trainedColumns.map(({ of }) => of);
  const asked = words(given.last('priors'));
  const unknown = asked.filter((word) => !known.some((name) => name === word));
  return unknown.length === 0
    ? right(known.filter((name) => asked.includes(name)))
    : left(
        unknown.map((word) =>
          problem('--priors', JSON.stringify(word), `some of ${known.join(', ')}`, didYouMean(word, known)),
        ),
      );
};

/** What the options ask for; every number that is none at once. */
export const tableRequestOf = async (given: Arguments): Promise<Checked<TableRequest>> => {
  const [steps, seeds, latent] = atLeast(
    3,
    ['steps', 'seeds', 'latent'].map((name) => count(given, name)),
  );
  const wrong = [steps, seeds, latent].flatMap((one) => (isLeft(one) ? one.left : []));
  if (isLeft(steps) || isLeft(seeds) || isLeft(latent)) return left(wrong);
  const priors = trainedOf(given);
  if (isLeft(priors)) return priors;
  const spec = given.last('spec');
  return right({
    data: given.last('data') ?? 'digits',
    spec: spec === undefined ? undefined : await loadSpec(spec),
    latent: latent.right,
    quick: given.has('quick'),
    steps: steps.right,
    seeds: seeds.right,
    features: words(given.last('features')),
    rows: words(given.last('rows')),
    priors: priors.right,
    backend: given.last('backend') ?? 'auto',
    device: given.last('device') ?? 'auto',
  });
};
