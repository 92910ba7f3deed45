/** Trials as jobs of a cluster: submits them, looks after them, tries again what was lost, stops what nobody waits for; all trials in one turn. */
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/index.js';
import { type Attempt, after, beginning, type Happening, type JobState } from './attempt.js';
import type { Cluster } from './cluster.js';
import { type Executor, type TrialState } from './executor.js';
import { lastWords } from './log.js';
import { readTicket, withdrawTicket, writeTicket } from './ticket.js';

export type JobsOptions = {
  /** Jobs that a trial may lose, to a dead node or an end without a result, before it has failed. */
  readonly tries: number;
  /** Times in a row that the cluster may turn a trial away (any number of times). */
  readonly turns?: number;
  /** Jobs at once. */
  readonly most: number;
  /** Jobs that may wait in the cluster's queue beside so many that run. */
  readonly mayWait: (running: number) => number;
  /** The file that a job is there for. */
  readonly produces: string;
  /** The memory that the trial of a folder is expected to take, in bytes. */
  readonly demand: (folder: string) => number;
  /** Milliseconds between two looks, and how long a cluster may be silent. */
  readonly pace?: number;
  readonly patience?: number;
};

const GATHERING = 20;
const PACE = 400;
/** More jobs are asked after less often. */
const PACE_A_JOB = 10;
const PATIENCE = 5 * 60_000;
/** How long a job that was stopped may take to end. */
const STOPPING = 10_000;

type Entry = {
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onState: (state: TrialState) => void;
  readonly settle: (result: Either<readonly Problem[], void>) => void;
  attempt: Attempt;
  ticket: string;
  /** A job that an earlier command may have left running. */
  joining: string | undefined;
};

/** A folder is read anew on a network's file system too, where a file may long be missed. */
const isThere = (folder: string, name: string): boolean => {
  try {
    return readdirSync(folder).includes(name);
  } catch {
    return false;
  }
};

const withLog = (state: JobState | undefined, folder: string): JobState | undefined => {
  if (state?.tag !== 'ended' || state.code === undefined) return state;
  const words = lastWords(folder);
  return words === undefined ? state : { ...state, why: `${state.why}: ${words}` };
};

