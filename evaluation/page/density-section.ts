/** What the page says of a learned density: the likelihood in numbers, and points of the true and of the learned manifold coloured by ln p. */
import type { DensityFit, DensityPoint } from '../density.js';
import type { Row } from './table.js';
import { numberText } from './text.js';

export const densityRows = ({ nll, optimal, distance }: DensityFit): readonly Row[] => [
  ['negative log-likelihood of held-out examples', `${numberText(nll)} nats`],
  ...(optimal === null ? [] : [['the least that is possible', `${numberText(optimal)} nats`] as const]),
  ['distance of examples from the learned manifold, RMS', numberText(distance)],
];

export const densityNote =
  'The density is exact, with respect to volume on the manifold, at the points that held-out examples decode back to; their distance from it is reported beside it. Colour is ln p, on one scale in both drawings.';

const SIZE = 420;
const MARGIN = 16;

/** Seen from above and a little aside, where there are three numbers. */
const flattened = ([x, y, z]: readonly number[]): readonly [number, number, number] => {
  if (z === undefined) return [x, y, 0];
  const [turn, tilt] = [0.6, 0.45];
  const [a, b] = [x * Math.cos(turn) - y * Math.sin(turn), x * Math.sin(turn) + y * Math.cos(turn)];
  return [a, z * Math.cos(tilt) + b * Math.sin(tilt), b * Math.cos(tilt) - z * Math.sin(tilt)];
};

/** From blue for the least density to orange for the greatest, of the same lightness on light and dark paper. */
const colour = (share: number): string =>
  `hsl(${(225 - 200 * share).toFixed(0)} 75% ${(48 + 6 * share).toFixed(0)}%)`;

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

const drawable = (points: readonly DensityPoint[]): boolean =>
  points.length > 0 && [2, 3].includes(points[0].at.length);

/** The two drawings as inline SVG; none where examples have other than two or three numbers. */
export const densityDrawings = ({ truth, learned }: DensityFit): readonly string[] => {
  if (!drawable(truth)) return [];
  const values = truth
    .map(({ logDensity }) => logDensity)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const [low, high] = [quantile(values, 0.01), quantile(values, 0.99)];
  const share = (value: number): number =>
    Math.min(1, Math.max(0, (value - low) / Math.max(high - low, 1e-9)));
  const flat = truth.map(({ at }) => flattened(at));
  const reach = Math.max(...flat.flatMap(([x, y]) => [Math.abs(x), Math.abs(y)]));
  const place = (v: number): string =>
    (SIZE / 2 + (v / Math.max(reach, 1e-9)) * (SIZE / 2 - MARGIN)).toFixed(1);
  const drawing = (points: readonly DensityPoint[]): string => {
    const dots = points
      .map(({ at, logDensity }) => ({ to: flattened(at), fill: colour(share(logDensity)) }))
      .sort((a, b) => b.to[2] - a.to[2])
      .map(({ to: [x, y], fill }) => `<circle cx="${place(x)}" cy="${place(-y)}" r="2.2" fill="${fill}"/>`);
    return `<svg viewBox="0 0 ${SIZE} ${SIZE}" role="img" aria-label="points coloured by density">${dots.join('')}</svg>`;
  };
  return [drawing(truth), drawing(learned)];
};
