/** The report of a run: what was trained, how it went, and what the model makes of pictures. */
import { elementAt } from '../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { type Dataset, labelsOf, type Source, type Split } from '../data/index.js';
import {
  describeLayer,
  everyNode,
  formula,
  hypersOf,
  type NetworkValue,
  objectiveFormula,
  showShape,
  sizeOf,
} from '../dsl/index.js';
import type { Fitted, StepEvent, TrainEvent, ValidationEvent } from '../runs/index.js';
import { duration } from '../runs/records/progress.js';
import { firstExamples } from '../runs/model/batched-evaluation.js';
import { curvesOf, diagnosisCurvesOf } from './page/curve.js';
import type { DensityFit } from './density/density-fit.js';
import type { Geometry } from './geometry/geometry.js';
import { squaredError } from './measure.js';
import type { Detections } from './density/out-of-distribution.js';
import { densityFigures } from './page/density-section.js';
import { html, type NetworkSummary, type Pair } from './page/page.js';
import type { Row } from './page/figures-table.js';
import { countText, numberText } from './page/text.js';
import { isPicture, pictureUri } from './picture.js';
import { fitGaussian } from './priors/gaussian.js';

/** What the report says besides the model and its events. */
export type Facts = {
  readonly name: string;
  readonly seed: number;
  readonly backend: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Of the decoder, where it was looked at. */
  readonly geometry?: Geometry | null;
  /** Of held-out examples, where the model has one. */
  readonly density?: DensityFit | null;
  /** How well test examples are told from those of other data, by reference. */
  readonly outside?: Readonly<Record<string, Detections>>;
};

const SAMPLES = 72;
const PAIRS = 20;
/** As much of a set as the page looks at: 10,000 CIFAR pictures are 120 MB. */
const MOST_EXAMPLES = 10_000;

const isStep = (event: TrainEvent): event is StepEvent => event.tag === 'step';
const isValidation = (event: TrainEvent): event is ValidationEvent => event.tag === 'validation';

/** Rows of the test set to show: as many of each class, in order of class, or the first ones. */
const chosenRows = (test: Dataset, count: number): readonly number[] => {
  const labels = labelsOf(test);
  const rows = Array.from({ length: test.size }, (_, row) => row);
  if (labels === undefined) return rows.slice(0, count);
  const classes = [...new Set(Array.from(labels))].sort((a, b) => a - b);
  const each = Math.max(1, Math.floor(count / classes.length));
  const byClass = classes.map((label) => rows.filter((row) => labels[row] === label).slice(0, each));
  return Array.from({ length: each }, (_, i) => byClass.flatMap((of) => of.slice(i, i + 1))).flat();
};

const rowsOf = (examples: Float32Array, width: number): readonly Float32Array[] =>
  Array.from({ length: examples.length / width }, (_, row) =>
    examples.subarray(row * width, (row + 1) * width),
  );

const pairsOf = async (fitted: Fitted, test: Dataset): Promise<readonly Pair[]> => {
  const width = sizeOf(test.shape);
  const labels = labelsOf(test);
  const rows = chosenRows(test, PAIRS);
  const originals = rows.map((row) => test.examples.subarray(row * width, (row + 1) * width));
  const joined = new Float32Array(rows.length * width);
  originals.forEach((original, i) => joined.set(original, i * width));
  const reconstructions = rowsOf(await fitted.reconstruct(joined), width);
  return rows.map((row, i) => ({
    original: pictureUri(elementAt(originals, i), test.shape),
    reconstruction: pictureUri(elementAt(reconstructions, i), test.shape),
    ...(labels === undefined ? {} : { label: labels[row] }),
  }));
};

const samplesOf = async (fitted: Fitted, train: Dataset, seed: number): Promise<readonly string[]> => {
  const gaussian = fitGaussian(await fitted.encode(train.examples), sizeOf(fitted.experiment.decoder.input));
  if (isLeft(gaussian)) return [];
  const samples = await fitted.sample(SAMPLES, { seed, prior: gaussian.right.sample });
  return rowsOf(samples, sizeOf(train.shape)).map((sample) => pictureUri(sample, train.shape));
};

const networkSummary = (
  fitted: Fitted,
  network: NetworkValue,
  output: readonly number[],
): NetworkSummary => ({
  name: network.name,
  shapes: `${showShape(network.input)} → ${showShape(output)}`,
  parameters: fitted.compiled.parameters
    .filter(({ name }) => name.startsWith(`${network.name}/`))
    .reduce((total, { shape }) => total + sizeOf(shape), 0),
  layers: network.layers.map(describeLayer),
});

