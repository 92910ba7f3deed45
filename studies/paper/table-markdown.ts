/** A table as Markdown. */
import { entryOf } from '../../dsl/lookup.js';
import { showShape } from '../../dsl/index.js';
import { duration } from '../../runs/records/progress.js';
import { countText, numberText } from '../../evaluation/page/text.js';
import {
  type Comparison,
  cellName,
  statisticsOf,
  type TableRow,
  valuesOf,
  type Verdict,
} from './aggregate.js';
import { columns, paperTableOf, paperTraining, trainedColumns } from './protocol.js';
import type { Table } from './paper-table.js';
import { cellText, intervalText, settingsText, statisticsText } from './table-text.js';

/** Cells by row, the first row being the heading. */
export type Grid = readonly [readonly string[], ...(readonly (readonly string[])[])];

/** Columns of words; all others hold numbers. */
export const isText = (heading: string): boolean =>
  ['model', 'configuration', 'the paper finds', 'here'].includes(heading);

const markdown = ([heading, ...rows]: Grid): string =>
  [heading, heading.map((name) => (isText(name) ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const figure = (row: TableRow, name: string): string => statisticsText(statisticsOf(valuesOf(row, name)));

/** The scores of every row: mean and standard error over the seeds, and the paper's FID where the data set is the same. */
export const scoreGrid = ({ rows, facts }: Table, score: string): Grid => {
  const paper = paperTableOf(facts.data);
  const trained = trainedColumns.filter(({ of }) =>
    rows.some((row) => valuesOf(row, cellName('test', of, score)).length > 0),
  );
  return [
    [
      'model',
      ...[...columns, ...trained].map(({ heading }) => heading),
      ...(paper === undefined ? [] : columns.map(({ heading }) => `${heading}, FID in the paper`)),
      'configuration',
    ],
    ...rows.map((row) => [
      row.name,
      ...[...columns, ...trained].map(({ of }) => figure(row, cellName('test', of, score))),
      ...(paper === undefined ? [] : paper.figures[row.name].map(String)),
      row.chosen === undefined ? 'none (see the notes)' : settingsText(row.chosen.settings),
    ]),
  ];
};

/** What the paper finds, and whether it is so here. */
export const claimGrid = (comparisons: readonly Comparison[]): Grid => [
  ['the paper finds', 'difference', '95 % interval', 'here'],
  ...comparisons.map(({ lower, higher, difference, holds }) => [
    `${cellText(lower)} < ${cellText(higher)}`,
    statisticsText(difference),
    difference === undefined ? '–' : intervalText(difference),
    holds,
  ]),
];

const isDensityKnown = ({ rows }: Table): boolean =>
  rows.some((row) => valuesOf(row, 'test/trueLogDensity').length > 0);

/** Figures of the chosen models under a title, with a paragraph on what they are. */
export type Figured = { readonly title: string; readonly note: string; readonly grid: Grid };

const figured = (
  title: string,
  note: string,
  { rows }: Table,
  figures: readonly (readonly [heading: string, name: string])[],
): Figured => ({
  title,
  note,
  grid: [
    ['model', ...figures.map(([heading]) => heading)],
    ...rows.map((row) => [row.name, ...figures.map(([, name]) => figure(row, name))]),
  ],
});

/** Of each chosen model the exact volume term, and how much above it each bound is. */
const volumeFigures = (table: Table): Figured => {
  const isKnown = isDensityKnown(table);
  const note =
    'Nats, at test examples: the exact volume term of the decoder, and by how much each upper bound exceeds it. The sphere bound, (d/2) E ln(‖Jv‖²/d), is what InjFlow-ln minimises an estimate of; (5) is (d/2) ln(‖J‖²_F/d), and InjFlow minimises an estimate of the Frobenius term of (4).';
  const density =
    'A log-density is that of the mixture at the code minus the volume term, beside the one that the same examples were drawn from. It is that of the reconstruction: where examples are reproduced badly it is the density of other points, and may be far above the true one.';
  return figured('The volume term and its bounds', isKnown ? `${note} ${density}` : note, table, [
    ['½ log det JᵀJ', 'test/volume'],
    ['sphere bound', 'test/excess/sphere'],
    ['bound (5)', 'test/excess/frobenius'],
    ['bound (4), λ = 1', 'test/excess/linear'],
    ...(isKnown
      ? ([
          ['log-density', 'test/logDensity'],
          ['true log-density', 'test/trueLogDensity'],
        ] as const)
      : []),
  ]);
};

/** How injective the decoder of each chosen model is, and how well its encoder undoes it. */
const injectivityFigures = (table: Table): Figured =>
  figured(
    'Injectivity',
    'The share of test examples at which a singular value of the decoder’s Jacobian is below η; the mean of ‖h(g(z)) − z‖ at their codes and at codes of the mixture, as a part of the codes’ spread (their root mean square distance from their mean); the distance of the nearest images that a search found of two codes far apart, as a part of the median distance of such images; and the reconstruction error.',
    table,
    [
      ['below η = 0.1', 'test/violations'],
      ['re-encoding', 'test/reencoding'],
      ['of samples', 'test/reencoding/samples'],
      ['nearest images', 'test/collision'],
      ['‖x − g(h(x))‖²', 'test/reconstruction'],
    ],
  );

/** What the decoders of the chosen models do to space. */
export const geometryOfRows = (table: Table): readonly Figured[] => [
  volumeFigures(table),
  injectivityFigures(table),
];

const count = (comparisons: readonly Comparison[], verdict: Verdict): number =>
  comparisons.filter(({ holds }) => holds === verdict).length;

/** How many of the paper's claims hold, in two sentences. */
export const verdictText = (comparisons: readonly Comparison[]): string =>
  `Of ${comparisons.length} orderings that the paper finds on CIFAR-10 and CelebA, ${count(comparisons, 'yes')} hold here, ${count(comparisons, 'no')} are reversed and ${count(comparisons, 'undecided')} are undecided. The models are compared seed by seed: an ordering holds where the 95 % interval of the mean difference lies below 0, and is undecided where it has 0 in it, or where one seed gives none. Each interval stands for itself; nothing is corrected for their number.`;

/** How alike the order of the rows is to the paper's. */
export const agreementText = ({ agreements, scores }: Table): string =>
  agreements.length === 0
    ? ''
    : `Pairs of models whose mean GMM scores (${scores[0]}) are ordered as in the paper: ${agreements
        .map(
          ({ with: name, alike, pairs, tau }) =>
            `${name} ${alike} of ${pairs} (Kendall's τ ${numberText(tau)})`,
        )
        .join(', ')}.`;

/** 1 + i^ν/1000 at the last of so many steps. */
const lastPenalty = (nu: number, steps: number): string => numberText(1 + (steps - 1) ** nu / 1000);

/** What the flows' schedules come to, which follow the paper step by step however many steps there are. */
const penaltySentence = (steps: number): string => {
  const ends = (count: number): string =>
    `${lastPenalty(1, count)} (ν = 1) or ${lastPenalty(1.3, count)} (ν = 1.3)`;
  return `Both penalties of an InjFlow are 1 + i^ν/1000 at step i, in the end ${ends(steps)}; after the paper's ${countText(paperTraining.steps)} steps they are ${ends(paperTraining.steps)}. η is 0.1 and λ is 1. Directions v have |v|² = d, where the paper draws them from N(0, I): (9) is the same but for a constant, and the estimate in (10) has the same mean and less noise.`;
};

/** How the table was made, a sentence each. */
export const protocolText = ({ facts, scores, rows }: Table): readonly string[] => {
  const { sizes, seeds, steps, batch, draws, cuts, networks, shape } = facts;
  return [
    `Every model has the same networks (${networks.join('; ')}) and is trained for ${steps} steps of ${batch} examples of shape ${showShape(shape)} by Adam at rate 0.001, from ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}; ${sizes.train} examples to train on, ${sizes.validation} to validate on, ${sizes.test} to test on.`,
    `Of each row's grid the configuration with the lowest mean ${scores[0]} of GMM samples on the validation examples is reported, by its scores against the test examples: means over the seeds and their standard errors. Rec: reconstructions of the test examples; N and GMM: as many samples${draws === 1 ? '' : `, drawn ${draws} times, the mean of their scores`}, of a Gaussian and of a mixture of 10 fitted to the codes of the training examples. Lower is better.`,
    ...(rows.some(({ name }) => name.startsWith('InjFlow')) ? [penaltySentence(steps)] : []),
    ...(cuts === undefined ? [] : [`A quick table: ${cuts}.`]),
  ];
};

export const factsText = ({ facts }: Table): string =>
  `${facts.date}. Backend ${facts.backend}, ${facts.processor}; ${Object.entries(facts.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}. The trainings took ${duration(facts.trainingSeconds)} in sum.`;

export const notesOf = ({ rows }: Table): readonly string[] =>
  rows.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`));

export const titleOf = ({ facts }: Table): string => `Autoencoders on ${facts.data}`;

/** The whole as a document. */
export const tableMarkdown = (table: Table): string => {
  const { facts, scores, comparisons } = table;
  const notes = notesOf(table);
  return `${[
    `# ${titleOf(table)}`,
    `The comparison of Kumar, Poole and Murphy, *Regularized Autoencoders via Relaxed Injective Probability Flow* (2020), table 1, made again by:`,
    `\`\`\`sh\n${facts.command}\n\`\`\``,
    ...protocolText(table),
    ...scores.flatMap((score) => [`## ${score}`, markdown(scoreGrid(table, score))]),
    "## Whether the paper's ordering holds here",
    ...scores.flatMap((score) => [
      `By ${score}. ${verdictText(entryOf(comparisons, score))}`,
      markdown(claimGrid(entryOf(comparisons, score))),
    ]),
    agreementText(table),
    ...geometryOfRows(table).flatMap(({ title, note, grid }) => [`## ${title}`, note, markdown(grid)]),
    ...(notes.length === 0 ? [] : ['## Notes', notes.map((note) => `- ${note}`).join('\n')]),
    factsText(table),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
};
