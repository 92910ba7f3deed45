/** Whether a run goes on with the data that it began with. */
import type { Either } from 'fp-ts/lib/Either.js';
import { fingerprintOf, partsOf, type Source, type Split } from '../../data/index.js';
import { spaced } from '../../data/dataset.js';
import { type Problem, sizeOf } from '../../dsl/index.js';

/** What may be read for it: 128 MiB. */
const MOST_VALUES = 2 ** 25;

/** Examples at even distances, where all of them would be too many. */
const some = (source: Source, mostValues: number): Source =>
  spaced(source, Math.max(1, Math.floor(mostValues / sizeOf(source.shape))));

/** Of all examples, or of large sets, some at even distances, as 64 hexadecimal digits. */
export const fingerprintFor = (split: Split<Source>): Promise<Either<readonly Problem[], string>> => {
  const parts = partsOf(split);
  const most = MOST_VALUES / parts.length;
  const { train, test, validation } = split;
  return fingerprintOf({
    train: some(train, most),
    test: some(test, most),
    ...(validation === undefined ? {} : { validation: some(validation, most) }),
  })();
};
