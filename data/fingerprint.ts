/** The SHA-256 of what a set holds, wherever it came from: whether a run goes on with the data that it began with. */
import { createHash, type Hash } from 'node:crypto';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Problem } from '../dsl/problem.js';
import { sizeOf } from '../dsl/shape.js';
import { partsOf, read, rowsFrom, type Source, type Split } from './dataset.js';

const VALUES_AT_ONCE = 2 ** 17;

const bytesOf = (values: Float32Array | Int32Array | Uint8Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const addSource = async (hash: Hash, source: Source): Promise<readonly Problem[]> => {
  const { shape, size, fields = {} } = source;
  const width = sizeOf(shape);
  hash.update(JSON.stringify({ shape, size }));
  const most = Math.max(1, Math.min(size, Math.floor(VALUES_AT_ONCE / width)));
  const block = new Float32Array(most * width);
  for (let first = 0; first < size; first += most) {
    const count = Math.min(most, size - first);
    const values = block.subarray(0, count * width);
    const done = await read(source, rowsFrom(first, count), values)();
    if (isLeft(done)) return done.left;
    hash.update(bytesOf(values));
  }
  for (const [name, field] of Object.entries(fields)) {
    hash.update(
      JSON.stringify({ name, shape: field.shape, type: field.type, classes: field.classes ?? null }),
    );
    hash.update(bytesOf(field.values));
  }
  return [];
};

/** Of the examples and fields of every part, as 64 hexadecimal digits; all of them are read. Names do not count. */
export const fingerprintOf =
  (split: Split<Source>): TaskEither<readonly Problem[], string> =>
  async () => {
    const hash = createHash('sha256');
    for (const part of partsOf(split)) {
      const problems = await addSource(hash, part);
      if (problems.length > 0) return left(problems);
    }
    return right(hash.digest('hex'));
  };
