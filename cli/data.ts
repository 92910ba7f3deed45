/** `immersion data REF`: what a data set holds and what would become of it, before anything is trained. */
import { atLeast, elementAt } from '../dsl/lookup.js';
import { basename, extname } from 'node:path';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import {
  describeData,
  type Description,
  inMemory,
  type PictureForm,
  select,
  type Source,
} from '../data/index.js';
import { type Problem, problem, showProblem, showShape } from '../dsl/index.js';
import { mosaicUri } from '../evaluation/picture.js';
import { writeWhole } from '../runs/records/whole-file.js';
import { type Option, readArguments, wantsJson } from './options/arguments.js';
import { fail, printJson, printText, say } from './terminal/output.js';
import { aligned, columnsOf, USUAL_COLUMNS, wrapped } from './terminal/width.js';
import { usage } from './options/usage.js';

type Checked<A> = Either<readonly Problem[], A>;

const options: readonly Option[] = [
  { name: 'grid', value: 'FILE', summary: 'where pictures are written as one PNG (NAME-grid.png)' },
];

const ACROSS = 12;
const DOWN = 6;
const MOST_CLASSES = 12;

/** Examples that can be seen: grey, colour, each with alpha or without. */
const isPicture = (shape: readonly number[]): boolean =>
  shape.length === 3 && elementAt(shape, 2) >= 1 && elementAt(shape, 2) <= 4;

const number = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e9 ? String(value) : String(Number(value.toPrecision(6)));

const count = (value: number): string => value.toLocaleString('en');

const classLines = ({ fields }: Description): readonly string[] =>
  fields
    // The first column of classes is also the field label.
    .filter(
      ({ name, classes }, i) =>
        name !== 'label' || JSON.stringify(classes) !== JSON.stringify(fields[i + 1]?.classes),
    )
    .flatMap(({ name, type, shape, classes }) => {
      if (classes === undefined)
        return [`${name}  ${type}${shape.length === 0 ? '' : ` ${showShape(shape)}`}`];
      const shown = classes.slice(0, MOST_CLASSES).map((one) => `${one.name} (${count(one.count)})`);
      const more = classes.length > MOST_CLASSES ? ` and ${classes.length - MOST_CLASSES} more` : '';
      return [`${name}  ${classes.length} classes: ${shown.join(', ')}${more}`];
    });

const kindOfPicture = {
  1: 'pictures in grey',
  2: 'pictures in grey with alpha',
  3: 'pictures in colour',
  4: 'pictures in colour with alpha',
} as const;

/** What shows through; nothing where alpha is kept. */
const background = ({ channels, background: colour }: PictureForm): string => {
  const hex = colour.map((value) => value.toString(16).padStart(2, '0')).join('');
  const name = hex === 'ffffff' ? 'white' : hex === '000000' ? 'black' : hex;
  return channels === 2 || channels === 4 ? '' : `, what is transparent over ${name}`;
};

/** What preprocessing does, in a line for each step. */
const stepLines = ({ preprocessing, columns }: Description): readonly string[] => {
  if (preprocessing === undefined) return [];
  const { range, scaling, missing, pictures } = preprocessing;
  const categories = columns.flatMap((column) =>
    column.tag === 'category' ? [`${column.name} becomes ${column.categories.length} elements`] : [],
  );
  const cut =
    pictures === undefined || pictures.crop === 0
      ? ''
      : `, ${pictures.crop} × ${pictures.crop} from the centre`;
  const sized =
    pictures === undefined || pictures.size === 0 ? '' : `, resized to ${pictures.size} × ${pictures.size}`;
  return [
    ...(pictures === undefined
      ? []
      : [`${kindOfPicture[pictures.channels]} in 0 … 1${cut}${sized}${background(pictures)}`]),
    ...(range === undefined ? [] : [`${range.least} … ${range.most} become 0 … 1`]),
    ...categories,
    ...(scaling === undefined ? [] : ['every number less its mean in training, over its deviation there']),
    ...(missing === 'mask' ? ['missing values become 0, with a 0 in the field mask'] : []),
    ...(missing === 'drop' ? ['examples that lack a value are left out'] : []),
  ];
};

const INDENT = 2;

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', title, ...lines.map((line) => `${' '.repeat(INDENT)}${line}`)];

