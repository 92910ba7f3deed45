/** What a table will try: the rows of the protocol as trials on a data set. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { labelsOf, openData, type Source, type Split } from '../../data/index.js';
import { adam, didYouMean, type Experiment, experiment, type Problem, problem } from '../../dsl/index.js';
import { type Evaluation } from '../../evaluation/index.js';
import { isPicture } from '../../evaluation/picture.js';
import { paperTraining, protocol, type ProtocolRow, type RowName, type TrainedName } from './protocol.js';
import type { TableFacts } from './paper-table.js';
import { paperModels } from '../../objectives/index.js';
import {
  gridSettings,
  holdOut,
  type Spec,
  type Trial,
  trialCountProblems,
  trialsOf,
} from '../../runs/index.js';
import { tableNetworks } from './table-networks.js';

type Checked<A> = Either<readonly Problem[], A>;

/** What a table is asked for; what is undefined follows from the data, the paper and `quick`. */
export type TableRequest = {
  /** What to compare on. */
  readonly data: string;
  /** A specification whose networks are used. */
  readonly spec: Checked<Spec> | undefined;
  /** Size of the code of networks made here. */
  readonly latent: number | undefined;
  /** Fewer steps, seeds and configurations. */
  readonly quick: boolean;
  readonly steps: number | undefined;
  readonly seeds: number | undefined;
  /** What is scored; the first one chooses. None for those that fit the data. */
  readonly features: readonly string[];
  /** Models of the protocol; none for all. */
  readonly rows: readonly string[];
  /** Priors that are trained, beside those of the paper. */
  readonly priors: readonly TrainedName[];
  readonly backend: string;
  readonly device: string;
};

export type PlannedTrial = { readonly row: RowName; readonly trial: Trial<Evaluation> };

/** Trials, and what is known of the table before they are run. */
export type Plan = {
  readonly trials: readonly PlannedTrial[];
  readonly facts: Pick<
    TableFacts,
    'data' | 'sizes' | 'shape' | 'networks' | 'seeds' | 'steps' | 'batch' | 'draws' | 'cuts'
  >;
};

const paperShapes = ['28,28,1', '32,32,3', '64,64,3'];
const STEPS = 4000;
const SEEDS = 5;
/** What a quick table saves, beside configurations. */
const quick = { seeds: 3, steps: 1 / 4 };

/** Shown of each model, beside test examples as many. */
const PICTURES = 32;
/** Test examples at which the volume is taken. */
const JACOBIANS = 64;

const configurations = (rows: readonly ProtocolRow[], which: 'grid' | 'quick'): number =>
  rows.reduce((sum, row) => sum + gridSettings(row[which]).length, 0);

/** What a quick table cuts of these rows where the command does not say how much it wants. */
const cutsOf = (rows: readonly ProtocolRow[], { steps, seeds }: TableRequest): string =>
  [
    ...(steps !== undefined ? [] : ['a quarter of the steps']),
    ...(seeds !== undefined ? [] : [`${quick.seeds} seeds in place of ${SEEDS}`]),
    `${configurations(rows, 'quick')} of the ${configurations(rows, 'grid')} configurations, so that the whole table may choose another`,
  ].join(', ');

const rowsOf = (wanted: readonly string[]): Checked<readonly (typeof protocol)[number][]> => {
  const names = protocol.map(({ name }): string => name);
  const unknown = wanted.filter((name) => !names.includes(name));
  const chosen = protocol.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  return unknown.length > 0
    ? left(
        unknown.map((name) =>
          problem('--rows', JSON.stringify(name), `some of ${names.join(', ')}`, didYouMean(name, names)),
        ),
      )
    : right(chosen);
};

/** As many validation examples as there are test examples, but no more than a fifth of what there is to train on. */
type Sizes = { readonly heldOut: number; readonly sizes: TableFacts['sizes']; readonly labelled: boolean };

const sizesOf = (split: Split<Source>): Checked<Sizes> => {
  const heldOut = Math.max(1, Math.min(split.test.size, Math.floor(split.train.size / 5)));
  const parts = holdOut(split, heldOut);
  if (isLeft(parts)) return parts;
  const { train, validation, test } = parts.right;
  const sizes = { train: train.size, validation: validation.size, test: test.size };
  return right({ heldOut, sizes, labelled: labelsOf(train) !== undefined });
};

/** Samples that are scored in all, at least: where there are few test examples, the mean over several draws is less noisy. */
const SCORED = 3000;

const evaluationOf = (
  features: readonly string[],
  shape: readonly number[],
  { validation, test }: TableFacts['sizes'],
  priors: readonly TrainedName[],
): Evaluation => ({
  metrics: ['frechet'],
  features,
  priors: ['gaussian', 'mixture', ...priors],
  components: 10,
  draws: Math.ceil(SCORED / Math.min(validation, test)),
  outside: [],
  jacobians: JACOBIANS,
  pictures: isPicture(shape) ? PICTURES : 0,
});

/** Checks what is asked for and opens the data, and runs nothing. */
export const planTable = async (request: TableRequest): Promise<Checked<Plan>> => {
  const { data: reference, quick: isQuick } = request;
  const rows = rowsOf(request.rows);
  if (isLeft(rows)) return rows;
  const split = await openData(reference)();
  if (isLeft(split)) return split;
  const sizes = sizesOf(split.right);
  if (isLeft(sizes)) return sizes;
  const { shape } = split.right.train;
  const networks = await tableNetworks(shape, {
    spec: request.spec,
    latent: request.latent,
    dimension: split.right.manifold?.dimension,
  });
  if (isLeft(networks)) return networks;

  const usual = paperShapes.includes(shape.join()) ? paperTraining.steps : STEPS;
  const length = request.steps ?? Math.round(usual * (isQuick ? quick.steps : 1));
  const batch = Math.min(paperTraining.batch, sizes.right.sizes.train);
  const seeds = request.seeds ?? (isQuick ? quick.seeds : SEEDS);
  const configurations = rows.right.reduce((sum, { grid }) => sum + gridSettings(grid).length, 0);
  const many = trialCountProblems('--seeds', seeds * configurations, networks.right);
  if (many.length > 0) return left(many);
  const numbers = Array.from({ length: seeds }, (_, seed) => seed);
  const features =
    request.features.length > 0
      ? request.features
      : sizes.right.labelled
        ? ['classifier', 'pixels']
        : ['pixels'];
  const { encoder, decoder, from } = networks.right;
  const spec = (row: RowName): Experiment =>
    experiment({
      ...paperModels[row](encoder, decoder),
      optimizer: adam({ rate: paperTraining.rate }),
      batch,
      steps: length,
      data: reference,
      validation: { every: 0 },
    });
  const evaluation = evaluationOf(features, shape, sizes.right.sizes, request.priors);
  const trials = rows.right.flatMap(({ name, grid, quick: part }) =>
    trialsOf({
      spec: spec(name),
      settings: {},
      grid: isQuick ? part : grid,
      random: {},
      samples: 1,
      searchSeed: 0,
      seeds: numbers,
      heldOut: sizes.right.heldOut,
      backend: request.backend,
      device: request.device,
      evaluation,
    }).map((trial) => ({ row: name, trial })),
  );
  return right({
    trials,
    facts: {
      data: reference,
      sizes: sizes.right.sizes,
      shape,
      networks: [from],
      seeds: numbers,
      steps: length,
      batch,
      draws: evaluation.draws,
      ...(isQuick ? { cuts: cutsOf(rows.right, request) } : {}),
    },
  });
};
