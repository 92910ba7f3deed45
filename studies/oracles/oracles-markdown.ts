/** The table of the oracles in Markdown. */
import { elementAt } from '../../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { acrossSeeds } from '../../evaluation/index.js';
import type { Provenance } from '../../runs/index.js';
import { type OracleFigures, type OracleJob, TEST_EXAMPLES } from './oracles.js';

/** Figures are absent where the training failed. */
export type OracleOutcome = OracleJob & Partial<OracleFigures> & { readonly failure?: string };

/** `1.634 ± 0.003`, the standard error after the mean where there are several. */
const meanText = (figures: readonly number[], digits: number): string => {
  const across = acrossSeeds(figures);
  if (isLeft(across)) return '–';
  const { mean, standardError } = across.right;
  return `${mean.toFixed(digits)}${standardError === undefined ? '' : ` ± ${standardError.toFixed(digits)}`}`;
};

const rowOf = (outcomes: readonly OracleOutcome[], first: boolean): string => {
  const { oracle, method } = elementAt(outcomes, 0);
  const figures = (key: 'nll' | 'optimal' | 'truth' | 'distance'): readonly number[] =>
    outcomes.flatMap(({ [key]: value }) => (value === undefined ? [] : [value]));
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length;
  const [optimal] = figures('optimal');
  return `| ${[
    first ? oracle : '',
    method,
    first && optimal !== undefined ? optimal.toFixed(3) : '',
    meanText(figures('truth'), 3),
    `${meanText(figures('nll'), 3)}${failed === 0 ? '' : ` (${failed} failed)`}`,
    meanText(figures('distance'), 4),
  ].join(' | ')} |`;
};

/** Where and how the outcomes were made. */
export type OracleFacts = Provenance & {
  readonly seeds: number;
  readonly backend: string;
  readonly command: string;
};

/** A row for each manifold and method, means over seeds. */
export const oraclesMarkdown = (
  outcomes: readonly OracleOutcome[],
  { date, processor, versions, seeds, backend, command }: OracleFacts,
): string => {
  const cells = outcomes.filter(({ seed }) => seed === 1);
  const rows = cells.map(({ oracle, method }, i) =>
    rowOf(
      outcomes.filter((one) => one.oracle === oracle && one.method === method),
      cells[i - 1]?.oracle !== oracle,
    ),
  );
  return [
    '| manifold | objective | least NLL | of the true density | of the model | RMS distance |',
    '| --- | --- | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    `NLL of ${TEST_EXAMPLES.toLocaleString('en-US')} test examples in nats, exact, at the points of the learned manifold that they project to; mean ± standard error over ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, each with data and weights of its own. The least is the entropy on the true manifold, and beside it stands the true density's NLL of the same examples; a model on another manifold, at a distance from the examples, can have less. Two-step has as many steps for the density as for the manifold, where it has as many as the others.`,
    '',
    `\`${command}\`, ${date}, ${processor}, ${backend}, ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  ].join('\n');
};
