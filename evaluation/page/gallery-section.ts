/** Samples, reconstructions and ways through the space of codes, of pictures as pictures and of tables in columns. */
import type { Gallery } from '../gallery/gallery.js';
import { rowsOf } from '../gallery/view.js';
import type { Walk } from '../gallery/walks.js';
import { pictureUri } from '../picture.js';
import { section } from './document.js';
import { columnHistograms, sampleTable, walkCharts } from './table-section.js';
import { sizeOf } from '../../dsl/index.js';
import { escaped, numberText } from './text.js';

export const image = (uri: string, alt: string): string => `<img src="${uri}" alt="${escaped(alt)}">`;

const pictures = (examples: Float32Array, { view }: Pick<Gallery, 'view'>, alt: string): string =>
  rowsOf(view.pixels(examples), sizeOf(view.shape))
    .map((pixels) => image(pictureUri(pixels, view.shape), alt))
    .join('');

const pictureSamples = (gallery: Gallery): string =>
  gallery.samples
    .map(
      ({ prior, examples }) =>
        `<h3>${escaped(prior)}</h3><div class="samples">${pictures(examples, gallery, `a sample, codes from ${prior}`)}</div>`,
    )
    .join('');

const samplesSection = (gallery: Gallery): string => {
  const { view, samples } = gallery;
  if (samples.length === 0) return '';
  const note = 'New examples: codes drawn from each prior, decoded. None is picked.';
  return view.kind === 'pictures'
    ? section('Samples', note, pictureSamples(gallery))
    : section('Samples', `${note} In the data's own units.`, sampleTable(gallery));
};

const columnsSection = (gallery: Gallery): string => {
  const { view, pairs, samples } = gallery;
  if (view.kind !== 'table' || pairs === undefined || samples.length === 0) return '';
  return section(
    'Columns',
    'The distribution of each column in held-out examples, filled, and in samples of the first prior, as a line.',
    columnHistograms(gallery),
  );
};

const pairsSection = ({ pairs }: Gallery): string => {
  if (pairs === undefined || pairs.view.kind !== 'pictures') return '';
  const { view, targets, reconstructions, labels } = pairs;
  const size = sizeOf(view.shape);
  const [above, below] = [rowsOf(view.pixels(targets), size), rowsOf(view.pixels(reconstructions), size)];
  const figures = above.map((original, i) => {
    const label = labels[i];
    const what = label === undefined ? 'a held-out example' : `a ${label}`;
    const caption = label === undefined ? '' : `<figcaption>${label}</figcaption>`;
    const decoded = below[i] ?? original;
    return `<figure class="pair">${image(pictureUri(original, view.shape), what)}${image(pictureUri(decoded, view.shape), `the reconstruction of ${what}`)}${caption}</figure>`;
  });
  return section(
    'Reconstructions',
    'Held-out examples above, their reconstructions below.',
    `<div class="pairs">${figures.join('')}</div>`,
  );
};

const strips = (walks: readonly Walk[], gallery: Gallery, what: string): string =>
  `<div class="strips">${walks
    .map(
      ({ name, examples }) =>
        `<span>${escaped(name)}</span><div class="strip">${pictures(examples, gallery, `${what} ${name}`)}</div>`,
    )
    .join('')}</div>`;

const walkSection = (
  title: string,
  note: string,
  walks: readonly Walk[],
  gallery: Gallery,
  what: string,
): string => {
  if (walks.length === 0) return '';
  return gallery.view.kind === 'pictures'
    ? section(title, note, strips(walks, gallery, what))
    : section(title, note, walkCharts(walks, gallery));
};

/** All that a gallery shows. */
export const gallerySections = (gallery: Gallery): readonly string[] => {
  const reach = numberText(gallery.traversals[0]?.at.at(-1) ?? 2);
  return [
    samplesSection(gallery),
    pairsSection(gallery),
    columnsSection(gallery),
    walkSection(
      'Interpolations',
      'From the code of one held-out example to that of another in a straight line, decoded.',
      gallery.interpolations,
      gallery,
      'interpolation',
    ),
    walkSection(
      'Latents',
      `One latent from −${reach} to ${reach} deviations of the codes about their mean, the others at their means, decoded.`,
      gallery.traversals,
      gallery,
      'traversal of',
    ),
  ];
};