/** For a terminal of so many columns. */
export const descriptionText = (description: Description, columns = USUAL_COLUMNS): string => {
  const { reference, shape, parts, looked, places, columns: inputs, problems } = description;
  const total = parts.reduce((sum, { size }) => sum + size, 0);
  const rows = places.map(({ name, least, greatest, mean, deviation, missing }, i) => {
    const column = inputs.at(i);
    const isWords = places.length > 1 && column?.tag === 'category';
    return [
      isWords ? `${name}: ${column.categories.slice(0, MOST_CLASSES).join(', ')}` : name,
      ...[least, greatest, mean, deviation].map((value) => (isWords ? '' : number(value))),
      missing === 0 ? '' : count(missing),
    ];
  });
  const of = looked < total ? ` of the first ${count(looked)} rows` : '';
  const lines = [
    `${reference}: examples of shape ${showShape(shape)}, ${parts.map(({ name, size }) => `${count(size)} ${name}`).join(', ')}`,
    ...section(
      `values${of}`,
      aligned([['', 'least', 'greatest', 'mean', 'deviation', 'missing'], ...rows], {
        isRight: (i) => i > 0,
        flexible: 0,
        columns: columns - INDENT,
      }),
    ),
    ...section('fields', classLines(description)),
    ...section('preprocessing', stepLines(description)),
  ].flatMap((line) => wrapped(line, columns, line.search(/\S|$/) + 2 * INDENT));
  // A problem is one line, as it is elsewhere.
  return [...lines, ...section('training would refuse this', problems.map(showProblem))].join('\n');
};

/** Small pictures are enlarged, each pixel to a square. */
const SIDE_SEEN = 64;

const enlarged = (examples: Float32Array, shape: readonly number[]) => {
  const [height, width, channels] = atLeast(3, shape);
  const times = Math.max(1, Math.floor(SIDE_SEEN / Math.max(height, width)));
  const count = examples.length / (height * width * channels);
  const [down, across] = [height * times, width * times];
  const values = new Float32Array(count * down * across * channels);
  let at = 0;
  for (let picture = 0; picture < count; picture++)
    for (let y = 0; y < down; y++)
      for (let x = 0; x < across; x++) {
        const row = picture * height + Math.floor(y / times);
        const from = (row * width + Math.floor(x / times)) * channels;
        for (let channel = 0; channel < channels; channel++)
          values[at++] = elementAt(examples, from + channel);
      }
  return { values, shape: [down, across, channels] };
};

/** Pictures at even distances, so that of every class there are some. */
const gridOf = async (source: Source): Promise<Checked<Uint8Array>> => {
  const rows = Int32Array.from({ length: Math.min(source.size, ACROSS * DOWN) }, (_, i) =>
    Math.floor((i * source.size) / Math.min(source.size, ACROSS * DOWN)),
  );
  const found = await inMemory(select(source, source.name, rows))();
  if (isLeft(found)) return found;
  const { values, shape } = enlarged(found.right.examples, source.shape);
  const uri = mosaicUri(values, shape, Math.min(ACROSS, rows.length));
  return right(Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64'));
};

const writeGrid = async (path: string, source: Source): Promise<Checked<string>> => {
  const picture = await gridOf(source);
  return isLeft(picture) ? picture : writeWhole(path, picture.right);
};

const gridPath = (reference: string): string => {
  const name = basename(reference.replace(/\?.*$/s, '')) || 'data';
  return `${name.slice(0, name.length - extname(name).length).replaceAll(/[^\p{L}\p{N}_.-]+/gu, '-') || 'data'}-grid.png`;
};

export const data = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, ['REF']);
  if (isLeft(given)) return fail(given.left, json);
  const [reference] = atLeast(1, given.right.positionals);
  const found = await describeData(reference, process.cwd(), { onProgress: say })();
  if (isLeft(found)) return fail(found.left, json);
  const { description, split } = found.right;
  const asked = given.right.last('grid');
  const canDraw = split !== undefined && isPicture(description.shape);
  if (asked !== undefined && !canDraw)
    return fail([problem('--grid', `examples of shape ${showShape(description.shape)}`, 'pictures')], json);
  const grid = canDraw ? await writeGrid(asked ?? gridPath(reference), split.train) : right(undefined);
  if (isLeft(grid)) return fail(grid.left, json);
  if (json) printJson({ ok: description.problems.length === 0, ...description, grid: grid.right ?? null });
  else {
    printText(descriptionText(description, columnsOf(process.stdout)));
    if (grid.right !== undefined) say(`pictures are in ${grid.right}`);
  }
  return description.problems.length === 0 ? 0 : 1;
};

export const dataUsage = usage(
  'data REF',
  'Describes a data set: parts, values, missing values, classes, what preprocessing does; writes pictures as a grid.',
  options,
);