export const clusterJobs = (cluster: Cluster, options: JobsOptions): Executor => {
  const {
    tries,
    turns = Infinity,
    most,
    mayWait,
    produces,
    demand,
    pace = PACE,
    patience = PATIENCE,
  } = options;
  const entries = new Set<Entry>();
  let silentSince: number | undefined;
  /** One listener for all trials of a sweep. */
  const heard = new WeakSet<AbortSignal>();
  let turning = false;
  let wake: () => void = () => undefined;

  const happen = (entry: Entry, happening: Happening): void => {
    entry.attempt = after(entry.attempt, happening, { folder: entry.folder, tries, turns });
    if (entry.attempt.tag !== 'ended' || !entries.delete(entry)) return;
    const { problems } = entry.attempt;
    entry.settle(problems.length > 0 ? left(problems) : right(undefined));
  };

  const submitted = (): readonly (Entry & { readonly attempt: Attempt & { tag: 'submitted' } })[] =>
    [...entries].filter(
      (entry): entry is Entry & { readonly attempt: Attempt & { tag: 'submitted' } } =>
        entry.attempt.tag === 'submitted',
    );

  /** Another command may have taken the trial over, or have withdrawn it. */
  const followTicket = (entry: Entry): void => {
    const ticket = readTicket(entry.folder);
    if (isLeft(ticket)) return;
    if (ticket.right === undefined) {
      const found = 'a job that another command withdrew';
      happen(entry, { tag: 'given up', problems: [problem(entry.folder, found, 'a job of this command')] });
    } else if (ticket.right.name !== entry.ticket && ticket.right.id !== undefined) {
      entry.ticket = ticket.right.name;
      happen(entry, { tag: 'submitted', id: ticket.right.id });
    }
  };

  const noteState = (entry: Entry, seen: JobState | undefined, now: number): void => {
    const before = entry.attempt;
    if (isThere(entry.folder, produces)) return happen(entry, { tag: 'result' });
    const state = withLog(seen, entry.folder);
    happen(entry, { tag: 'seen', state, now });
    const { attempt } = entry;
    if (attempt.tag === 'submitted' && before.tag === 'submitted' && attempt.running !== before.running)
      entry.onState({
        state: attempt.running ? 'running' : 'waiting',
        words: state?.tag === 'running' ? state.where : undefined,
      });
    if (attempt.tag === 'ready') {
      const why = state?.tag === 'ended' ? state.why : 'a job that the cluster no longer knows';
      const again = attempt.turnedAway > 0 ? 'again later' : `try ${attempt.lost + 1} of ${tries}`;
      entry.onState({ state: 'waiting', words: `${why}; ${again}` });
    }
  };

  const look = async (): Promise<void> => {
    const joining = [...entries].filter((entry) => entry.joining !== undefined);
    const known = submitted();
    if (joining.length + known.length === 0) return;
    const ids = [
      ...joining.flatMap((entry) => entry.joining ?? []),
      ...known.map(({ attempt }) => attempt.id),
    ];
    const states = await cluster.look(ids);
    const now = Date.now();
    if (isLeft(states)) {
      silentSince ??= now;
      if (now - silentSince < patience) return;
      const hint = 'its jobs may go on: the same command joins them';
      const problems = states.left.map((one) => ({ ...one, hint }));
      [...joining, ...known].forEach((entry) => happen(entry, { tag: 'given up', problems }));
      return;
    }
    silentSince = undefined;
    for (const entry of joining) {
      const id = entry.joining ?? '';
      const state = states.right.get(id);
      entry.joining = undefined;
      if (state === undefined || state.tag === 'ended') continue;
      happen(entry, { tag: 'submitted', id });
      noteState(entry, state, now);
    }
    for (const entry of known) noteState(entry, states.right.get(entry.attempt.id), now);
  };

  const submit = async (): Promise<void> => {
    const known = submitted();
    const running = known.filter(({ attempt }) => attempt.running).length;
    const room = Math.min(most - known.length, mayWait(running) - (known.length - running));
    const now = Date.now();
    const chosen = [...entries]
      .filter(
        ({ attempt, joining }) => joining === undefined && attempt.tag === 'ready' && attempt.after <= now,
      )
      .slice(0, Math.max(0, room));
    const ticketed = chosen.filter((entry) => {
      entry.ticket = `${basename(entry.folder)}-${randomUUID().slice(0, 8)}`;
      const written = writeTicket(entry.folder, { cluster: cluster.name, name: entry.ticket });
      if (isLeft(written)) happen(entry, { tag: 'given up', problems: written.left });
      return isRight(written);
    });
    if (ticketed.length === 0) return;
    const jobs = ticketed.map(({ folder, ticket }) => ({ folder, ticket, bytes: demand(folder) }));
    const answers = await cluster.submit(jobs);
    ticketed.forEach((entry, i) => {
      const answer = answers[i];
      if (answer === undefined) return;
      if (isLeft(answer)) {
        happen(entry, { tag: 'refused', ...answer.left, now: Date.now() });
        if (answer.left.busy)
          entry.onState({ state: 'waiting', words: answer.left.problems.at(0)?.found ?? 'a full cluster' });
        return;
      }
      const written = writeTicket(entry.folder, {
        cluster: cluster.name,
        name: entry.ticket,
        id: answer.right,
      });
      happen(
        entry,
        isLeft(written)
          ? { tag: 'given up', problems: written.left }
          : { tag: 'submitted', id: answer.right },
      );
    });
  };

  /** Jobs end by their tickets also where the cluster cannot be reached any more. */
  const cancel = async (cancelled: readonly Entry[]): Promise<void> => {
    const ids = cancelled.flatMap(({ attempt, joining }) =>
      attempt.tag === 'submitted' ? [attempt.id] : joining === undefined ? [] : [joining],
    );
    cancelled.forEach(({ folder }) => withdrawTicket(folder));
    if (ids.length > 0) {
      await cluster.stop(ids);
      for (const until = Date.now() + STOPPING; Date.now() < until;) {
        const states = await cluster.look(ids);
        // One that waits ends as soon as it begins.
        if (isLeft(states) || ids.every((id) => states.right.get(id)?.tag !== 'running')) break;
        await new Promise((done) => setTimeout(done, pace));
      }
    }
    cancelled.forEach((entry) => happen(entry, { tag: 'given up', problems: [] }));
  };

  const turn = async (): Promise<void> => {
    const cancelled = [...entries].filter(({ signal }) => signal.aborted);
    if (cancelled.length > 0) return cancel(cancelled);
    for (const entry of entries) if (isThere(entry.folder, produces)) happen(entry, { tag: 'result' });
    submitted().forEach(followTicket);
    await look();
    await submit();
  };

  const rest = (milliseconds: number): Promise<void> =>
    new Promise((done) => {
      const timer = setTimeout(done, milliseconds);
      wake = () => {
        clearTimeout(timer);
        done();
      };
    });

  const takeTurns = async (): Promise<void> => {
    if (turning) return;
    turning = true;
    // What is asked for in one moment is submitted together.
    await rest(GATHERING);
    while (entries.size > 0) {
      await turn();
      const pause = pace + PACE_A_JOB * submitted().length;
      if (entries.size > 0) await rest(silentSince === undefined ? pause : 10 * pause);
    }
    turning = false;
  };

  return (given, signal, onState) =>
    new Promise((settle) => {
      const folder = resolve(given);
      const ticket = readTicket(folder);
      const joining = isRight(ticket) && ticket.right?.cluster === cluster.name ? ticket.right.id : undefined;
      const name = isRight(ticket) ? (ticket.right?.name ?? '') : '';
      if (!heard.has(signal)) signal.addEventListener('abort', () => wake(), { once: true });
      heard.add(signal);
      entries.add({
        folder,
        signal,
        onState,
        attempt: beginning,
        ticket: name,
        joining,
        settle,
      });
      void takeTurns();
    });
};
