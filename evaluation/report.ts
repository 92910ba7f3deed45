/** The report of a run: what was trained, how it went, and what the model makes of data. */
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Source, Split } from '../data/index.js';
import { outline } from '../compiler/index.js';
import {
  describeLayer,
  everyNode,
  formula,
  hypersOf,
  networksOf,
  type NetworkValue,
  objectiveMathml,
  scheduledWeights,
  showShape,
  sizeOf,
  describeOptimizer,
} from '../dsl/index.js';
import {
  type Fitted,
  isStep,
  isTest,
  isValidation,
  type KeptExamples,
  type TrainEvent,
} from '../runs/index.js';
import { duration, settledText } from '../runs/records/progress.js';
import { firstExamples } from '../runs/model/batched-evaluation.js';
import { curvesOf, diagnosisCurvesOf } from './page/curve.js';
import type { DensityFit } from './density/density-fit.js';
import type { Geometry } from './geometry/geometry.js';
import type { Comparison } from './comparison.js';
import type { Detections } from './density/detection.js';
import { densityFigures } from './page/density-section.js';
import { galleryOf, type ShownPrior } from './gallery/gallery.js';
import { html, type NetworkSummary } from './page/page.js';
import type { Row } from './page/figures-table.js';
import { countText, numberText } from './page/text.js';

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
  /** The step whose schedules losses are compared by; the last one unless given. */
  readonly settledAt?: number | undefined;
  /** What the run kept of its training data; without it that is encoded again. */
  readonly kept?: KeptExamples | undefined;
  /** Trained priors to show samples of; they are disposed. */
  readonly priors?: readonly ShownPrior[] | undefined;
  /** Beside another run. */
  readonly baseline?: Comparison | undefined;
  /** How well test examples are told from those of other data, by reference. */
  readonly outside?: Readonly<Record<string, Detections>>;
};

/** As much of a set as the page looks at: 10,000 CIFAR pictures are 120 MB. */
const MOST_EXAMPLES = 10_000;

const networkSummary = (fitted: Fitted, network: NetworkValue): NetworkSummary => {
  const layers = outline(network);
  const outputs = isLeft(layers) ? [] : [...(layers.right.at(-1)?.outputs.values() ?? [])];
  return {
    name: network.name,
    shapes: `${showShape(network.input)}${outputs.length === 0 ? '' : ` → ${outputs.map(showShape).join(', ')}`}`,
    parameters: fitted.compiled.parameters
      .filter(({ name }) => name.startsWith(`${network.name}/`))
      .reduce((total, { shape }) => total + sizeOf(shape), 0),
    layers: network.layers.map(describeLayer),
  };
};

/** Every network, as it was written. */
const networkSummaries = (fitted: Fitted): readonly NetworkSummary[] => {
  const networks = networksOf(fitted.experiment);
  return isLeft(networks)
    ? []
    : [...networks.right.values()].map((network) => networkSummary(fitted, network));
};

const settingsOf = ({ experiment }: Fitted, seed: number): readonly Row[] => {
  const { optimizer, batch, steps, data } = experiment;
  return [
    ...[...hypersOf(experiment)].map(([name, value]): Row => [name, numberText(value)]),
    ['optimizer', `${describeOptimizer(optimizer)}, rate ${formula(optimizer.rate)}`],
    ['batch', countText(batch)],
    ['steps', countText(steps)],
    ['data', data],
    ['seed', String(seed)],
  ];
};

const curvesNote = ({ experiment: { objective, steps } }: Fitted, settledAt: number): string => {
  const scheduled = [...scheduledWeights(objective).keys()];
  const what = 'Terms of the objective, averaged over the batch; the loss is their sum.';
  if (scheduled.length > 0)
    return `${what} The ${scheduled.length === 1 ? 'weight' : 'weights'} of ${scheduled.join(', ')} ${scheduled.length === 1 ? 'depends' : 'depend'} on the step, so ${scheduled.length === 1 ? 'it is' : 'they are'} shown without ${scheduled.length === 1 ? 'it' : 'them'}, and the loss with the ${settledText(settledAt, steps)}: falling is improving.`;
  const changes = everyNode(Object.entries(objective).map(([term, node]) => ({ path: [term], node }))).some(
    ({ node }) => node.tag === 'step' || node.tag === 'running',
  );
  return changes
    ? `${what} Weights change while it trains, so a term can grow while the model improves.`
    : what;
};

