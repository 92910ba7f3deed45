/** Singular values along the data as an inline SVG: for each index where the middle half and nine tenths of the points lie. */
import { elementAt } from '../../dsl/lookup.js';
import { levels, type Summary } from '../summary.js';
import { fixed, HEIGHT, logTicks, margins, WIDTH } from './chart.js';
import { escaped, numberText } from './text.js';

const { left, right, top, bottom } = margins;

/** At most this many indices are written below the axis. */
const MOST_LABELS = 12;

const at = ({ quantiles }: Summary, level: (typeof levels)[number]): number =>
  elementAt(quantiles, levels.indexOf(level));

/** The drawing alone. `eta` is drawn as a line where it is within sight; values of zero lie on the lower edge. */
export const spectrumChart = (spectrum: readonly Summary[], eta: number): string => {
  const positive = spectrum.flatMap(({ quantiles }) => quantiles).filter((value) => value > 0);
  const ends = [...positive, ...(positive.length > 0 ? [] : [1])];
  const [least, greatest] = [Math.min(...ends), Math.max(...ends)];
  // η is worth some empty space, but not most of the drawing.
  const shown = eta > least / 30 && eta < greatest * 30;
  const low = Math.min(least, shown ? eta : least) / 1.3;
  const high = Math.max(greatest, shown ? eta : greatest) * 1.3;
  const y = (value: number): number => {
    const part = Math.log(Math.max(value, low) / low) / Math.log(high / low);
    return HEIGHT - bottom - part * (HEIGHT - top - bottom);
  };
  const slot = (WIDTH - left - right) / spectrum.length;
  const x = (i: number): number => left + (i + 0.5) * slot;
  const bar = (summary: Summary, i: number, name: string, width: number, from: number, to: number): string =>
    `<rect class="${name}" x="${fixed(x(i) - width / 2)}" width="${fixed(width)}" y="${fixed(y(to))}" height="${fixed(Math.max(0.5, y(from) - y(to)))}"><title>s${i + 1}: median ${numberText(at(summary, 0.5))}</title></rect>`;
  const rows = logTicks(low, high).map(
    (tick) =>
      `<line class="grid" x1="${left}" x2="${WIDTH - right}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}"/>` +
      `<text class="tick" x="${left - 8}" y="${fixed(y(tick) + 4)}" text-anchor="end">${numberText(tick)}</text>`,
  );
  const every = Math.ceil(spectrum.length / MOST_LABELS);
  const [thick, thin] = [Math.min(26, slot * 0.7), Math.min(8, slot * 0.25)];
  const bars = spectrum.map((summary, i) =>
    [
      bar(summary, i, 'most', thin, at(summary, 0.05), at(summary, 0.95)),
      bar(summary, i, 'half', thick, at(summary, 0.25), at(summary, 0.75)),
      `<line class="median" x1="${fixed(x(i) - thick / 2)}" x2="${fixed(x(i) + thick / 2)}" y1="${fixed(y(at(summary, 0.5)))}" y2="${fixed(y(at(summary, 0.5)))}"/>`,
      i % every === 0
        ? `<text class="tick" x="${fixed(x(i))}" y="${HEIGHT - 6}" text-anchor="middle">${i + 1}</text>`
        : '',
    ].join(''),
  );
  const threshold = shown
    ? `<line class="held" x1="${left}" x2="${WIDTH - right}" y1="${fixed(y(eta))}" y2="${fixed(y(eta))}"/>` +
      `<text class="tick" x="${left + 4}" y="${fixed(y(eta) - 6)}">η = ${escaped(numberText(eta))}</text>`
    : '';
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="singular values of the decoder's Jacobian by index">`,
    ...rows,
    ...bars,
    threshold,
    '</svg>',
  ].join('');
};
