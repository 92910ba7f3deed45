/** What a trial measures after training, as data, and measuring it. */
import { right } from 'fp-ts/lib/Either.js';
import type { Dataset } from '../data/index.js';
import { type Codec, struct, withDefault } from '../dsl/codec/codec.js';
import { nonNegativeInteger } from '../dsl/codec/primitive.js';
import { sizeOf } from '../dsl/index.js';
import type { Array1, Fitted, Measure } from '../training/index.js';

export type Evaluation = {
  /** How many test examples are kept with their reconstructions. */
  readonly pictures: number;
};

/** Nothing but the reconstruction error. */
export const plainEvaluation: Evaluation = { pictures: 0 };

/** As JSON; what is not asked for may be left out. */
export const evaluationCodec: Codec<Evaluation> = withDefault(
  struct('an object that says what is measured', { pictures: withDefault(nonNegativeInteger, 0) }),
  plainEvaluation,
);

/** Mean of ‖x − g(h(x))‖² over a data set. */
export const squaredError = async (fitted: Fitted, { examples, size }: Dataset): Promise<number> => {
  const reconstructions = await fitted.reconstruct(examples);
  return examples.reduce((total, x, i) => total + (x - reconstructions[i]) ** 2, 0) / size;
};

const pictures = async (fitted: Fitted, test: Dataset, count: number): Promise<Map<string, Array1>> => {
  const shown = Math.min(count, test.size);
  const shape = [shown, ...test.shape];
  const originals = test.examples.slice(0, shown * sizeOf(test.shape));
  return shown === 0
    ? new Map()
    : new Map([
        ['originals', { shape, data: originals }],
        ['reconstructions', { shape, data: await fitted.reconstruct(originals) }],
      ]);
};

/** Figures are named after the data they were measured on: `test/reconstruction`. */
export const measure: Measure<Evaluation> = async (evaluation, { fitted, data }) => {
  const { validation, test } = data;
  const figures = {
    'validation/reconstruction': await squaredError(fitted, validation),
    'test/reconstruction': await squaredError(fitted, test),
  };
  return right({ figures, arrays: await pictures(fitted, test, evaluation.pictures) });
};
