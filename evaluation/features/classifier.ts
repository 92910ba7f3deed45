/** A small classifier of the training data, trained with the language itself, and its last layer but one as features. */
import { elementAt, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Dataset, labelsOf, read, type Source, type Stored } from '../../data/index.js';
import {
  adam,
  apply,
  conv,
  crossEntropy,
  data,
  dense,
  elu,
  type Experiment,
  experiment,
  flatten,
  input,
  network,
  objective,
  pipe,
  type Problem,
  problem,
  reshaped,
  sameShape,
  schedule,
  type Shape,
  showShape,
  sizeOf,
  slice,
} from '../../dsl/index.js';
import { type Backend, fit } from '../../runs/index.js';
import { momentsOf } from '../priors/moments.js';
import { carriedSize, type FeatureMap } from './feature-map.js';

export type Classifier = FeatureMap & {
  readonly classes: number;
  /** Share of the examples whose label has the greatest logit. */
  readonly accuracy: (labelled: Dataset) => Promise<Either<readonly Problem[], number>>;
};

export type ClassifierOptions = {
  readonly backend: Backend;
  /** Examples in the samples that will be scored: there are as many features as they can carry (`carriedSize`). */
  readonly samples: number;
  /** Features at most, 32 unless given. */
  readonly most?: number;
  readonly seed?: number;
  /** Of training, 1500 unless given. */
  readonly steps?: number;
};

const BATCH = 64;

/** Convolutions where there is an image for them to see. */
const trunk = (shape: Shape, size: number) => {
  const [height, width, channels] = shape;
  return shape.length === 3 &&
    height !== undefined &&
    width !== undefined &&
    channels !== undefined &&
    Math.min(height, width) >= 16
    ? pipe(
        input(height, width, channels),
        conv(16, { kernel: 3, stride: 2 }),
        elu,
        conv(32, { kernel: 3, stride: 2 }),
        elu,
        flatten,
        dense(size),
      )
    : pipe(input(...shape), flatten, dense(128), elu, dense(size));
};

/** Examples with the one-hot vectors of their labels behind them: the encoder sees the pixels, the objective both. */
const withLabels = (source: Source, labels: ArrayLike<number>, classes: number): Stored => {
  const { name, shape, size } = source;
  const width = sizeOf(shape);
  const stride = width + classes;
  return {
    name: `${name} with labels`,
    shape: [stride],
    size,
    read: (rows, into) => async () => {
      const examples = new Float32Array(rows.length * width);
      const done = await read(source, rows, examples)();
      into.fill(0);
      for (let i = 0; i < rows.length; i++) {
        into.set(examples.subarray(i * width, (i + 1) * width), i * stride);
        into[i * stride + width + elementAt(labels, elementAt(rows, i))] = 1;
      }
      return done;
    },
  };
};

const specification = (
  shape: Shape,
  classes: number,
  size: number,
  batch: number,
  steps: number,
): Experiment => {
  const features = network('features', trunk(shape, size));
  const head = network('head', pipe(input(size), elu, dense(classes)));
  const width = sizeOf(shape);
  const example = data(width + classes);
  const pixels = reshaped(slice(example, [0], [width]), ...shape);
  const label = slice(example, [width], [classes]);
  return experiment({
    encoder: features,
    decoder: head,
    objective: objective({
      crossEntropy: crossEntropy(apply(head, apply(features, pixels)), label),
    }),
    optimizer: adam({ rate: schedule.exponential(2e-3, steps / 2) }),
    batch,
    steps,
    data: 'labelled examples',
    validation: { every: 0 },
  });
};

const classesOf = (source: Source): Either<readonly Problem[], ArrayLike<number>> => {
  const labels = labelsOf(source);
  return labels === undefined
    ? left([
        problem(
          'classifier',
          `no labels in ${source.name}`,
          'a label for each example',
          'use the features "pixels"',
        ),
      ])
    : right(labels);
};

const greatest = (values: Float32Array): number => values.indexOf(Math.max(...values));

/**
 * Trains features `classifier` on labelled examples, shifted and scaled so that those examples have mean 0 and variance 1 on
 * average over the features. Another seed is another feature map: scores of one and of the other do not compare.
 */
export const classifier = async (
  train: Source,
  { backend, samples, most = 32, seed = 0, steps = 1500 }: ClassifierOptions,
): Promise<Either<readonly Problem[], Classifier>> => {
  const labels = classesOf(train);
  if (isLeft(labels)) return labels;
  const classes = Array.from(labels.right).reduce((most, label) => Math.max(most, label + 1), 0);
  if (classes < 2) return left([problem('classifier', `${classes} classes in ${train.name}`, 'at least 2')]);
  const size = carriedSize(samples, most);
  const labelled = withLabels(train, labels.right, classes);
  const spec = specification(train.shape, classes, size, Math.min(BATCH, train.size), steps);
  const nothing = { ...labelled, size: 0 };
  const fitted = await fit(spec, { data: { train: labelled, test: nothing }, backend, seed });
  if (isLeft(fitted)) return fitted;
  const { encode, reconstruct, dispose } = fitted.right;
  const raw = await encode(train);
  const { mean, covariance } = momentsOf(raw, size);
  const spread = Math.sqrt(covariance.trace() / size) || 1;
  return right({
    name: 'classifier',
    size,
    classes,
    apply: async (examples) =>
      (await encode(examples)).map((x, at) => (x - float64At(mean, at % size)) / spread),
    accuracy: async (other) => {
      const truth = classesOf(other);
      if (isLeft(truth)) return truth;
      if (!sameShape(other.shape, train.shape))
        return left([
          problem('classifier', `examples of shape ${showShape(other.shape)}`, showShape(train.shape)),
        ]);
      const logits = await reconstruct(other.examples);
      const hits = Array.from(truth.right).filter(
        (label, row) => greatest(logits.subarray(row * classes, (row + 1) * classes)) === label,
      );
      return right(hits.length / other.size);
    },
    dispose,
  });
};
