/** Trials as jobs: what is lost comes again, what is full is waited for, what another command does is followed, and what is stopped ends. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, describe, expect, test } from 'vitest';
import { problem } from '../../../dsl/index.js';
import type { TrialState } from '../../../runs/index.js';
import { type JobState, mayWait } from '../../../runs/executors/attempt.js';
import type { Cluster, Job } from '../../../runs/executors/cluster.js';
import { clusterJobs } from '../../../runs/executors/jobs.js';
import { readTicket, writeTicket } from '../../../runs/executors/ticket.js';
import * as either from '../../shared/either.js';

const root = mkdtempSync(join(tmpdir(), 'immersion-jobs-'));
afterAll(() => rmSync(root, { recursive: true }));

type Told = { readonly job: Job; looks: number; stopped: boolean };

/** A cluster in memory: `fate` says what becomes of the nth job of a trial, after it was looked at twice. */
const world = (
  fate: (n: number, job: Job) => 'result' | 'lost' | 'unplaced' | 'for ever',
  slots = Infinity,
) => {
  const jobs = new Map<string, Told>();
  const numbers = new Map<string, number>();
  const seen = { most: 0, submitted: 0, silent: false, full: 0, deaf: false };
  const alive = (): readonly Told[] => [...jobs.values()].filter(({ looks }) => looks >= 0);
  const one = (id: string): JobState | undefined => {
    const told = jobs.get(id);
    if (told === undefined) return undefined;
    if (told.stopped) return { tag: 'ended', why: 'a job that was stopped', cause: 'stopped' };
    const place = [...jobs.values()].filter(({ looks, stopped }) => looks >= 0 && !stopped).indexOf(told);
    if (told.looks >= 0 && place >= slots) return { tag: 'waiting' };
    const { job } = told;
    const what = fate(Number(id.split('#')[1]), job);
    if (told.looks < 0) return { tag: 'ended', why: 'a job that ended without a result', cause: 'lost' };
    told.looks += 1;
    if (told.looks <= 1 || what === 'for ever') return { tag: 'running', where: 'node' };
    told.looks = -1;
    if (what === 'result') writeFileSync(join(job.folder, 'result.json'), '{}');
    if (what === 'unplaced') return { tag: 'ended', why: 'no room', cause: 'unplaced' };
    return { tag: 'ended', why: 'a node that died', cause: 'lost' };
  };
  const cluster: Cluster = {
    name: 'a cluster',
    submit: (asked) =>
      Promise.resolve(
        asked.map((job) => {
          if (seen.full > 0) {
            seen.full -= 1;
            return left({ busy: true, problems: [problem('a cluster', 'a full queue', 'room')] });
          }
          const n = (numbers.get(job.folder) ?? 0) + 1;
          numbers.set(job.folder, n);
          const id = `${job.ticket}#${n}`;
          jobs.set(id, { job, looks: 0, stopped: false });
          seen.submitted += 1;
          seen.most = Math.max(seen.most, alive().length);
          return right(id);
        }),
      ),
    look: (ids) => {
      if (seen.silent) return Promise.resolve(left([problem('a cluster', 'silence', 'an answer')]));
      const states = ids.flatMap((id) => {
        const state = one(id);
        return state === undefined ? [] : [[id, state] as const];
      });
      return Promise.resolve(right(new Map(states)));
    },
    stop: (ids) => {
      ids.forEach((id) => {
        const told = jobs.get(id);
        if (told !== undefined) told.stopped = true;
      });
      return Promise.resolve();
    },
    forget: () => Promise.resolve(),
  };
  return { cluster, seen, numbers, jobs };
};

const options = (
  change: Partial<Parameters<typeof clusterJobs>[1]> = {},
): Parameters<typeof clusterJobs>[1] => ({
  tries: 3,
  most: Infinity,
  mayWait,
  produces: 'result.json',
  demand: () => 1,
  pace: 1,
  ...change,
});

let made = 0;
const folderOf = (): string => {
  made += 1;
  const folder = join(root, String(made));
  mkdirSync(folder);
  return folder;
};
const folders = (count: number): readonly string[] => Array.from({ length: count }, folderOf);
const going = (): AbortSignal => new AbortController().signal;
const quiet = (): void => undefined;

