/** What runs a trial: local processes, the jobs of a cluster. One function, whatever is behind it. */
import type { Either } from 'fp-ts/lib/Either.js';
import type { Problem } from '../../dsl/index.js';

/** How far a trial has come with its executor, and in words what is to be known about it, such as where it runs. */
export type TrialState = { readonly state: 'waiting' | 'running'; readonly words?: string | undefined };

/**
 * Runs the trial that a folder holds until its result is there; on the left why it could not. Whatever can run
 * `immersion trial FOLDER/trial.json` is an executor. When the signal is aborted it ends what it has started.
 */
export type Executor = (
  folder: string,
  signal: AbortSignal,
  onState: (state: TrialState) => void,
) => Promise<Either<readonly Problem[], void>>;

/** What may run at once. */
export type Capacity = { readonly trials: number; readonly bytes: number };

/** The files in the folder of a trial. */
export const trialFiles = {
  trial: 'trial.json',
  result: 'result.json',
  arrays: 'arrays.safetensors',
  log: 'log.txt',
  /** The job of a cluster that the trial is; it ends where the folder names another. */
  ticket: 'job.json',
  /** What a cluster offers, found out before a sweep begins there. */
  check: 'check.json',
} as const;
