/** What the page says of a learned density: the likelihood in numbers, and points of the true and of the learned manifold coloured by ln p. */
import { atLeast, elementAt } from '../../dsl/lookup.js';
import type { DensityFit, DensityPoint } from '../density/density-fit.js';
import { quantile } from '../summary.js';
import type { Row } from './figures-table.js';
import { numberText } from './text.js';

/** A thousandth of a nat is what a likelihood is known to, from thousands of examples. */
const natsText = (nats: number): string => `${nats.toFixed(3).replace('-', '−')} nats`;

export const densityFigures = ({ nll, optimal, distance }: DensityFit): readonly Row[] => [
  ['held-out negative log-likelihood', natsText(nll)],
  ...(optimal === null ? [] : [['the least on the true manifold', natsText(optimal)] as const]),
  ['RMS distance from the learned manifold', numberText(distance)],
];

export const densityNote = ({ isCurve }: DensityFit): string => {
  const what = isCurve
    ? 'Both curves are drawn as far as held-out examples reach.'
    : 'Points are held-out examples, and what they decode back to.';
  return `The density is exact, with respect to volume on the manifold. ${what} Colour is ln p, on one scale in both drawings.`;
};

const SIZE = 420;
const MARGIN = 16;

/** Across, up, and away from who looks. */
type Seen = readonly [number, number, number];

/** From above and a little aside, where there are three numbers. */
const seen = (point: readonly number[]): Seen => {
  const [x, y, z] = atLeast(2, point);
  if (z === undefined) return [x, y, 0];
  const [turn, tilt] = [0.6, 0.45];
  const [a, b] = [x * Math.cos(turn) - y * Math.sin(turn), x * Math.sin(turn) + y * Math.cos(turn)];
  return [a, z * Math.cos(tilt) + b * Math.sin(tilt), b * Math.cos(tilt) - z * Math.sin(tilt)];
};

/** From blue for the least density to orange for the greatest, of the same lightness on light and dark paper. */
const colour = (share: number): string =>
  `hsl(${(225 - 200 * share).toFixed(0)} 75% ${(48 + 6 * share).toFixed(0)}%)`;

type Range = readonly [number, number];

/** ln p of the least and of the greatest colour, but for the hundredth part at either end. */
const colourRange = ({ truth }: DensityFit): Range => {
  const values = truth.map(({ logDensity }) => logDensity).filter(Number.isFinite);
  const ascending = Float64Array.from(values).sort();
  return [quantile(ascending, 0.01), quantile(ascending, 0.99)];
};

export const densityLegend = (density: DensityFit): string => {
  const [low, high] = colourRange(density);
  const stops = Array.from({ length: 9 }, (_, i) => colour(i / 8)).join(', ');
  return `<p class="legend"><span>ln p ${numberText(low)} <i class="scale" style="background: linear-gradient(90deg, ${stops})"></i>${numberText(high)}</span></p>`;
};

/** Of a drawing, in its own units, with what turns coordinates into them. */
type Frame = {
  readonly height: number;
  readonly x: (value: number) => string;
  readonly y: (value: number) => string;
};

/** As wide as the points reach, and as high, with the same unit both ways. */
const frameOf = (points: readonly Seen[]): Frame => {
  const range = (axis: 0 | 1): Range => {
    const values = points.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [[left, right], [bottom, top]] = [range(0), range(1)];
  const unit = (SIZE - 2 * MARGIN) / Math.max(right - left, top - bottom, 1e-9);
  return {
    height: 2 * MARGIN + unit * (top - bottom),
    x: (value) => (SIZE / 2 + unit * (value - (left + right) / 2)).toFixed(1),
    y: (value) => (MARGIN + unit * (top - value)).toFixed(1),
  };
};

/** A mark and how far away it is. */
type Mark = { readonly depth: number; readonly svg: string };
type Placed = { readonly to: Seen; readonly share: number };

const dotOf = ({ x, y }: Frame, { to, share }: Placed): Mark => ({
  depth: to[2],
  svg: `<circle cx="${x(to[0])}" cy="${y(to[1])}" r="2.2" fill="${colour(share)}"/>`,
});

/** A piece of a curve. */
const strokeOf = ({ x, y }: Frame, from: Placed, { to, share }: Placed): Mark => ({
  depth: to[2],
  svg: `<line class="curve" x1="${x(from.to[0])}" y1="${y(from.to[1])}" x2="${x(to[0])}" y2="${y(to[1])}" stroke="${colour((from.share + share) / 2)}"/>`,
});

/** The two drawings as inline SVG; none where examples have other than two or three numbers. */
export const densityDrawings = (density: DensityFit): readonly string[] => {
  const { truth, learned, isCurve } = density;
  if (truth.length === 0 || ![2, 3].includes(elementAt(truth, 0).at.length)) return [];
  const [low, high] = colourRange(density);
  const frame = frameOf([...truth, ...learned].map(({ at }) => seen(at)));
  const drawing = (points: readonly DensityPoint[]): string => {
    const placed = points.map(({ at, logDensity }) => ({
      to: seen(at),
      share: Math.min(1, Math.max(0, (logDensity - low) / Math.max(high - low, 1e-9))),
    }));
    const marks = isCurve
      ? placed.slice(1).map((end, i) => strokeOf(frame, elementAt(placed, i), end))
      : placed.map((point) => dotOf(frame, point));
    const nearestLast = marks.toSorted((a, b) => b.depth - a.depth).map(({ svg }) => svg);
    return `<svg viewBox="0 0 ${SIZE} ${frame.height.toFixed(1)}" role="img" aria-label="${isCurve ? 'a curve' : 'points'} coloured by density">${nearestLast.join('')}</svg>`;
  };
  return [drawing(truth), drawing(learned)];
};
