/** Programs have a static batch; data sets have any size: rows run in batches, the last one padded and its padding dropped. */
import { elementAt } from '../../dsl/lookup.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { evaluationBatches } from '../../data/batches.js';
import { type Dataset, inMemory, read, select, type Source } from '../../data/dataset.js';
import { sizeOf } from '../../dsl/index.js';
import { fieldsAt, type FieldValues } from './fields.js';
import { BackendFailure } from '../../backends/failure.js';

type Arrays = ReadonlyMap<string, Float32Array>;

/** What a program maps, row by row. */
export type BatchInput = {
  readonly count: number;
  /** Numbers in a row. */
  readonly width: number;
  /** Copies the rows of these indices into an array of the batch's size. */
  readonly fill: (indices: Int32Array, into: Float32Array) => void | Promise<void>;
  /** What is known of the rows of these indices beside themselves. */
  readonly fields: (indices: Int32Array) => FieldValues;
};

/** The examples at these rows, wherever they are; what cannot be read ends the run as a backend's failure does. */
export const readExamples = async (
  source: Source,
  indices: Int32Array,
  into: Float32Array,
): Promise<void> => {
  const done = await read(source, indices, into)();
  if (isLeft(done)) throw new BackendFailure(elementAt(done.left, 0));
};

/** The first examples of a source, at most this many, in memory. */
export const firstExamples = async (source: Source, most: number): Promise<Dataset> => {
  const rows = Array.from({ length: Math.min(most, source.size) }, (_, row) => row);
  const found = await inMemory(rows.length < source.size ? select(source, source.name, rows) : source)();
  if (isLeft(found)) throw new BackendFailure(elementAt(found.left, 0));
  return found.right;
};

/** All examples of a source. */
export const batchInputOfSource = (source: Source): BatchInput => ({
  count: source.size,
  width: sizeOf(source.shape),
  fill: (indices, into) => readExamples(source, indices, into),
  fields: (indices) => fieldsAt(source, indices),
});

/** Rows that lie one after another in an array of a multiple of `width` numbers. */
export const batchInputOf = (
  values: Float32Array,
  width: number,
  given: FieldValues = new Map(),
): BatchInput => ({
  count: values.length / width,
  width,
  fill: (indices, into) =>
    indices.forEach((row, i) => into.set(values.subarray(row * width, (row + 1) * width), i * width)),
  fields: (indices) => {
    const count = values.length / width;
    const all = [...given].map(
      ([name, held]) => [name, { shape: [held.length / count], values: held }] as const,
    );
    return fieldsAt(
      { fields: Object.fromEntries(all.map(([name, of]) => [name, { ...of, type: 'float' }])) },
      indices,
    );
  },
});

/**
 * Every output for all rows, [count, …]: `run` gets each batch with the number of its first row, by which draws are
 * made, so that the batch size changes nothing. Without rows there are no outputs.
 */
export const evaluateBatched = async (
  batch: number,
  { count, width, fill, fields }: BatchInput,
  run: (data: Float32Array, first: number, fields: FieldValues) => Promise<Arrays>,
): Promise<Arrays> => {
  const plan = evaluationBatches(count, batch);
  const joined = new Map<string, Float32Array>();
  if (plan._tag === 'Left') return joined;
  let first = 0;
  for (const { indices, valid } of plan.right) {
    const data = new Float32Array(batch * width);
    await fill(indices, data);
    for (const [name, values] of await run(data, first, fields(indices))) {
      const size = values.length / batch;
      const all = joined.get(name) ?? new Float32Array(count * size);
      joined.set(name, all);
      all.set(values.subarray(0, valid * size), first * size);
    }
    first += batch;
  }
  return joined;
};