describe('jobs of a cluster', () => {
  property.prop(
    [fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 6 })],
    {
      numRuns: 8,
    },
  )(
    'each trial has its result, or has lost as many jobs as it may; no more run than may',
    async (losses, most) => {
      const all = folders(losses.length);
      const { cluster, seen, numbers } = world((n, { folder }) =>
        n > (losses[all.indexOf(folder)] ?? 0) ? 'result' : 'lost',
      );
      const executor = clusterJobs(cluster, options({ most }));
      const ended = await Promise.all(all.map((folder) => executor(folder, going(), quiet)));
      ended.forEach((one, i) => {
        const lost = losses[i] ?? 0;
        expect(isLeft(one)).toBe(lost >= 3);
        expect(numbers.get(all[i] ?? '')).toBe(Math.min(lost + 1, 3));
        expect(existsSync(join(all[i] ?? '', 'result.json'))).toBe(lost < 3);
      });
      expect(seen.most).toBeLessThanOrEqual(most);
    },
  );

  test('say where they run, and what was lost and comes again', async () => {
    const { cluster } = world((n) => (n === 1 ? 'lost' : 'result'));
    const states: TrialState[] = [];
    const executor = clusterJobs(cluster, options());
    either.right(await executor(folderOf(), going(), (state) => states.push(state)));
    expect(states).toEqual([
      { state: 'running', words: 'node' },
      { state: 'waiting', words: 'a node that died; try 2 of 3' },
      { state: 'running', words: 'node' },
    ]);
  });

  test('wait in the queue of a full cluster a few at a time', async () => {
    const { cluster, seen } = world(() => 'result', 2);
    const executor = clusterJobs(cluster, options());
    const ended = await Promise.all(folders(30).map((folder) => executor(folder, going(), quiet)));
    expect(ended.every((one) => !isLeft(one))).toBe(true);
    expect(seen.submitted).toBe(30);
    expect(seen.most).toBeLessThanOrEqual(2 + mayWait(2));
  });

  test('come again later where a full cluster takes none, and lose no try by it', async () => {
    const { cluster, seen } = world(() => 'result');
    seen.full = 1;
    const words: (string | undefined)[] = [];
    const executor = clusterJobs(cluster, options({ tries: 1 }));
    const began = Date.now();
    either.right(await executor(folderOf(), going(), (state) => words.push(state.words)));
    expect(Date.now() - began).toBeGreaterThanOrEqual(1000);
    expect(words).toEqual(['a full queue', 'node']);
  });

  test('that were left are joined, not submitted again', async () => {
    const { cluster, seen } = world(() => 'for ever');
    const folder = folderOf();
    const first = clusterJobs(cluster, options());
    // The command that submitted it is gone, as after kill -9.
    void first(folder, going(), quiet);
    await expect.poll(() => seen.submitted).toBe(1);
    await expect.poll(() => readTicket(folder)).toMatchObject({ right: { id: expect.any(String) } });
    const states: TrialState[] = [];
    const second = clusterJobs(cluster, options())(folder, going(), (state) => states.push(state));
    await expect.poll(() => states).toEqual([{ state: 'running', words: 'node' }]);
    writeFileSync(join(folder, 'result.json'), '{}');
    either.right(await second);
    expect(seen.submitted).toBe(1);
  });

  test('that ended badly under an earlier command count for nothing', async () => {
    const { cluster, numbers } = world((n) => (n <= 2 ? 'lost' : 'result'));
    const folder = folderOf();
    either.left(await clusterJobs(cluster, options({ tries: 2 }))(folder, going(), quiet));
    either.right(await clusterJobs(cluster, options({ tries: 1 }))(folder, going(), quiet));
    expect(numbers.get(folder)).toBe(3);
  });

  test('of another cluster are not looked for here', async () => {
    const { cluster, seen } = world(() => 'result');
    const folder = folderOf();
    writeTicket(folder, { cluster: 'elsewhere', name: 'x', id: 'x#1' });
    either.right(await clusterJobs(cluster, options())(folder, going(), quiet));
    expect(seen.submitted).toBe(1);
    expect(either.right(readTicket(folder))?.cluster).toBe('a cluster');
  });

  test('that another command took over are followed', async () => {
    const { cluster, seen, jobs } = world(() => 'for ever');
    const folder = folderOf();
    const ended = clusterJobs(cluster, options())(folder, going(), quiet);
    await expect.poll(() => seen.submitted).toBe(1);
    const [answer] = await cluster.submit([{ folder, ticket: 'theirs', bytes: 1 }]);
    const id = answer === undefined ? '' : either.right(answer);
    writeTicket(folder, { cluster: 'a cluster', name: 'theirs', id });
    await expect.poll(() => (jobs.get(id)?.looks ?? 0) > 1).toBe(true);
    writeFileSync(join(folder, 'result.json'), '{}');
    either.right(await ended);
    expect(seen.submitted).toBe(2);
  });

  test('that another command withdrew are not submitted again', async () => {
    const { cluster, seen } = world(() => 'for ever');
    const folder = folderOf();
    const ended = clusterJobs(cluster, options())(folder, going(), quiet);
    await expect.poll(() => readTicket(folder)).toMatchObject({ right: { id: expect.any(String) } });
    rmSync(join(folder, 'job.json'));
    expect(either.left(await ended)).toMatchObject([{ found: 'a job that another command withdrew' }]);
    expect(seen.submitted).toBe(1);
  });

  test('are stopped by an interruption, which leaves no ticket', async () => {
    const { cluster, jobs } = world(() => 'for ever', 1);
    const controller = new AbortController();
    const all = folders(3);
    const executor = clusterJobs(cluster, options());
    const running = all.map((folder) => executor(folder, controller.signal, quiet));
    await expect.poll(() => jobs.size).toBe(3);
    await expect.poll(() => all.every((folder) => existsSync(join(folder, 'job.json')))).toBe(true);
    controller.abort();
    expect((await Promise.all(running)).every((one) => !isLeft(one))).toBe(true);
    expect([...jobs.values()].every(({ stopped }) => stopped)).toBe(true);
    expect(all.some((folder) => existsSync(join(folder, 'job.json')))).toBe(false);
  });

  test('of a cluster that has fallen silent are given up in the end, and left to run', async () => {
    const { cluster, seen } = world(() => 'for ever');
    const folder = folderOf();
    const ended = clusterJobs(cluster, options({ patience: 50 }))(folder, going(), quiet);
    await expect.poll(() => seen.submitted).toBe(1);
    seen.silent = true;
    expect(either.left(await ended)).toMatchObject([
      { found: 'silence', hint: expect.stringContaining('joins') },
    ]);
    expect(existsSync(join(folder, 'job.json'))).toBe(true);
  });
});
