/** Preprocessing of sets that are read by row: the examples are made when they are asked for. */
import { floatAt } from '../../dsl/lookup.js';
import { isLeft, map } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../../dsl/problem.js';
import { read, type Source, type Split } from '../dataset.js';
import { fitPreprocessing } from './fit.js';
import { applyTo, elementsOf, type Preprocessing } from './preprocessing.js';

type Problems = readonly Problem[];

/** Whether examples are the numbers that are read, or these by the range alone. */
const isPlain = ({ columns, scaling, missing }: Preprocessing): boolean =>
  scaling === undefined && missing !== 'mask' && (columns ?? []).every(({ tag }) => tag === 'number');

/** Rows as they are read as examples. */
export const preprocessed = (preprocessing: Preprocessing, raw: Source): Source => {
  const { name, size, fields } = raw;
  const { shape, range } = preprocessing;
  if (isPlain(preprocessing) && range === undefined) return raw;
  const about = { name, size, shape, ...(fields === undefined ? {} : { fields }) };
  if (isPlain(preprocessing) && range !== undefined)
    return {
      ...about,
      read: (rows, into) => async () => {
        const done = await read(raw, rows, into)();
        for (let i = 0; i < into.length; i++)
          into[i] = (floatAt(into, i) - range.least) / (range.most - range.least);
        return done;
      },
    };
  const elements = elementsOf(preprocessing);
  return {
    ...about,
    read: (rows, into) => async () => {
      const values = new Float64Array(rows.length * elements.rawWidth);
      const done = await read(raw, rows, values)();
      if (isLeft(done)) return done;
      applyTo(elements, values, into);
      return done;
    },
  };
};

const applied = (raw: Split<Source>, preprocessing: Preprocessing): Split<Source> => ({
  ...raw,
  train: preprocessed(preprocessing, raw.train),
  test: preprocessed(preprocessing, raw.test),
  ...(raw.validation === undefined ? {} : { validation: preprocessed(preprocessing, raw.validation) }),
  preprocessing,
});

/** All parts of a split by a plan, fitted on the training part where it is to be standardised; the split then knows it. */
export const preprocessSplit =
  (
    path: string,
    plan: Preprocessing,
    standardize: boolean,
    raw: Split<Source>,
  ): TaskEither<Problems, Split<Source>> =>
  async () => {
    if (!standardize) return { _tag: 'Right', right: applied(raw, plan) };
    return map((fitted: Preprocessing) => applied(raw, fitted))(
      await fitPreprocessing(path, plan, raw.train)(),
    );
  };
