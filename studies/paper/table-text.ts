/** Figures of a table in words, for Markdown and the page alike. */
import type { Settings } from '../../dsl/index.js';
import type { AcrossSeeds } from '../../evaluation/metrics/across-seeds.js';
import { numberText } from '../../evaluation/page/text.js';
import { columns, type Cell } from './protocol.js';

/** A number to the decimals that a standard error has two digits of. */
const written = (value: number, standardError: number | undefined): string => {
  if (standardError === undefined || standardError === 0) return numberText(value);
  const decimals = Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(standardError))));
  return value.toFixed(decimals).replace('-', '−');
};

/** `3.20 ± 0.11`: a mean with its standard error. */
export const statisticsText = (statistics: AcrossSeeds | undefined): string => {
  if (statistics === undefined) return '–';
  const { mean, standardError } = statistics;
  const text = written(mean, standardError);
  return standardError === undefined || standardError === 0
    ? text
    : `${text} ± ${written(standardError, standardError)}`;
};

export const intervalText = ({ interval, standardError }: AcrossSeeds): string =>
  interval?.map((end) => written(end, standardError)).join(' … ') ?? '–';

export const settingsText = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? numberText(value) : value}`)
    .join(', ') || 'nothing to choose';

export const cellText = ({ row, of }: Cell): string =>
  `${row} ${columns.find((column) => column.of === of)?.heading ?? of}`;
