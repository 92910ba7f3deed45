/**
 * A run for TensorBoard, beside its own record: terms, rate and gradient at every step, and at validations also pictures of reconstructions and
 * samples, and the distribution of every array of weights. One folder each for training, validation and test, so that their curves share a chart.
 */
import { join } from 'node:path';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { type Problem, scheduledWeights, sizeOf } from '../dsl/index.js';
import { firstExamples } from '../runs/model/batched-evaluation.js';
import { isStep, type Measurable, type StepEvent, type TrainEvent } from '../runs/index.js';
import {
  type EventFile,
  histogram,
  openEventFile,
  picture,
  scalar,
} from '../runs/records/tensorboard/event-file.js';
import { isPicture, mosaicPng } from './picture.js';

type Checked<A> = Either<readonly Problem[], A>;
type Value = ReturnType<typeof scalar>;

export type TensorBoard = {
  /** On the left why something could not be written; training can go on without it. */
  readonly onEvent: (event: TrainEvent) => Promise<Checked<void>>;
  readonly close: () => void;
};

const SHOWN = 64;
const ACROSS = 8;

/** What a run shows besides its events. */
type Shown = Pick<Measurable, 'model' | 'data'>;

const mosaic = (tag: string, examples: Float32Array, shape: readonly number[]): readonly Value[] => {
  if (!isPicture(shape) || examples.length === 0) return [];
  const [height = 1, width = 1, channels = 1] = shape;
  const across = Math.min(ACROSS, examples.length / sizeOf(shape));
  const down = Math.ceil(examples.length / sizeOf(shape) / across);
  return [
    picture(tag, {
      height: down * (height + 1) - 1,
      width: across * (width + 1) - 1,
      channels,
      png: mosaicPng(examples, shape, across),
    }),
  ];
};

/** Reconstructions and samples, where the encoder takes examples whole and they are pictures. */
const picturesOf = async ({ model, data }: Shown): Promise<readonly Value[]> => {
  const { shape } = data.train;
  const { encoder } = model.experiment;
  if (!isPicture(shape) || shape.join() !== encoder.input.join()) return [];
  const set = await firstExamples(data.validation ?? data.test, SHOWN);
  if (set.size === 0) return [];
  return [
    ...mosaic('reconstructions/originals', set.examples, shape),
    ...mosaic('reconstructions/decoded', await model.reconstruct(set.examples), shape),
    ...mosaic('samples/standard', await model.sample(SHOWN, { seed: 0 }), shape),
  ];
};

const weightsOf = async ({ model }: Shown): Promise<readonly Value[]> => {
  const { arrays } = await model.state();
  const own = new Set(model.compiled.parameters.map(({ name }) => name));
  return [...arrays].flatMap(([name, { data }]) => (own.has(name) ? [histogram(name, data)] : []));
};

/** Opens the files of a run in its folder; `from` is the step that it goes on from. */
export const openTensorBoard = (folder: string, shown: Shown, from = 0): Checked<TensorBoard> => {
  const weights = scheduledWeights(shown.model.experiment.objective);
  const files = new Map<string, EventFile>();
  const fileOf = (name: string): Checked<EventFile> => {
    const open = files.get(name);
    if (open !== undefined) return right(open);
    const made = openEventFile(join(folder, 'tensorboard', name), from);
    if (!isLeft(made)) files.set(name, made.right);
    return made;
  };
  const terms = (step: number, values: Readonly<Record<string, number>>): readonly Value[] =>
    Object.entries(values).flatMap(([name, value]) => {
      const weight = weights.get(name)?.(step);
      return [
        scalar(`terms/${name}`, value),
        ...(weight === undefined || weight === 0 ? [] : [scalar(`unweighted/${name}`, value / weight)]),
      ];
    });
  const metrics = (values: Readonly<Record<string, number>> = {}): readonly Value[] =>
    Object.entries(values).map(([name, value]) => scalar(`metrics/${name}`, value));
  const ofStep = (event: StepEvent): readonly Value[] => [
    scalar('loss', event.loss),
    ...terms(event.step, event.terms),
    ...Object.entries(event.surrogates ?? {}).map(([name, value]) => scalar(`surrogates/${name}`, value)),
    ...metrics(event.metrics),
    scalar('optimizer/rate', event.rate),
    scalar('optimizer/gradient norm', event.gradientNorm),
  ];
  const first = fileOf('train');
  if (isLeft(first)) return first;
  return right({
    onEvent: async (event) => {
      if (event.tag === 'notice') return right(undefined);
      const file = fileOf(isStep(event) ? 'train' : event.tag);
      if (isLeft(file)) return file;
      // A point is where the weights stand: step i leads to i + 1.
      if (isStep(event)) return file.right.write(event.step + 1, ofStep(event));
      const written = file.right.write(event.step, [
        scalar('loss', event.loss),
        ...terms(event.step, event.terms),
        ...(event.settled?.['loss'] === undefined
          ? []
          : [scalar('loss, weights of the last step', event.settled['loss'])]),
        ...metrics(event.metrics),
        ...(await picturesOf(shown)),
        ...(await weightsOf(shown)),
      ]);
      if (isLeft(written)) return written;
      for (const open of files.values()) {
        const flushed = open.flush();
        if (isLeft(flushed)) return flushed;
      }
      return right(undefined);
    },
    close: () => files.forEach((file) => file.close()),
  });
};
