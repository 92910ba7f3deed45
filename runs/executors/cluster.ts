/** What an engine offers that has machines for jobs, whichever it is. */
import type { Either } from 'fp-ts/lib/Either.js';
import type { Problem } from '../../dsl/index.js';
import type { JobState } from './attempt.js';

export type Job = {
  /** Of the trial, as nodes see it. */
  readonly folder: string;
  /** The name on its ticket. */
  readonly ticket: string;
  /** The memory that it is expected to take, in bytes. */
  readonly bytes: number;
};

/** Why a job was not taken: at the moment, or as it is. */
export type Refusal = { readonly busy: boolean; readonly problems: readonly Problem[] };

/** What there is to a cluster: it takes jobs, says how they are and stops them. */
export type Cluster = {
  /** For people and tickets, without credentials: `ray http://10.0.0.1:8265`. */
  readonly name: string;
  /** An answer for each job, in their order: what the cluster calls it. */
  readonly submit: (jobs: readonly Job[]) => Promise<readonly Either<Refusal, string>[]>;
  /** The states of those jobs that it knows; on the left that it does not answer. */
  readonly look: (
    ids: readonly string[],
  ) => Promise<Either<readonly Problem[], ReadonlyMap<string, JobState>>>;
  /** Answers when they have been told. */
  readonly stop: (ids: readonly string[]) => Promise<void>;
  /** Leaves no trace of jobs that have ended, where the cluster can do that. */
  readonly forget: (ids: readonly string[]) => Promise<void>;
};
