/** The report page as HTML: one file that refers to nothing outside itself. */
import type { Curve } from './curve.js';
import type { DensityFit } from '../density/density-fit.js';
import type { Geometry } from '../geometry/geometry.js';
import type { Detections } from '../density/detection.js';
import type { Comparison } from '../comparison.js';
import type { Gallery } from '../gallery/gallery.js';
import { chart } from './chart.js';
import { figureText, runCurves, runsTable } from './comparison-page.js';
import { gallerySections } from './gallery-section.js';
import { densityDrawings, densityLegend, densityNote } from './density-section.js';
import { detectionNote, detectionPanel } from './detection-section.js';
import { documentOf, section } from './document.js';
import { geometryNote, injectivityRows, reencodingRows, volumeRows } from './geometry-section.js';
import { spectrumChart } from './spectrum-chart.js';
import { panel, type Row } from './figures-table.js';
import { countText, escaped, numberText } from './text.js';

export type NetworkSummary = {
  readonly name: string;
  readonly shapes: string;
  readonly parameters: number;
  readonly layers: readonly string[];
};

/** What the page shows, ready to be written. */
export type Page = {
  readonly title: string;
  readonly summary: string;
  readonly figures: readonly Row[];
  /** What is seen of the model; null where nothing can be. */
  readonly gallery: Gallery | null;
  /** Beside another run; null where there is none. */
  readonly baseline: Comparison | null;
  readonly curves: readonly Curve[];
  readonly curvesNote: string;
  /** Of a step's estimates, at validations; empty where it has none. */
  readonly estimates: readonly Curve[];
  readonly estimatesNote: string;
  /** Null where it was not looked at. */
  readonly geometry: Geometry | null;
  /** Null where the model has no density. */
  readonly density: DensityFit | null;
  /** By reference; none where nothing was compared. */
  readonly outside: Readonly<Record<string, Detections>>;
  /** Last values on held-out data. */
  readonly validation: readonly Row[];
  readonly validationTitle: string;
  readonly validationNote: string;
  readonly objective: string;
  /** ln p of an example; empty where the model has none. */
  readonly densityFormula: string;
  readonly settings: readonly Row[];
  readonly networks: readonly NetworkSummary[];
  readonly networksNote: string;
  readonly footer: readonly string[];
};

const curveFigure = (curve: Curve): string => {
  const last = curve.validation.at(-1) ?? curve.smooth.at(-1);
  const kind = curve.validation.length > 0 ? 'validation' : 'training';
  const value =
    last === undefined ? '' : `${kind} ${numberText(last.value)}${curve.logarithmic ? ' · log scale' : ''}`;
  return `<figure class="panel"><figcaption>${escaped(curve.name)}<span>${value}</span></figcaption>${chart(curve)}</figure>`;
};

const legend =
  '<p class="legend"><span><i></i>training, smoothed</span><span><i class="faint"></i>each step</span><span><i class="validation"></i>validation</span></p>';

const geometrySection = (geometry: Geometry): string =>
  section(
    'Geometry',
    geometryNote(geometry),
    `<div class="charts"><figure class="panel"><figcaption>singular values<span>by index · log scale</span></figcaption>${spectrumChart(geometry.spectrum, geometry.violations.eta)}</figure>`,
    panel('Volume, and how far the bounds are above it', volumeRows(geometry)),
    panel('Injectivity', injectivityRows(geometry)),
    panel('Codes that are decoded and encoded again', reencodingRows(geometry)),
    '</div>',
  );

const densitySection = (density: DensityFit): string => {
  const [truth, learned] = densityDrawings(density);
  if (truth === undefined || learned === undefined) return '';
  const figure = (caption: string, drawing: string): string =>
    `<figure class="panel"><figcaption>${caption}</figcaption>${drawing}</figure>`;
  return section(
    'Density',
    densityNote(density),
    densityLegend(density),
    `<div class="charts">${figure('the true manifold', truth)}${figure('the learned one', learned)}</div>`,
  );
};

const detectionSection = (outside: Page['outside']): string =>
  section(
    'Data from elsewhere',
    detectionNote,
    '<div class="columns">',
    ...Object.entries(outside).map(([reference, by]) => detectionPanel(reference, by)),
    '</div>',
  );

const baselineSection = (comparison: Comparison): string =>
  section(
    'Beside another run',
    'Lines are training, smoothed; dots are validations.',
    runCurves(comparison),
    ...(comparison.differences.length === 0 ? [] : [runsTable(comparison.names, comparison.differences)]),
    runsTable(
      comparison.names,
      comparison.figures.map(({ name, values }) => ({ name, values: values.map(figureText) })),
    ),
  );

const networkPanel = ({ name, shapes, parameters, layers }: NetworkSummary): string =>
  `<div class="panel"><h3>${escaped(name)} <span>${escaped(shapes)}, ${countText(parameters)} parameters</span></h3>` +
  `<ol>${layers.map((layer) => `<li>${escaped(layer)}</li>`).join('')}</ol></div>`;

/** The whole document. */
export const html = (page: Page): string =>
  documentOf({
    ...page,
    eyebrow: 'Immersion run',
    sections: [
      ...(page.gallery === null ? [] : gallerySections(page.gallery)),
      page.density === null ? '' : densitySection(page.density),
      section(
        'Training',
        page.curvesNote,
        legend,
        `<div class="charts">${page.curves.map(curveFigure).join('')}</div>`,
      ),
      page.baseline === null ? '' : baselineSection(page.baseline),
      page.estimates.length === 0
        ? ''
        : section(
            'Estimates',
            page.estimatesNote,
            `<div class="charts">${page.estimates.map(curveFigure).join('')}</div>`,
          ),
      page.geometry === null ? '' : geometrySection(page.geometry),
      Object.keys(page.outside).length === 0 ? '' : detectionSection(page.outside),
      section(
        'Objective',
        page.densityFormula === ''
          ? 'The terms as the compiler read them.'
          : 'The terms, and the density, as the compiler read them.',
        ...[page.objective, page.densityFormula]
          .filter((formula) => formula !== '')
          .map(
            (formula) =>
              `<div class="panel formulas" tabindex="0" role="group" aria-label="Formulas">${formula}</div>`,
          ),
      ),
      section(
        'Numbers',
        page.validationNote,
        `<div class="columns">${panel(page.validationTitle, page.validation)}${panel('Settings', page.settings)}</div>`,
      ),
      section(
        'Networks',
        page.networksNote,
        `<div class="columns">${page.networks.map(networkPanel).join('')}</div>`,
      ),
    ],
  });
