/** Running the trials of a sweep: as many at once as fit, each in a folder of its own, those that are done left alone. */
import { elementAt } from '../../dsl/lookup.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import { folderWithin, tidied } from '../../backends/places.js';
import { type Capacity, type Executor, type TrialState, trialFiles } from '../executors/executor.js';
import { decodeOutcome, type Outcome } from './outcome.js';
import { contentKey } from './trial.js';
import { writeWhole } from '../records/whole-file.js';

export type SweepEvent =
  | { readonly tag: 'started'; readonly key: string }
  /** Its executor has it waiting or running. */
  | ({ readonly tag: 'moved'; readonly key: string } & TrialState)
  /** `kept` where an earlier sweep left the result. */
  | { readonly tag: 'ended'; readonly key: string; readonly outcome: Outcome; readonly kept: boolean };

export type SweepOptions = {
  readonly folder: string;
  readonly executor: Executor;
  readonly capacity: Capacity;
  /** The memory in bytes that a trial is expected to take. */
  readonly demand: (key: string) => number;
  /** Tries again what failed before. */
  readonly retry: boolean;
  /** Ends the trials that run; those that have ended stay. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: SweepEvent) => void;
};

const TRIALS = 'trials';

/** The folder of a trial within that of its sweep. */
export const trialFolder = (folder: string, key: string): string => join(folder, TRIALS, key);

/** What a finished trial left; nothing where there is no result of this trial, or a broken one. */
export const readOutcome = (folder: string, key: string): Outcome | undefined => {
  try {
    const json: unknown = JSON.parse(readFileSync(join(trialFolder(folder, key), trialFiles.result), 'utf8'));
    const decoded = decodeOutcome(key, json);
    return isLeft(decoded) ? undefined : decoded.right;
  } catch {
    return undefined;
  }
};

const writeTrial = (folder: string, key: string, json: unknown): Either<readonly Problem[], string> => {
  const made = folderWithin(folder, TRIALS, key);
  if (isLeft(made)) return made;
  return writeWhole(join(made.right, trialFiles.trial), `${JSON.stringify(json, null, 2)}\n`);
};

const execute = async (key: string, json: unknown, options: SweepOptions): Promise<Outcome | undefined> => {
  const { folder, executor, signal, retry, onEvent } = options;
  const path = trialFolder(folder, key);
  const written = writeTrial(folder, key, json);
  if (isLeft(written)) return written;
  // A job that an earlier sweep left may have ended meanwhile.
  const meanwhile = readOutcome(folder, key);
  if (meanwhile !== undefined && !(retry && isLeft(meanwhile))) return meanwhile;
  // What an earlier try came to says nothing of this one.
  tidied(join(path, trialFiles.result));
  const ended = await executor(path, signal, (state) => onEvent({ tag: 'moved', key, ...state }));
  const outcome = readOutcome(folder, key);
  if (outcome !== undefined || signal.aborted) return outcome;
  return isLeft(ended)
    ? ended
    : left([problem(join(path, trialFiles.result), 'no result', 'the result of the trial')]);
};

/**
 * Runs trials, given as JSON, and answers with their outcomes by key; those that an interruption prevented are missing.
 * A trial that fails stops no other.
 */
export const runTrials = async (
  trials: readonly unknown[],
  options: SweepOptions,
): Promise<ReadonlyMap<string, Outcome>> => {
  const { folder, capacity, demand, retry, signal, onEvent } = options;
  const byKey = new Map(trials.map((json) => [contentKey(json), json]));
  const outcomes = new Map<string, Outcome>();
  const ended = (key: string, outcome: Outcome, kept: boolean): void => {
    outcomes.set(key, outcome);
    onEvent({ tag: 'ended', key, outcome, kept });
  };
  const waiting: string[] = [];
  for (const key of byKey.keys()) {
    const outcome = readOutcome(folder, key);
    if (outcome === undefined || (retry && isLeft(outcome))) waiting.push(key);
    else ended(key, outcome, true);
  }

  /** What the trials that run are expected to hold: never less than one of them has been seen to. */
  let seen = Math.max(0, ...[...outcomes.values()].map((one) => (isLeft(one) ? 0 : one.right.memory)));
  const need = (key: string): number => Math.max(seen, demand(key));
  const running = new Map<string, Promise<void>>();
  const fits = (key: string): boolean => {
    const held = [...running.keys()].reduce((total, other) => total + need(other), 0);
    return running.size === 0 || (running.size < capacity.trials && held + need(key) <= capacity.bytes);
  };
  const start = (key: string): void => {
    onEvent({ tag: 'started', key });
    const work = execute(key, byKey.get(key), options).then((outcome) => {
      running.delete(key);
      if (outcome === undefined) return;
      if (!isLeft(outcome)) seen = Math.max(seen, outcome.right.memory);
      ended(key, outcome, false);
    });
    running.set(key, work);
  };
  while (running.size > 0 || (waiting.length > 0 && !signal.aborted)) {
    while (waiting.length > 0 && !signal.aborted && fits(elementAt(waiting, 0)))
      start(elementAt(waiting.splice(0, 1), 0));
    await Promise.race(running.values());
  }
  return outcomes;
};
