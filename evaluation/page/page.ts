/** The report page as HTML: one file that refers to nothing outside itself. */
import type { Curve } from './curve.js';
import type { DensityFit } from '../density/density-fit.js';
import type { Geometry } from '../geometry/geometry.js';
import type { Detections } from '../density/out-of-distribution.js';
import { chart } from './chart.js';
import { densityDrawings, densityLegend, densityNote } from './density-section.js';
import { detectionNote, detectionPanel } from './detection-section.js';
import { documentOf, section } from './document.js';
import { geometryNote, injectivityRows, reencodingRows, volumeRows } from './geometry-section.js';
import { spectrumChart } from './spectrum-chart.js';
import { panel, type Row } from './figures-table.js';
import { countText, escaped, numberText } from './text.js';

export type Pair = { readonly original: string; readonly reconstruction: string; readonly label?: number };

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
  /** Data URIs; empty where examples are no pictures. */
  readonly samples: readonly string[];
  readonly samplesNote: string;
  readonly pairs: readonly Pair[];
  readonly pairsNote: string;
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
  readonly validationNote: string;
  readonly objective: string;
  /** ln p of an example; empty where the model has none. */
  readonly densityFormula: string;
  readonly settings: readonly Row[];
  readonly networks: readonly NetworkSummary[];
  readonly networksNote: string;
  readonly footer: readonly string[];
};

const picture = (uri: string, alt: string): string => `<img src="${uri}" alt="${escaped(alt)}">`;

const pairFigure = ({ original, reconstruction, label }: Pair): string => {
  const what = label === undefined ? 'a test example' : `a ${label}`;
  const caption = label === undefined ? '' : `<figcaption>${label}</figcaption>`;
  return `<figure class="pair">${picture(original, what)}${picture(reconstruction, `the reconstruction of ${what}`)}${caption}</figure>`;
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

const networkPanel = ({ name, shapes, parameters, layers }: NetworkSummary): string =>
  `<div class="panel"><h3>${escaped(name)} <span>${escaped(shapes)}, ${countText(parameters)} parameters</span></h3>` +
  `<ol>${layers.map((layer) => `<li>${escaped(layer)}</li>`).join('')}</ol></div>`;

/** The whole document. */
export const html = (page: Page): string =>
  documentOf({
    ...page,
    eyebrow: 'Immersion run',
    sections: [
      page.samples.length === 0
        ? ''
        : section(
            'Samples',
            page.samplesNote,
            `<div class="samples">${page.samples.map((uri) => picture(uri, 'a sample')).join('')}</div>`,
          ),
      page.pairs.length === 0
        ? ''
        : section(
            'Reconstructions',
            page.pairsNote,
            `<div class="pairs">${page.pairs.map(pairFigure).join('')}</div>`,
          ),
      page.density === null ? '' : densitySection(page.density),
      section(
        'Training',
        page.curvesNote,
        legend,
        `<div class="charts">${page.curves.map(curveFigure).join('')}</div>`,
      ),
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
          .map((formula) => `<div class="panel"><pre>${escaped(formula)}</pre></div>`),
      ),
      section(
        'Numbers',
        page.validationNote,
        `<div class="columns">${panel('Validation', page.validation)}${panel('Settings', page.settings)}</div>`,
      ),
      section(
        'Networks',
        page.networksNote,
        `<div class="columns">${page.networks.map(networkPanel).join('')}</div>`,
      ),
    ],
  });
