/** Data sets whose examples are all brought into memory, and looked through as they come. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TaskEither from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../dsl/problem.js';
import { sizeOf } from '../dsl/shape.js';
import { type Dataset, inMemory, type Source, type Split } from './dataset.js';
import type { OpenOptions } from './options.js';
import { percent, reporter } from './progress.js';
import { openData } from './source.js';
import { areFinite } from './survey.js';

type Loading<A> = TaskEither.TaskEither<readonly Problem[], A>;

/** `openData` with all examples in memory. */
export const loadData = (
  reference: string,
  root: string = process.cwd(),
  options: OpenOptions = {},
): Loading<Split> =>
  pipe(
    openData(reference, root, { ...options, isLoaded: true }),
    TaskEither.chain((split) => splitInMemory(split, options)),
    TaskEither.chain(({ split, isFinite }) =>
      isFinite
        ? TaskEither.right(split)
        : // Looking through it says what is not, and where.
          pipe(
            openData(reference, root, options),
            TaskEither.map(() => split),
          ),
    ),
  );

const splitInMemory = (
  { train, test, validation, ...known }: Split<Source>,
  options: OpenOptions,
): Loading<{ readonly split: Split; readonly isFinite: boolean }> => {
  const report = reporter(options);
  let isFinite = true;
  const load = (part: Source): Loading<Dataset> => {
    const all = part.size * sizeOf(part.shape);
    let done = 0;
    return inMemory(part, options.memory, (block) => {
      isFinite &&= areFinite(block);
      done += block.length;
      report(() => `reading ${part.name}: ${percent(done, all)}`);
    });
  };
  return pipe(
    TaskEither.Do,
    TaskEither.bind('train', () => load(train)),
    TaskEither.bind('test', () => load(test)),
    TaskEither.bind('validation', () =>
      validation === undefined ? TaskEither.right(undefined) : load(validation),
    ),
    TaskEither.map(({ validation: chosen, ...parts }) => ({
      split: { ...known, ...parts, ...(chosen === undefined ? {} : { validation: chosen }) },
      isFinite,
    })),
  );
};
