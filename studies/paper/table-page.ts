/** A table as one self-contained page, with pictures of each model in the manner of the paper's figure 3. */
import { elementAt, entryOf } from '../../dsl/lookup.js';
import { documentOf, section } from '../../evaluation/page/document.js';
import { countText, escaped } from '../../evaluation/page/text.js';
import {
  agreementText,
  claimGrid,
  factsText,
  type Grid,
  isText,
  notesOf,
  protocolText,
  scoreGrid,
  titleOf,
  verdictText,
  geometryOfRows,
} from './table-markdown.js';
import type { Table } from './paper-table.js';

/** Pictures of one row as data URIs, each a grid of examples. */
export type RowPictures = {
  readonly row: string;
  readonly mixture: string;
  readonly gaussian: string;
  readonly reconstructions: string;
};

export type TablePictures = {
  /** The test examples that are reconstructed. */
  readonly originals: string;
  readonly rows: readonly RowPictures[];
};

const gridTable = ([heading, ...rows]: Grid): string =>
  `<div class="panel scroll"><table><thead><tr>${heading
    .map((cell) => `<th scope="col"${isText(cell) ? '' : ' class="number"'}>${escaped(cell)}</th>`)
    .join('')}</tr></thead><tbody>${rows
    .map(
      (cells) =>
        `<tr>${cells.map((cell, i) => (i === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<td${isText(elementAt(heading, i)) ? '' : ' class="number"'}>${escaped(cell)}</td>`)).join('')}</tr>`,
    )
    .join('')}</tbody></table></div>`;

const picture = (uri: string, alt: string): string => `<img src="${uri}" alt="${escaped(alt)}">`;

const pictureRows = ({ originals, rows }: TablePictures): string =>
  [
    '<div class="gallery">',
    '<span></span><span>GMM samples</span><span>Gaussian samples</span><span>reconstructions</span>',
    ...rows.map(
      ({ row, mixture, gaussian, reconstructions }) =>
        `<strong>${escaped(row)}</strong>${picture(mixture, `samples of ${row} from the mixture`)}${picture(gaussian, `samples of ${row} from the Gaussian`)}${picture(reconstructions, `reconstructions of ${row}`)}`,
    ),
    `<strong>data</strong><span></span><span></span>${picture(originals, 'the test examples that are reconstructed')}`,
    '</div>',
  ].join('');

const sentences = (texts: readonly string[]): string =>
  texts.map((text) => `<p>${escaped(text)}</p>`).join('');

/** The whole document. */
export const tablePage = (table: Table, pictures: TablePictures | undefined): string => {
  const { facts, scores, comparisons } = table;
  const notes = notesOf(table);
  return documentOf({
    title: titleOf(table),
    eyebrow: 'Immersion table',
    summary: `Table 1 of Kumar, Poole and Murphy 2020, made again: ${facts.steps} steps, ${facts.seeds.length} ${facts.seeds.length === 1 ? 'seed' : 'seeds'}.`,
    figures: [
      ['training examples', countText(facts.sizes.train)],
      ['test examples', countText(facts.sizes.test)],
      [
        'orderings that hold',
        `${entryOf(comparisons, elementAt(scores, 0)).filter(({ holds }) => holds === 'yes').length} of ${entryOf(comparisons, elementAt(scores, 0)).length}`,
      ],
    ],
    sections: [
      ...scores.map((score, i) =>
        section(
          score,
          i === 0
            ? 'Mean ± standard error over the seeds; lower is better. This score chooses the configurations.'
            : 'The same models.',
          gridTable(scoreGrid(table, score)),
        ),
      ),
      ...(pictures === undefined
        ? []
        : [
            section(
              'Samples and reconstructions',
              `Of the chosen configuration, trained with seed ${facts.seeds[0]}. None is picked.`,
              pictureRows(pictures),
            ),
          ]),
      section(
        "Whether the paper's ordering holds here",
        verdictText(entryOf(comparisons, elementAt(scores, 0))),
        gridTable(claimGrid(entryOf(comparisons, elementAt(scores, 0)))),
        sentences([agreementText(table)].filter((text) => text !== '')),
      ),
      ...geometryOfRows(table).map(({ title, note, grid }) => section(title, note, gridTable(grid))),
      section(
        'How it was made',
        'The protocol of the paper, section 4.',
        `<div class="panel"><pre>${escaped(facts.command)}</pre></div>`,
        sentences(protocolText(table)),
      ),
      ...(notes.length === 0 ? [] : [section('Notes', 'What went wrong.', sentences(notes))]),
    ],
    footer: [factsText(table)],
  });
};
