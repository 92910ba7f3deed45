/** The table of a data set: its rows, what they say of the paper's claims, and how it was made. */
import { elementAt } from '../../dsl/lookup.js';
import {
  type Agreement,
  agreements,
  compare,
  type Comparison,
  rowOf,
  type ScoreName,
  cellName,
  type TableRow,
  type TableTrial,
} from './aggregate.js';
import type { Provenance } from '../../runs/index.js';
import { claims, protocol } from './protocol.js';

/** How a table was made; where its trials are from is all that there is among them. */
export type TableFacts = Provenance & {
  /** The command that makes it again. */
  readonly command: string;
  /** The reference of the data. */
  readonly data: string;
  readonly sizes: { readonly train: number; readonly validation: number; readonly test: number };
  readonly shape: readonly number[];
  readonly networks: readonly string[];
  readonly seeds: readonly number[];
  readonly steps: number;
  readonly batch: number;
  /** How many samples are scored, each as large as the number of examples that it is compared with. */
  readonly draws: number;
  /** What a quick table cuts, in words; absent in a whole one. */
  readonly cuts?: string;
  readonly backend: string;
  /** Of all trainings together, as each counts it. */
  readonly trainingSeconds: number;
};

export type Table = {
  readonly facts: TableFacts;
  /** The first chooses the configurations. */
  readonly scores: readonly ScoreName[];
  readonly rows: readonly TableRow[];
  /** By score. */
  readonly comparisons: Readonly<Record<ScoreName, readonly Comparison[]>>;
  /** Of the order by the first score of mixture samples. */
  readonly agreements: readonly Agreement[];
};

/** Rows in the protocol's order, of the trials that there are. */
export const tableOf = (
  trials: readonly TableTrial[],
  scores: readonly ScoreName[],
  facts: TableFacts,
): Table => {
  const selection = cellName('validation', 'mixture', elementAt(scores, 0));
  const names = protocol.map(({ name }) => name).filter((name) => trials.some(({ row }) => row === name));
  const rows = names.map((name) =>
    rowOf(
      name,
      trials.filter(({ row }) => row === name),
      selection,
    ),
  );
  const stated = claims.filter(
    ({ lower, higher }) => names.includes(lower.row) && names.includes(higher.row),
  );
  return {
    facts,
    scores,
    rows,
    comparisons: Object.fromEntries(
      scores.map((score) => [score, stated.map((claim) => compare(rows, claim, score))]),
    ),
    agreements: agreements(rows, 'mixture', elementAt(scores, 0)),
  };
};
