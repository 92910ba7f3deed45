/** What a page shows of tables: rows of samples, the distribution of each column, and columns along ways through the space of codes. */
import type { Column } from '../../data/index.js';
import type { Gallery } from '../gallery/gallery.js';
import type { View } from '../gallery/view.js';
import type { Walk } from '../gallery/walks.js';
import { fixed, HEIGHT, linearTicks, margins, WIDTH } from './chart.js';
import { colours } from './overlay.js';
import { escaped, numberText } from './text.js';

const { left, right, top, bottom } = margins;

/** Rows of samples that are written out, of each prior. */
const ROWS = 6;
/** Columns that are drawn. */
const MOST_COLUMNS = 24;
/** Lines in one drawing. */
const MOST_LINES = colours.length;
const BINS = 24;

const cellText = (column: Column, value: number): string =>
  column.tag === 'category' ? (column.categories[value] ?? '') : numberText(value);

/** The cells of each column, [columns][n]. */
const columnsOf = ({ columns, cells }: View, examples: Float32Array): readonly Float64Array[] => {
  const all = cells(examples);
  const count = all.length / columns.length;
  return columns.map((_, k) =>
    Float64Array.from({ length: count }, (__, i) => all[i * columns.length + k] ?? NaN),
  );
};

export const sampleTable = ({ view, samples }: Gallery): string => {
  const head = view.columns.map(({ name }) => `<th class="number">${escaped(name)}</th>`).join('');
  const body = samples.map(({ prior, examples }) => {
    const cells = columnsOf(view, examples);
    const count = Math.min(ROWS, cells[0]?.length ?? 0);
    const rows = Array.from({ length: count }, (_, row) => {
      const values = view.columns.map((column, k) => cellText(column, cells[k]?.[row] ?? NaN));
      return `<tr><td></td>${values.map((text) => `<td class="number">${escaped(text)}</td>`).join('')}</tr>`;
    });
    return `<tr><th scope="rowgroup" colspan="${view.columns.length + 1}">${escaped(prior)}</th></tr>${rows.join('')}`;
  });
  return `<div class="panel scroll"><table><thead><tr><th></th>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
};

const rangeOf = (values: readonly ArrayLike<number>[]): readonly [number, number] => {
  const finite = values.flatMap((of) => Array.from(of).filter(Number.isFinite)).sort((a, b) => a - b);
  // A stray sample does not make all else a line.
  const at = (part: number): number => finite[Math.round(part * (finite.length - 1))] ?? 0;
  const [low, high] = [at(0.005), at(0.995)];
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
};

const shares = (values: ArrayLike<number>, bins: number, low: number, high: number): readonly number[] => {
  const counts = new Float64Array(bins);
  const all = Array.from(values);
  for (const value of all) {
    const bin = Math.floor(((value - low) / (high - low)) * bins);
    if (bin >= 0 && bin <= bins) counts[Math.min(bins - 1, bin)] = (counts[Math.min(bins - 1, bin)] ?? 0) + 1;
  }
  return Array.from(counts, (count) => count / Math.max(1, all.length));
};

const histogram = (column: Column, held: Float64Array, sampled: Float64Array): string => {
  const isCategory = column.tag === 'category';
  const [low, high] = isCategory ? [-0.5, column.categories.length - 0.5] : rangeOf([held, sampled]);
  const bins = isCategory ? column.categories.length : BINS;
  const [data, samples] = [shares(held, bins, low, high), shares(sampled, bins, low, high)];
  const most = Math.max(...data, ...samples, 1e-9);
  const x = (bin: number): number => left + (bin / bins) * (WIDTH - left - right);
  const y = (share: number): number => HEIGHT - bottom - (share / most) * (HEIGHT - top - bottom);
  const bars = data.map(
    (share, i) =>
      `<rect class="half" x="${fixed(x(i) + 0.5)}" y="${fixed(y(share))}" width="${fixed(x(1) - x(0) - 1)}" height="${fixed(y(0) - y(share))}"/>`,
  );
  const line = samples
    .map(
      (share, i) =>
        `${i === 0 ? 'M' : 'L'}${fixed(x(i))} ${fixed(y(share))}L${fixed(x(i + 1))} ${fixed(y(share))}`,
    )
    .join('');
  const ticks = isCategory
    ? column.categories.slice(0, 8).map((name, i) => [name.slice(0, 12), i] as const)
    : linearTicks(low, high, 5).map((tick) => [numberText(tick), tick] as const);
  const labels = ticks.map(
    ([text, value]) =>
      `<text class="tick" x="${fixed(left + ((value - low) / (high - low)) * (WIDTH - left - right))}" y="${HEIGHT - 6}" text-anchor="middle">${escaped(text)}</text>`,
  );
  return `<figure class="panel"><figcaption>${escaped(column.name)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="distribution of ${escaped(column.name)}">${bars.join('')}<path class="held solid" d="${line}"/>${labels.join('')}</svg></figure>`;
};

const legend =
  '<p class="legend"><span><i class="fill"></i>held-out examples</span><span><i class="line"></i>samples</span></p>';

export const columnHistograms = ({ view, pairs, samples }: Gallery): string => {
  const [first] = samples;
  if (pairs === undefined || first === undefined || pairs.view.columns.length !== view.columns.length)
    return '';
  const held = columnsOf(view, pairs.all);
  const sampled = columnsOf(view, first.examples);
  const none = new Float64Array();
  return `${legend}<div class="charts small">${view.columns
    .slice(0, MOST_COLUMNS)
    .map((column, k) => histogram(column, held[k] ?? none, sampled[k] ?? none))
    .join('')}</div>`;
};

/** A line for each column that varies most, each in parts of its own range over all walks. */
const walkChart = (
  { name, at }: Walk,
  columns: readonly Column[],
  lines: readonly (readonly number[])[],
): string => {
  const [from, to] = [at[0] ?? 0, at.at(-1) ?? 1];
  const x = (value: number): number => left + ((value - from) / (to - from)) * (WIDTH - left - right);
  const y = (part: number): number => HEIGHT - bottom - part * (HEIGHT - top - bottom);
  const paths = lines.map((line, k) => {
    const d = line
      .map((part, i) => `${i === 0 ? 'M' : 'L'}${fixed(x(at[i] ?? 0))} ${fixed(y(part))}`)
      .join('');
    return `<path class="smooth" style="stroke: ${colours[k % colours.length]}" d="${d}"><title>${escaped(columns[k]?.name ?? '')}</title></path>`;
  });
  const ticks = [from, (from + to) / 2, to].map(
    (value) =>
      `<text class="tick" x="${fixed(x(value))}" y="${HEIGHT - 6}" text-anchor="middle">${numberText(value)}</text>`,
  );
  return `<figure class="panel"><figcaption>${escaped(name)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="columns along ${escaped(name)}">${paths.join('')}${ticks.join('')}</svg></figure>`;
};

export const walkCharts = (walks: readonly Walk[], { view }: Pick<Gallery, 'view'>): string => {
  const cells = walks.map(({ examples }) => columnsOf(view, examples));
  const ranges = view.columns.map((_, k) => {
    const values = cells.flatMap((of) => Array.from(of[k] ?? []));
    return [Math.min(...values), Math.max(...values)] as const;
  });
  const shown = [...view.columns.keys()].slice(0, MOST_LINES);
  const columns = shown.flatMap((k) => view.columns[k] ?? []);
  const names = columns
    .map(
      ({ name }, i) =>
        `<span><i style="border-color: ${colours[i % colours.length]}"></i>${escaped(name)}</span>`,
    )
    .join('');
  const charts = walks.map((walk, w) =>
    walkChart(
      walk,
      columns,
      shown.map((k) => {
        const [low, high] = ranges[k] ?? [0, 1];
        return Array.from(cells[w]?.[k] ?? [], (value) => (high > low ? (value - low) / (high - low) : 0.5));
      }),
    ),
  );
  return `<p class="legend">${names}</p><p class="note">Each column from the least to the greatest value that it has here.</p><div class="charts small">${charts.join('')}</div>`;
};
