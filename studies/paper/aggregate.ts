/** From the trials of a table to its rows: the configuration that validation chose, its figures over seeds, and paired comparisons. */
import { elementAt } from '../../dsl/lookup.js';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { type Settings, showProblem } from '../../dsl/index.js';
import { type Figures, type Outcome } from '../../runs/index.js';
import { canonical } from '../../runs/sweeps/trial.js';
import { figureName } from '../../evaluation/figure-name.js';
import { type AcrossSeeds, acrossSeeds } from '../../evaluation/metrics/across-seeds.js';
import {
  type Cell,
  type Claim,
  type ColumnName,
  columns,
  paperTables,
  type RowName,
  type TrainedName,
} from './protocol.js';

/** A trial and the row that it is part of. */
export type TableTrial = {
  readonly row: RowName;
  readonly settings: Settings;
  readonly seed: number;
  /** Where it was run; its pictures are there. */
  readonly folder: string;
  /** Absent where the table was interrupted. */
  readonly outcome: Outcome | undefined;
};

/** A row, as far as there is one: without a configuration that ended well for every seed it is a gap, with notes. */
export type TableRow = {
  readonly name: RowName;
  readonly chosen?: {
    readonly settings: Settings;
    /** Mean over seeds of the score that it was chosen by. */
    readonly validation: number;
    /** Among so many, each of which ended well for every seed. */
    readonly of: number;
    /** For each seed, in the order of the seeds. */
    readonly figures: readonly Figures[];
    readonly folders: readonly string[];
  };
  readonly notes: readonly string[];
};

/** `frechet/pixels`: a metric over features. */
export type ScoreName = string;

/** The name of a figure that a trial measured. */
export const cellName = (
  part: 'validation' | 'test',
  of: ColumnName | TrainedName,
  score: ScoreName,
): string => figureName({ part, of, score });

const meanOf = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;

const measuresOf = ({ outcome }: TableTrial): readonly Figures[] =>
  outcome !== undefined && isRight(outcome) ? [outcome.right.measures] : [];

const settingsText = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

/** Why trials of a configuration count for nothing, each reason once. */
const failureNotes = (settings: Settings, trials: readonly TableTrial[]): readonly string[] => {
  const where = settingsText(settings);
  const prefix = where === '' ? '' : `${where}: `;
  const missing = trials.filter(({ outcome }) => outcome === undefined).length;
  const reasons = trials.flatMap(({ outcome, seed }) =>
    outcome !== undefined && isLeft(outcome)
      ? [`${prefix}seed ${seed} failed: ${outcome.left.map(showProblem).join('; ')}`]
      : [],
  );
  const skipping = trials.flatMap(({ outcome, seed }) =>
    outcome !== undefined && isRight(outcome) && outcome.right.skipped > 0
      ? [`${prefix}seed ${seed} skipped ${outcome.right.skipped} steps that were not finite`]
      : [],
  );
  return [...reasons, ...skipping, ...(missing > 0 ? [`${prefix}${missing} trials were not run`] : [])];
};

/** The row of a model: of the configurations that ended well for every seed, the one with the lowest mean of the score on validation. */
export const rowOf = (name: RowName, trials: readonly TableTrial[], selection: string): TableRow => {
  const keys = trials.map(({ settings }) => canonical(settings));
  const groups = [...new Set(keys)].map((key) => trials.filter((_, i) => keys[i] === key));
  const candidates = groups.flatMap((group) => {
    const figures = group.flatMap(measuresOf);
    const validation = meanOf(figures.map((one) => one[selection] ?? NaN));
    return figures.length === group.length && Number.isFinite(validation)
      ? [
          {
            settings: elementAt(group, 0).settings,
            validation,
            figures,
            folders: group.map(({ folder }) => folder),
          },
        ]
      : [];
  });
  const best = candidates.reduce<(typeof candidates)[number] | undefined>(
    (least, one) => (least === undefined || one.validation < least.validation ? one : least),
    undefined,
  );
  const notes = groups.flatMap((group) => failureNotes(elementAt(group, 0).settings, group));
  return best === undefined
    ? { name, notes: notes.length > 0 ? notes : ['no configuration has a score on validation'] }
    : { name, chosen: { ...best, of: candidates.length }, notes };
};

/** A figure of a row for each seed; nothing in a gap, or where it is not finite. */
export const valuesOf = (row: TableRow | undefined, figure: string): readonly number[] => {
  const values = (row?.chosen?.figures ?? []).map((one) => one[figure] ?? NaN);
  return values.every(Number.isFinite) ? values : [];
};

export const statisticsOf = (values: readonly number[]): AcrossSeeds | undefined => {
  const statistics = acrossSeeds(values);
  return isLeft(statistics) ? undefined : statistics.right;
};

/** Whether a claim of the paper holds here: `yes` or `no` where the interval of the differences excludes 0. */
export type Verdict = 'yes' | 'no' | 'undecided';

export type Comparison = Claim & {
  /** Of `lower` minus `higher`, seed by seed; absent in a gap. */
  readonly difference: AcrossSeeds | undefined;
  readonly holds: Verdict;
};

const verdictOf = ({ interval }: AcrossSeeds): Verdict =>
  interval === undefined ? 'undecided' : interval[1] < 0 ? 'yes' : interval[0] > 0 ? 'no' : 'undecided';

/** Two cells compared seed by seed: the networks start from the same weights and see the same batches. */
export const compare = (
  rows: readonly TableRow[],
  { lower, higher }: Claim,
  score: ScoreName,
): Comparison => {
  const cell = ({ row, of }: Cell): readonly number[] =>
    valuesOf(
      rows.find(({ name }) => name === row),
      cellName('test', of, score),
    );
  const [low, high] = [cell(lower), cell(higher)];
  const difference =
    low.length === high.length ? statisticsOf(low.map((value, i) => value - elementAt(high, i))) : undefined;
  return { lower, higher, difference, holds: difference === undefined ? 'undecided' : verdictOf(difference) };
};

/** Kendall's τ between the order of the rows here and in one of the paper's tables: 1 where all pairs are ordered alike, −1 where none. */
export type Agreement = {
  readonly with: string;
  readonly pairs: number;
  readonly alike: number;
  readonly tau: number;
};

const pairsOf = <A>(all: readonly A[]): readonly (readonly [A, A])[] =>
  all.flatMap((a, i) => all.slice(i + 1).map((b) => [a, b] as const));

/** Of the means of one column, with each of the paper's tables. */
export const agreements = (
  rows: readonly TableRow[],
  of: ColumnName,
  score: ScoreName,
): readonly Agreement[] => {
  const column = columns.findIndex((one) => one.of === of);
  const known = rows.flatMap((row) => {
    const values = valuesOf(row, cellName('test', of, score));
    return values.length === 0 ? [] : [{ name: row.name, here: meanOf(values) }];
  });
  const pairs = pairsOf(known);
  return pairs.length === 0
    ? []
    : paperTables.map(({ name, figures }) => {
        const alike = pairs.filter(
          ([a, b]) =>
            a.here < b.here === elementAt(figures[a.name], column) < elementAt(figures[b.name], column),
        ).length;
        return { with: name, pairs: pairs.length, alike, tau: (2 * alike) / pairs.length - 1 };
      });
};