const settingsOf = ({ experiment }: Fitted, seed: number): readonly Row[] => {
  const { optimizer, batch, steps, data } = experiment;
  return [
    ...[...hypersOf(experiment)].map(([name, value]): Row => [name, numberText(value)]),
    ['optimizer', `${optimizer.tag}, rate ${formula(optimizer.rate)}`],
    ['batch', countText(batch)],
    ['steps', countText(steps)],
    ['data', data],
    ['seed', String(seed)],
  ];
};

/** Weights that grow make a term grow while the model improves. */
const curvesNote = ({ experiment }: Fitted): string => {
  const scheduled = everyNode(
    Object.entries(experiment.objective).map(([term, node]) => ({ path: [term], node })),
  ).some(({ node }) => node.tag === 'step');
  const what =
    'Every term of the objective as it is weighted, averaged over the batch; the loss is their sum.';
  return scheduled
    ? `${what} Weights depend on the step i, so a term can grow while the model improves.`
    : what;
};

const estimatesNote = ({ compiled: { diagnose } }: Fitted): string =>
  `How well training estimates, at the first ${countText(diagnose?.batch ?? 0)} held-out examples: ‖b − JᵀJ·u‖/‖b‖ of the systems that it solves, the rounds of conjugate gradients to it, and the cosine of the angle between a surrogate's gradient and that of the exact volume.`;

/** The page of a run, as one self-contained HTML text. */
export const reportPage = async (
  fitted: Fitted,
  data: Split<Source>,
  events: readonly TrainEvent[],
  { name, seed, backend, versions, geometry = null, density = null, outside = {} }: Facts,
): Promise<string> => {
  const { experiment } = fitted;
  const steps = events.filter(isStep);
  const seconds = steps.at(-1)?.seconds ?? 0;
  const last = events.filter(isValidation).at(-1);
  const [train, test] = [
    await firstExamples(data.train, MOST_EXAMPLES),
    await firstExamples(data.test, MOST_EXAMPLES),
  ];
  const seen = isPicture(train.shape);
  const isInverse = experiment.encoder.name === experiment.decoder.name;
  const d = sizeOf(experiment.decoder.input);
  const parameters = fitted.compiled.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
  return html({
    title: name,
    summary: `${countText(steps.length)} steps of ${experiment.batch} examples on ${experiment.data} (${countText(data.train.size)} to train on, ${countText(data.test.size)} held out), in ${duration(seconds)}.`,
    figures: [
      ...(density === null ? [] : densityFigures(density)),
      ...(test.size === 0 || density !== null
        ? []
        : [['held-out ‖x − x̂‖²', numberText(await squaredError(fitted, test))] as const]),
      ['from data to code', `${sizeOf(train.shape)} → ${d}`],
      ['parameters', countText(parameters)],
      ['steps per second', numberText(steps.length / Math.max(seconds, 1e-9))],
    ],
    samples: seen ? await samplesOf(fitted, train, seed) : [],
    samplesNote: `New examples: codes drawn from the full-covariance Gaussian fitted to the codes of the ${countText(train.size)} training examples, decoded. None is picked.`,
    pairs: seen && test.size > 0 ? await pairsOf(fitted, test) : [],
    pairsNote: 'Held-out examples above, their reconstructions below.',
    curves: curvesOf(events),
    curvesNote: curvesNote(fitted),
    estimates: diagnosisCurvesOf(events),
    estimatesNote: estimatesNote(fitted),
    geometry,
    density,
    outside,
    validation:
      last === undefined
        ? []
        : [...Object.entries({ ...last.terms, loss: last.loss })].map(([term, value]): Row => [
            term,
            numberText(value),
          ]),
    validationNote: `Means over ${countText(data.test.size)} held-out examples after the last step.`,
    objective: objectiveFormula(experiment.objective),
    densityFormula:
      experiment.logDensity === undefined ? '' : objectiveFormula({ 'ln p(x)': experiment.logDensity }),
    settings: settingsOf(fitted, seed),
    networks: [
      ...(isInverse ? [] : [networkSummary(fitted, experiment.encoder, experiment.decoder.input)]),
      networkSummary(fitted, experiment.decoder, experiment.encoder.input),
    ],
    networksNote: isInverse
      ? 'Layers from the input to the output; the encoder is the same layers backwards.'
      : 'Layers from the input to the output.',
    footer: [
      `Backend ${backend}. ${Object.entries(versions)
        .map(([what, version]) => `${what} ${version}`)
        .join(', ')}. ${process.platform} ${process.arch}.`,
      `Written ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC.`,
    ],
  });
};
