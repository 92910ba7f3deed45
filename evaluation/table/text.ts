/** Figures of a table in words, for Markdown and the page alike. */
import type { Settings } from '../../dsl/index.js';
import type { AcrossSeeds } from '../metrics/across-seeds.js';
import { numberText } from '../page/text.js';
import { columns, type Cell } from './protocol.js';

/** `3.20 ± 0.11`: a mean with its standard error, both to the decimals that the error has two digits of. */
export const statisticsText = (statistics: AcrossSeeds | undefined): string => {
  if (statistics === undefined) return '–';
  const { mean, standardError } = statistics;
  if (standardError === undefined || standardError === 0) return numberText(mean);
  const decimals = Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(standardError))));
  return `${mean.toFixed(decimals)} ± ${standardError.toFixed(decimals)}`.replaceAll('-', '−');
};

export const intervalText = ({ interval }: AcrossSeeds): string =>
  interval === undefined ? '–' : `${numberText(interval[0])} … ${numberText(interval[1])}`;

export const settingsText = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? numberText(value) : value}`)
    .join(', ') || 'nothing to choose';

export const cellText = ({ row, of }: Cell): string =>
  `${row} ${columns.find((column) => column.of === of)?.heading ?? of}`;
