/** Standardisation: every element of an example less its mean over the training set, over its standard deviation there. */
import { float32At, float64At } from '../dsl/lookup.js';
import { isLeft, left, map, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Problem, problem } from '../dsl/problem.js';
import { sizeOf } from '../dsl/shape.js';
import { read, type Scaling, type Source, type Split, type Stored } from './dataset.js';

type Problems = readonly Problem[];

const ROWS_AT_ONCE = 256;

/** Mean and standard deviation (of the sample as a population, 1/n) in one pass, blocks merged as Chan, Golub and LeVeque (1983) do. */
export const scalingOf =
  (path: string, source: Source): TaskEither<Problems, Scaling> =>
  async () => {
    const width = sizeOf(source.shape);
    const mean = new Float64Array(width);
    const squares = new Float64Array(width);
    const block = new Float32Array(ROWS_AT_ONCE * width);
    for (let first = 0; first < source.size; first += ROWS_AT_ONCE) {
      const count = Math.min(ROWS_AT_ONCE, source.size - first);
      const rows = Array.from({ length: count }, (_, i) => first + i);
      const done = await read(source, rows, block.subarray(0, count * width))();
      if (isLeft(done)) return done;
      for (let i = 0; i < width; i++) {
        let sum = 0;
        for (let row = 0; row < count; row++) sum += float32At(block, row * width + i);
        const here = sum / count;
        let spread = 0;
        for (let row = 0; row < count; row++) spread += (float32At(block, row * width + i) - here) ** 2;
        const total = first + count;
        const shift = here - float64At(mean, i);
        squares[i] = float64At(squares, i) + (spread + (shift * shift * first * count) / total);
        mean[i] = float64At(mean, i) + (shift * count) / total;
      }
    }
    const deviation = squares.map((sum) => Math.sqrt(sum / source.size));
    const constant = deviation.findIndex((value) => !(value > 0));
    return constant < 0
      ? right({ mean, deviation })
      : left([
          problem(
            path,
            `element ${constant + 1} of ${width} is ${Math.fround(float64At(mean, constant))} in every training example`,
            'elements that vary, since each is divided by its standard deviation',
            'leave it out',
          ),
        ]);
  };

/** x ↦ (x − mean) / deviation. */
const scaled = (source: Source, { mean, deviation }: Scaling): Stored => {
  const { name, shape, size, labels } = source;
  const width = sizeOf(shape);
  return {
    name,
    shape,
    size,
    ...(labels === undefined ? {} : { labels }),
    read: (rows, into) => async () => {
      const done = await read(source, rows, into)();
      for (let i = 0; i < rows.length * width; i++)
        into[i] = (float32At(into, i) - float64At(mean, i % width)) / float64At(deviation, i % width);
      return done;
    },
  };
};

/** All parts of a split by the training set's mean and deviation, which the split then knows. */
export const standardize =
  (path: string, split: Split<Source>): TaskEither<Problems, Split<Source>> =>
  async () =>
    map((scaling: Scaling): Split<Source> => ({
      train: scaled(split.train, scaling),
      test: scaled(split.test, scaling),
      ...(split.validation === undefined ? {} : { validation: scaled(split.validation, scaling) }),
      scaling,
    }))(await scalingOf(path, split.train)());
