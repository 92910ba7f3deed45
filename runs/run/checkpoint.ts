/**
 * Checkpoints: all that a run needs to go on, one safetensors file each. What is not an array is JSON in the file's own metadata, so that
 * a checkpoint is one rename, whole or not there.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Either, isLeft, left, map, mapLeft, right } from 'fp-ts/lib/Either.js';
import { type Codec, mapped, optional, record, struct, such, withDefault } from '../../dsl/codec/codec.js';
import {
  anyString,
  finite,
  nonNegative,
  nonNegativeInteger,
  positiveNumber,
} from '../../dsl/codec/primitive.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import { type Problem, problem, showProblem } from '../../dsl/index.js';
import { readSafetensors, safetensorsParts } from '../../backends/safetensors.js';
import { readRegular } from '../records/read-file.js';
import type { TrainState } from '../model/state.js';
import type { Guarded } from '../records/guards.js';

/** A validation that none before was better than. */
export type Best = { readonly step: number; readonly value: number };

/** What training knows beside its arrays. */
export type LoopState = {
  /** Seconds of training, over all processes. */
  readonly seconds: number;
  /** The step that was validated last; undefined before the first validation. */
  readonly validated: number | undefined;
  /** Steps that changed nothing. */
  readonly skipped: number;
  /** Steps at which each guard acted. */
  readonly guarded: Guarded;
  readonly best: Best | undefined;
  /** The step whose schedules validations are compared by, also where the run is made longer. */
  readonly settledAt: number | undefined;
  /** Early stopping's: the best that it counts from, and the validations since. */
  readonly stopping: Waiting;
  /** The plateau's. */
  readonly plateau: Waiting;
  /** The rate's factor: 1 until a plateau or a step that was not finite has lowered it. */
  readonly factor: number;
  /** A mean of the gradient's norm over the last steps; 0 before the first. */
  readonly gradient: number;
  /** The length of the record in bytes, to which it is cut back. */
  readonly record: number;
  /** Whether the run came to an end of its own: by its number of steps, or by early stopping. */
  readonly ended: boolean;
};

export type Waiting = { readonly value: number | undefined; readonly waited: number };

const nobody: Waiting = { value: undefined, waited: 0 };

export const initialLoop: LoopState = {
  seconds: 0,
  validated: undefined,
  skipped: 0,
  guarded: {},
  best: undefined,
  settledAt: undefined,
  stopping: nobody,
  plateau: nobody,
  factor: 1,
  gradient: 0,
  record: 0,
  ended: false,
};

/** What training knows when validations begin to be of another measure: none before can be compared with those to come. */
export const unjudged = (loop: LoopState): LoopState => ({
  ...loop,
  best: undefined,
  settledAt: undefined,
  stopping: nobody,
  plateau: nobody,
});

export type Checkpoint = { readonly state: TrainState; readonly loop: LoopState };

const waiting: Codec<Waiting> = mapped(
  struct('waiting', { value: optional(finite), waited: nonNegativeInteger }),
  ({ value, waited }): Waiting => ({ value, waited }),
  (one) => one,
);

const loopCodec: Codec<LoopState> = mapped(
  struct('what training knows', {
    seconds: nonNegative,
    validated: optional(nonNegativeInteger),
    skipped: nonNegativeInteger,
    guarded: withDefault(record('guards', anyString, nonNegativeInteger, 0), {}),
    best: optional(struct('the best validation', { step: nonNegativeInteger, value: finite })),
    settledAt: optional(nonNegativeInteger),
    stopping: waiting,
    plateau: waiting,
    factor: positiveNumber,
    gradient: nonNegative,
    record: nonNegativeInteger,
    ended: such('true or false', (u): u is boolean => typeof u === 'boolean'),
  }),
  (fields): LoopState => ({
    ...fields,
    best: fields.best,
    validated: fields.validated,
    settledAt: fields.settledAt,
  }),
  (loop) => loop,
);

export const CHECKPOINTS = 'checkpoints';
const NAME = /^(\d{8,})\.safetensors$/;

export const checkpointFolder = (run: string): string => join(run, CHECKPOINTS);

export const checkpointPath = (run: string, step: number): string =>
  join(run, CHECKPOINTS, `${String(step).padStart(8, '0')}.safetensors`);

/** The steps that a run has checkpoints of, ascending. */
export const checkpointSteps = (run: string): readonly number[] => {
  try {
    return readdirSync(checkpointFolder(run))
      .flatMap((name) => {
        const [, digits] = NAME.exec(name) ?? [];
        return digits === undefined ? [] : [Number(digits)];
      })
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
};

type Checked<A> = Either<readonly Problem[], A>;

/** The bytes of a checkpoint, the arrays as they are. */
export const checkpointParts = ({ state, loop }: Checkpoint): readonly Uint8Array[] =>
  safetensorsParts(state.arrays, {
    format: 'immersion',
    seed: String(state.seed),
    step: String(state.step),
    loop: JSON.stringify(loopCodec.encode(loop)),
  });

const numberOf = (text: string | undefined): number | undefined => {
  const value = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const decodeCheckpoint = (path: string, bytes: Uint8Array): Checked<Checkpoint> => {
  const file = readSafetensors(path, bytes);
  if (isLeft(file)) return file;
  const { tensors, metadata } = file.right;
  const [seed, step] = [numberOf(metadata['seed']), numberOf(metadata['step'])];
  if (seed === undefined || step === undefined || !Number.isSafeInteger(step))
    return left([
      problem(path, 'weights without a seed and a step', 'weights that a run of immersion has written'),
    ]);
  const state = { seed, step, arrays: tensors };
  const text = metadata['loop'];
  if (text === undefined) return right({ state, loop: initialLoop });
  return map((loop: LoopState): Checkpoint => ({ state, loop }))(
    mapLeft((errors: Parameters<typeof problemsOf>[0]) =>
      problemsOf(errors, contextPath).map((one) => ({ ...one, path: `${basename(path)}: ${one.path}` })),
    )(loopCodec.decode(parsed(text))),
  );
};

/** Reads a checkpoint, or weights that were written without what training knows: those go on from there as if they were new. */
export const readCheckpoint = (path: string): Checked<Checkpoint> => {
  const bytes = readRegular(path, 'the weights of a run');
  return isLeft(bytes) ? bytes : decodeCheckpoint(path, bytes.right);
};

/** A checkpoint, and why later ones were passed over, one problem each. */
export type Found = Checkpoint & { readonly broken: readonly Problem[] };

/**
 * The last checkpoint that is whole, such as before one that was cut short by a disk; on the left what is wrong with the last one where none is.
 * One that cannot be read at all may be whole, and is not passed over.
 */
export const lastWhole = (run: string, steps: readonly number[]): Checked<Found> => {
  const broken: Problem[] = [];
  for (const step of steps.toReversed()) {
    const path = checkpointPath(run, step);
    const bytes = readRegular(path, 'the weights of a run');
    if (isLeft(bytes)) return bytes;
    const found = decodeCheckpoint(path, bytes.right);
    if (!isLeft(found)) return right({ ...found.right, broken });
    broken.push(...found.left.slice(0, 1));
  }
  return left(broken.slice(0, 1));
};

/** In one line, that an earlier checkpoint was taken. */
export const brokenText = (broken: readonly Problem[], step: number): string =>
  `${broken.map(showProblem).join('; ')}; the checkpoint of step ${step} before it is taken`.replaceAll(
    /\s*\n\s*/g,
    ' ',
  );
