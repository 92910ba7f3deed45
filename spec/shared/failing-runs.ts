/** A small run, and real backends that fail in the middle of it. */
import * as E from 'fp-ts/lib/Either.js';
import { expect } from 'vitest';
import { BackendFailure } from '../../backends/failure.js';
import { spaced } from '../../data/dataset.js';
import { loadData } from '../../data/index.js';
import {
  adam,
  dense,
  elu,
  experiment,
  flatten,
  input,
  network,
  pipe,
  problem,
  reshape,
} from '../../dsl/index.js';
import { injFlowLn } from '../../objectives/index.js';
import {
  type Backend,
  isStep,
  type PolicyOptions,
  type StartBackend,
  type TrainEvent,
} from '../../runs/index.js';
import { createHistory } from '../../runs/records/history.js';
import { right } from './either.js';

const digits = right(await loadData('digits')());
/** Few, since a processor that stands in for a GPU takes its time for each batch that is looked at. */
export const data = { ...digits, train: spaced(digits.train, 320), test: spaced(digits.test, 32) };
const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(12), elu, dense(3)));
const decoder = network('decoder', pipe(input(3), dense(12), elu, dense(64), reshape(8, 8, 1)));
export const STEPS = 24;
export const spec = experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder),
  optimizer: adam({ rate: 3e-3 }),
  batch: 16,
  steps: STEPS,
  data: 'digits',
  validation: { every: 8 },
});

type Mishap = {
  /** The run of the program, from 0, that fails, as do all after it. */
  readonly at?: number;
  /** The reading of its state, from 0, that fails, as do all after it. */
  readonly reads?: number;
  readonly program?: string;
  /** Whether a part of it, which is told, runs before. */
  readonly isInside?: boolean;
  /** Whether its state can no longer be read then. */
  readonly isGone?: boolean;
  readonly error?: Error;
};

/** A real backend that runs out of memory in the middle. */
export const failing = (
  backend: Backend,
  { at = Infinity, reads = Infinity, program = 'step', isInside = false, isGone = false, error }: Mishap,
): Backend => ({
  ...backend,
  open: async (programs, state) => {
    const instance = await backend.open(programs, state);
    let [runs, read] = [0, 0];
    const fail = (_?: void): never => {
      throw (
        error ?? new BackendFailure(problem(`${backend.name} ${program}`, 'no memory left', 'enough memory'))
      );
    };
    return {
      ...instance,
      run: (name, feeds, profile) => {
        if (name !== program || runs++ < at) return instance.run(name, feeds, profile);
        return isInside ? instance.run(name, feeds, (...part) => fail(profile?.(...part))) : fail();
      },
      read: () => ((isGone && runs > at) || read++ >= reads ? fail() : instance.read()),
    };
  },
});

/** The first, and the others when those before have failed. */
export const oneAfterAnother =
  (...all: readonly Backend[]): StartBackend =>
  async (_, failed) => {
    const [next] = all.filter(({ name }) => !failed.includes(name));
    return next === undefined ? E.left([]) : E.right(next);
  };

export const lossesOf = (all: readonly TrainEvent[]): readonly number[] => {
  const history = createHistory();
  all.forEach(history.add);
  return history
    .events()
    .filter(isStep)
    .map(({ loss }) => loss);
};
/** A checkpoint every five steps. */
export const fives: PolicyOptions = {
  checkpoints: { every: { tag: 'steps', steps: 5 }, keep: 2, best: false },
};
export const expectNear = (found: readonly number[], expected: readonly number[]): void => {
  expect(found.length).toBe(expected.length);
  found.forEach((loss, i) => {
    const other = expected[i] ?? NaN;
    expect(Math.abs(loss - other), `step ${i}`).toBeLessThan(1e-4 * Math.abs(other));
  });
};
