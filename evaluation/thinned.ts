/** Some examples of a set for all of them, whose files may be in order of their classes. */
import type { Either } from 'fp-ts/lib/Either.js';
import { type Dataset, inMemory, select, type Source } from '../data/index.js';
import type { Problem } from '../dsl/index.js';

/** Every so many-th example in memory, so that there are at most `most`. */
export const thinned = (source: Source, most: number): Promise<Either<readonly Problem[], Dataset>> => {
  const stride = Math.ceil(source.size / most);
  const rows = Array.from({ length: Math.ceil(source.size / stride) }, (_, i) => i * stride);
  return inMemory(stride === 1 ? source : select(source, source.name, rows))();
};
