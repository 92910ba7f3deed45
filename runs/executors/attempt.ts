/**
 * How a trial comes along on a cluster: what it is waiting for, how many jobs it has used up, how it ended. A pure step from what was known and
 * what has happened to what is known now; whatever submits, looks and stops is elsewhere.
 */
import { type Problem, problem } from '../../dsl/index.js';

/** What a cluster says of a job. */
export type JobState =
  | { readonly tag: 'waiting' }
  | { readonly tag: 'running'; readonly where?: string | undefined }
  | {
      readonly tag: 'ended';
      readonly why: string;
      /** A process that ended, or was lost with its machine; a job that found no place in time, or never will; one that somebody stopped. */
      readonly cause: 'lost' | 'unplaced' | 'unfit' | 'stopped';
      /** Of a process that ended by itself. */
      readonly code?: number | undefined;
    };

export type Attempt =
  /** To be submitted, not before `after`. */
  | (Counts & { readonly tag: 'ready'; readonly after: number })
  | (Counts & { readonly tag: 'submitted'; readonly id: string; readonly running: boolean })
  | { readonly tag: 'ended'; readonly problems: readonly Problem[] };

type Counts = {
  /** Jobs that were lost. */
  readonly lost: number;
  /** Times in a row that the cluster had no place. */
  readonly turnedAway: number;
};

/** What has happened; `now` in milliseconds. */
export type Happening =
  /** By this command or another one. */
  | { readonly tag: 'submitted'; readonly id: string }
  /** The cluster took no job: now, or never. */
  | {
      readonly tag: 'refused';
      readonly problems: readonly Problem[];
      readonly busy: boolean;
      readonly now: number;
    }
  /** Undefined for a job that the cluster does not know. */
  | { readonly tag: 'seen'; readonly state: JobState | undefined; readonly now: number }
  /** What the job is there for is in the folder. */
  | { readonly tag: 'result' }
  /** Nobody waits for it any more. */
  | { readonly tag: 'given up'; readonly problems: readonly Problem[] };

export type Limits = {
  /** Names the trial in problems. */
  readonly folder: string;
  /** Jobs that may be lost before the trial has failed. */
  readonly tries: number;
  /** Times in a row that it may be turned away. */
  readonly turns: number;
};

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;

/** Twice as long each time, up to a minute. */
export const backOff = (times: number): number =>
  Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, times - 1));

export const beginning: Attempt = { tag: 'ready', after: 0, lost: 0, turnedAway: 0 };

const ended = (...problems: readonly Problem[]): Attempt => ({ tag: 'ended', problems });

const EXPECTED = 'a trial that runs to its end';

const turnedAway = (
  { lost, turnedAway: before }: Counts,
  problems: readonly Problem[],
  now: number,
  turns: number,
): Attempt => {
  const times = before + 1;
  if (times > turns) return ended(...problems);
  return { tag: 'ready', after: now + backOff(times), lost, turnedAway: times };
};

const seen = (
  attempt: Counts & { readonly tag: 'submitted'; readonly id: string; readonly running: boolean },
  state: JobState | undefined,
  now: number,
  { folder, tries, turns }: Limits,
): Attempt => {
  const gone: JobState = { tag: 'ended', why: 'a job that the cluster no longer knows', cause: 'lost' };
  const found = state ?? gone;
  switch (found.tag) {
    case 'waiting':
      return { ...attempt, running: false };
    case 'running':
      return { ...attempt, running: true, turnedAway: 0 };
    case 'ended': {
      const given = problem(folder, found.why, EXPECTED);
      if (found.cause === 'unfit') return ended(given);
      // It has waited long for that.
      if (found.cause === 'unplaced')
        return turnedAway(attempt, [given], now, turns === Infinity ? turns : 0);
      if (found.cause === 'stopped')
        return ended(problem(folder, found.why, EXPECTED, 'the same command runs it again'));
      const lost = attempt.lost + 1;
      return lost < tries
        ? { tag: 'ready', after: now, lost, turnedAway: 0 }
        : ended(problem(folder, tries === 1 ? found.why : `${found.why}, ${lost} times`, EXPECTED));
    }
  }
};

/** What is known after something has happened. What has ended stays as it is, and news of a job that is not there changes nothing. */
export const after = (attempt: Attempt, happening: Happening, limits: Limits): Attempt => {
  if (attempt.tag === 'ended') return attempt;
  switch (happening.tag) {
    case 'result':
      return ended();
    case 'given up':
      return ended(...happening.problems);
    case 'submitted': {
      if (attempt.tag === 'submitted' && attempt.id === happening.id) return attempt;
      const { lost, turnedAway: times } = attempt;
      return { tag: 'submitted', id: happening.id, running: false, lost, turnedAway: times };
    }
    case 'refused':
      if (attempt.tag !== 'ready') return attempt;
      return happening.busy
        ? turnedAway(attempt, happening.problems, happening.now, limits.turns)
        : ended(...happening.problems);
    case 'seen':
      return attempt.tag === 'submitted' ? seen(attempt, happening.state, happening.now, limits) : attempt;
  }
};

/** Jobs that may wait in the cluster's own queue beside so many that run: a few, so that a full cluster is not flooded. */
export const mayWait = (running: number): number => Math.max(4, Math.ceil(running / 4));
