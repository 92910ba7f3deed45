/** A graph that others made, as a function of one array. */
import { elementAt } from '../../dsl/lookup.js';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/problem.js';
import { BackendFailure } from '../failure.js';

/** Row-major, the batch first. */
export type Batch = { readonly shape: readonly number[]; readonly values: Float32Array };

export type ImportedGraph = {
  /** Sizes of the only input, the batch's first; undefined where the graph takes any. */
  readonly input: readonly (number | undefined)[];
  /** The first output. Throws a `BackendFailure` where the graph does not run. */
  readonly run: (input: Batch) => Promise<Batch>;
  readonly dispose: () => void;
};

export type Opened = Either<readonly Problem[], ImportedGraph>;

const firstLine = (error: unknown): string =>
  elementAt((error instanceof Error ? error.message : String(error)).split('\n'), 0).trim();

/** Opens a graph with what its reader throws as a problem at the graph's path. */
export const opening = async (path: string, work: () => Promise<Opened>): Promise<Opened> => {
  try {
    return await work();
  } catch (error) {
    return left([problem(path, firstLine(error), 'a graph that can be loaded')]);
  }
};

/** Runs a graph with what its library throws as a failure. */
export const running = async (path: string, work: () => Promise<Batch>): Promise<Batch> => {
  try {
    return await work();
  } catch (error) {
    throw new BackendFailure(problem(path, firstLine(error), 'a graph that runs on images'));
  }
};

/** The name of the only input. */
export const onlyInput = (path: string, names: readonly string[]): Either<readonly Problem[], string> =>
  names.length === 1
    ? right(elementAt(names, 0))
    : left([problem(path, `${names.length} inputs (${names.join(', ')})`, 'a graph of one input')]);
