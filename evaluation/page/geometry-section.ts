/** What the page says of the decoder's geometry: the spectrum drawn, its volume and injectivity in numbers. */
import { elementAt } from '../../dsl/lookup.js';
import type { Geometry } from '../geometry/geometry.js';
import { levels, type Summary } from '../summary.js';
import type { Row } from './figures-table.js';
import { countText, numberText } from './text.js';

const median = ({ quantiles }: Summary): number => elementAt(quantiles, levels.indexOf(0.5));

const percent = (share: number): string => `${numberText(100 * share)} %`;

const nats = (value: number): string => (Number.isFinite(value) ? `${numberText(value)} nats` : 'none');

const degenerateNote = ({ degenerate, points }: Geometry): string =>
  degenerate === 0
    ? ''
    : ` At ${countText(degenerate)} of ${countText(points)} points J is not of full rank in single precision; the volume's means leave them out.`;

export const geometryNote = (geometry: Geometry): string =>
  `The decoder's Jacobian J at the codes of ${countText(geometry.points)} examples. Bars hold the middle half and nine tenths of the points, the line is the median.${degenerateNote(geometry)}`;

export const volumeRows = (geometry: Geometry): readonly Row[] => {
  const { volume, tightness, lambda, condition, effectiveRank, dimension } = geometry;
  return [
    ['½ log det JᵀJ, mean', nats(volume.mean)],
    ['(d/2) E ln(‖Jv‖²/d) is above it by', nats(tightness.sphere)],
    ['bound (5), (d/2) ln(‖J‖²/d), by', nats(tightness.frobenius)],
    [`bound (4) at λ = ${numberText(lambda)}, by`, nats(tightness.linear)],
    ['condition number, median', numberText(median(condition))],
    ['effective rank, median', `${numberText(median(effectiveRank))} of ${dimension}`],
  ];
};

export const injectivityRows = ({ violations, collisions }: Geometry): readonly Row[] => {
  const [nearest] = collisions?.pairs ?? [];
  return [
    [`points with a singular value below η = ${numberText(violations.eta)}`, percent(violations.points)],
    ['directions v with ‖Jv‖/‖v‖ below η', percent(violations.directions)],
    ...(collisions === null || nearest === undefined
      ? []
      : [
          [
            `least ‖g(z₁) − g(z₂)‖ found, ‖z₁ − z₂‖ ≥ ${numberText(collisions.separation)}`,
            numberText(nearest.dataDistance),
          ] as const,
          ['the same of such codes of the data, median', numberText(collisions.typicalDistance)] as const,
        ]),
  ];
};

export const reencodingRows = ({ reencoding }: Geometry): readonly Row[] => [
  ['‖h(g(z)) − z‖ at codes of the data, median', numberText(median(reencoding.data))],
  ...(reencoding.prior === null
    ? []
    : [['at codes drawn from their Gaussian', numberText(median(reencoding.prior))] as const]),
  ['spread of the codes', numberText(reencoding.spread)],
];