const estimatesNote = ({ compiled: { diagnose } }: Fitted): string =>
  `How well training estimates, at the first ${countText(diagnose?.batch ?? 0)} held-out examples: ‖b − JᵀJ·u‖/‖b‖ of the systems that it solves, the rounds of conjugate gradients to it, and the cosine of the angle between a surrogate's gradient and that of the exact volume; and where a guard acted (jitter, bounded, unsolved), on what part of a step's examples.`;

/** The last value of each term over held-out data, without its weight where that is a schedule. */
const lastRows = (
  { experiment }: Fitted,
  events: readonly TrainEvent[],
  settledAt: number,
): readonly Row[] => {
  const last = events.filter(isTest).at(-1) ?? events.filter(isValidation).at(-1);
  if (last === undefined) return [];
  const weights = scheduledWeights(experiment.objective);
  const terms = Object.entries(last.terms).flatMap(([name, value]): readonly Row[] => {
    const weight = weights.get(name)?.(last.step);
    return weight === undefined || weight === 0
      ? [[name, numberText(value)]]
      : [[`${name} (× ${numberText(weight)})`, numberText(value / weight)]];
  });
  const settled = last.settled?.['loss'];
  const loss =
    settled === undefined
      ? { loss: last.loss }
      : { [`loss (${settledText(settledAt, experiment.steps)})`]: settled };
  const others = Object.entries({ ...loss, ...last.metrics });
  return [...terms, ...others.map(([name, value]): Row => [name, numberText(value)])];
};

/** The page of a run, as one self-contained HTML text. */
export const reportPage = async (
  fitted: Fitted,
  data: Split<Source>,
  events: readonly TrainEvent[],
  facts: Facts,
): Promise<string> => {
  const { name, seed, backend, versions, geometry = null, density = null, outside = {} } = facts;
  const { experiment } = fitted;
  const { settledAt = experiment.steps } = facts;
  const lastStep = events.filter(isStep).at(-1);
  const [steps, seconds] = [lastStep === undefined ? 0 : lastStep.step + 1, lastStep?.seconds ?? 0];
  const [train, test] = [
    await firstExamples(data.train, MOST_EXAMPLES),
    await firstExamples(data.test, MOST_EXAMPLES),
  ];
  const isInverse = experiment.encoder.name === experiment.decoder.name;
  const d = sizeOf(experiment.decoder.input);
  const parameters = fitted.compiled.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
  const gallery = await galleryOf(fitted, { train, test }, { seed, kept: facts.kept, priors: facts.priors });
  const isTested = events.some(isTest);
  return html({
    title: name,
    summary: `${countText(steps)} steps of ${experiment.batch} examples on ${experiment.data} (${countText(data.train.size)} to train on, ${countText(data.test.size)} held out), in ${duration(seconds)}.`,
    figures: [
      ...(density === null ? [] : densityFigures(density)),
      ...(gallery.error === undefined || density !== null
        ? []
        : [['held-out ‖x − x̂‖²', numberText(gallery.error)] as const]),
      ['from data to code', `${sizeOf(train.shape)} → ${d}`],
      ['parameters', countText(parameters)],
      ['steps per second', numberText(steps / Math.max(seconds, 1e-9))],
    ],
    gallery,
    baseline: facts.baseline ?? null,
    curves: curvesOf(events, experiment, settledAt),
    curvesNote: curvesNote(fitted, settledAt),
    estimates: diagnosisCurvesOf(events),
    estimatesNote: estimatesNote(fitted),
    geometry,
    density,
    outside,
    validation: lastRows(fitted, events, settledAt),
    validationTitle: isTested ? 'Test' : 'Validation',
    validationNote: isTested
      ? 'Means over the test examples, by the weights that the run leaves.'
      : 'Means over the validation examples after the last step.',
    objective: objectiveMathml(experiment.objective),
    densityFormula:
      experiment.logDensity === undefined ? '' : objectiveMathml({ 'ln p(x)': experiment.logDensity }),
    settings: settingsOf(fitted, seed),
    networks: networkSummaries(fitted),
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
