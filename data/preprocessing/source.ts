/** Preprocessing of sets that are read by row: the examples are made when they are asked for. */
import { elementAt } from '../../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { map, type TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../../dsl/problem.js';
import { read, type Source, type Split } from '../dataset.js';
import { fitPreprocessing } from './fit.js';
import { applyTo, elementsOf, type Preprocessing } from './preprocessing.js';

type Problems = readonly Problem[];

/** Whether examples are the numbers that are read, or these by the range alone. */
export const isPlain = ({ columns, scaling, missing }: Preprocessing): boolean =>
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
          into[i] = (elementAt(into, i) - range.least) / (range.most - range.least);
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

/** All parts of a split by one preprocessing, which the split then knows. */
export const applySplit = (raw: Split<Source>, preprocessing: Preprocessing): Split<Source> => ({
  ...raw,
  train: preprocessed(preprocessing, raw.train),
  test: preprocessed(preprocessing, raw.test),
  ...(raw.validation === undefined ? {} : { validation: preprocessed(preprocessing, raw.validation) }),
  preprocessing,
});

/** The same by means and deviations of the training part. */
export const preprocessSplit = (
  path: string,
  plan: Preprocessing,
  raw: Split<Source>,
): TaskEither<Problems, Split<Source>> =>
  pipe(
    fitPreprocessing(path, plan, raw.train),
    map((fitted) => applySplit(raw, fitted)),
  );
