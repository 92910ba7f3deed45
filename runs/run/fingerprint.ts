/** Whether a run goes on with the data that it began with. */
import type { Either } from 'fp-ts/lib/Either.js';
import { fingerprintOf, partsOf, select, type Source, type Split } from '../../data/index.js';
import { type Problem, sizeOf } from '../../dsl/index.js';

/** What may be read for it: 128 MiB. */
const MOST_VALUES = 2 ** 25;

/** Rows at even distances, where all of them would be too many. */
const spaced = (source: Source, most: number): Source => {
  const count = Math.min(source.size, Math.max(1, Math.floor(most / sizeOf(source.shape))));
  if (count >= source.size) return source;
  const rows = Array.from({ length: count }, (_, i) => Math.floor((i * source.size) / count));
  return select(source, source.name, rows);
};

/** Of all examples, or of large sets, some at even distances, as 64 hexadecimal digits. */
export const fingerprintFor = (split: Split<Source>): Promise<Either<readonly Problem[], string>> => {
  const parts = partsOf(split);
  const most = MOST_VALUES / parts.length;
  const { train, test, validation } = split;
  return fingerprintOf({
    train: spaced(train, most),
    test: spaced(test, most),
    ...(validation === undefined ? {} : { validation: spaced(validation, most) }),
  })();
};
