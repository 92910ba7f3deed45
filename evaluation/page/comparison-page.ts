/** A page with runs side by side: their curves in one drawing each, the settings that differ, and what they came to. */
import type { Comparison } from '../comparison.js';
import type { Curve } from './curve.js';
import { colours, overlay, type Series } from './overlay.js';
import { documentOf, section } from './document.js';
import { escaped, numberText } from './text.js';

/** A table with a column for each run. */
export const runsTable = (
  names: readonly string[],
  rows: readonly { readonly name: string; readonly values: readonly string[] }[],
): string =>
  `<div class="panel scroll"><table><thead><tr><th></th>${names
    .map((name) => `<th class="number">${escaped(name)}</th>`)
    .join('')}</tr></thead><tbody>${rows
    .map(
      ({ name, values }) =>
        `<tr><th scope="row">${escaped(name)}</th>${values.map((value) => `<td class="number">${escaped(value)}</td>`).join('')}</tr>`,
    )
    .join('')}</tbody></table></div>`;

/** The curves of one name, a series for each run that has it. */
const seriesOf = ({ names, curves }: Pick<Comparison, 'names' | 'curves'>, name: string): readonly Series[] =>
  curves.flatMap((of, i): readonly Series[] => {
    const curve: Curve | undefined = of.find((one) => one.name === name);
    return curve === undefined ? [] : [{ name: names[i] ?? '', curve, colour: i }];
  });

/** A drawing for each curve that any run has. */
export const runCurves = (comparison: Pick<Comparison, 'names' | 'curves'>): string => {
  const all = [...new Set(comparison.curves.flatMap((of) => of.map(({ name }) => name)))];
  const legend = comparison.names
    .map(
      (name, i) =>
        `<span><i style="border-color: ${colours[i % colours.length]}"></i>${escaped(name)}</span>`,
    )
    .join('');
  return `<p class="legend">${legend}</p><div class="charts">${all
    .map(
      (name) =>
        `<figure class="panel"><figcaption>${escaped(name)}</figcaption>${overlay(name, seriesOf(comparison, name))}</figure>`,
    )
    .join('')}</div>`;
};

export const figureText = (value: number | null): string => (value === null ? '' : numberText(value));

/** The page of one run with another beside it, as HTML. */
export const comparisonPage = (comparison: Comparison): string => {
  const { names, differences, figures } = comparison;
  return documentOf({
    title: names.join(', '),
    eyebrow: 'Immersion runs',
    summary: `${names.length} runs side by side.`,
    figures: [],
    sections: [
      section('Curves', 'Lines are training, smoothed; dots are validations.', runCurves(comparison)),
      section(
        'Settings that differ',
        differences.length === 0 ? 'None.' : 'By their path in run.json and spec.json.',
        ...(differences.length === 0 ? [] : [runsTable(names, differences)]),
      ),
      section(
        'Figures',
        'The last of each, and the best validation.',
        runsTable(
          names,
          figures.map(({ name, values }) => ({ name, values: values.map(figureText) })),
        ),
      ),
    ],
    footer: [`Written ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.`],
  });
};
