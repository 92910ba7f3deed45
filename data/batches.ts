/** Batches as pure functions of the step: each epoch is a permutation of the examples, cut into whole batches. */
import { elementAt, int32At } from '../dsl/lookup.js';
import * as Either from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Problem } from '../dsl/problem.js';

type Problems = readonly Problem[];

/** Numbers uniform on [0, 1), a pure function of the epoch; the counter-based generator of `dsl/random.ts` under a run's key is one. */
export type Uniforms = (epoch: number, count: number) => ArrayLike<number>;

/** Training batches: `indices(step)` holds `batch` distinct rows, and the steps of one epoch have no row in common. */
export type Batches = {
  readonly stepsPerEpoch: number;
  readonly indices: (step: number) => Int32Array;
};

/** A batch of static size; rows from `valid` on repeat the last example and count for nothing. */
export type EvaluationBatch = { readonly indices: Int32Array; readonly valid: number };

/** A uniform permutation of 0 … size−1 (Fisher and Yates). */
export const permutation = (size: number, epoch: number, uniforms: Uniforms): Int32Array => {
  const order = Int32Array.from({ length: size }, (_, row) => row);
  const picks = uniforms(epoch, size);
  for (let last = size - 1; last > 0; last--) {
    const pick = Math.floor(elementAt(picks, last) * (last + 1));
    const row = int32At(order, pick);
    order[pick] = int32At(order, last);
    order[last] = row;
  }
  return order;
};

/** The rows of a step's batch, given each epoch's order; the last partial batch of an epoch is dropped. Needs batch ≤ size. */
export const batchIndices = (
  size: number,
  batch: number,
  step: number,
  order: (epoch: number) => Int32Array,
): Int32Array => {
  const stepsPerEpoch = Math.floor(size / batch);
  const first = (step % stepsPerEpoch) * batch;
  return order(Math.floor(step / stepsPerEpoch)).slice(first, first + batch);
};

/** Remembers the last epoch's order, so that a step costs no more than its own rows. */
const remembering = (order: (epoch: number) => Int32Array): ((epoch: number) => Int32Array) => {
  let held: { readonly epoch: number; readonly order: Int32Array } | undefined;
  return (epoch) => {
    if (held?.epoch !== epoch) held = { epoch, order: order(epoch) };
    return held.order;
  };
};

const checkCount = (path: string, count: number, most: number): Either.Either<Problems, number> =>
  Number.isInteger(count) && count >= 1 && count <= most
    ? Either.right(count)
    : Either.left([
        {
          path,
          found: String(count),
          expected:
            most === Infinity
              ? 'an integer of at least 1'
              : `an integer from 1 to ${most}, the number of examples`,
        },
      ]);

/** The endless sequence of training batches over `size` examples. */
export const trainingBatches = (
  size: number,
  batch: number,
  uniforms: Uniforms,
): Either.Either<Problems, Batches> =>
  pipe(
    checkCount('size', size, Infinity),
    Either.chain(() => checkCount('batch', batch, size)),
    Either.map(() => {
      const order = remembering((epoch) => permutation(size, epoch, uniforms));
      return {
        stepsPerEpoch: Math.floor(size / batch),
        indices: (step) => batchIndices(size, batch, step, order),
      };
    }),
  );

/** All examples once, in order; the last batch is filled up with the first ones, so that what looks across a batch sees real examples. */
export const evaluationBatches = (
  size: number,
  batch: number,
): Either.Either<Problems, readonly EvaluationBatch[]> =>
  pipe(
    checkCount('size', size, Infinity),
    Either.chain(() => checkCount('batch', batch, Infinity)),
    Either.map(() =>
      Array.from({ length: Math.ceil(size / batch) }, (_, i) => ({
        indices: Int32Array.from({ length: batch }, (_row, row) => (i * batch + row) % size),
        valid: Math.min(batch, size - i * batch),
      })),
    ),
  );
