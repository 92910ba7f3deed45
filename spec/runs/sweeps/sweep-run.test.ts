/** Trials are run once each, as many at a time as fit, and none stops another. */
import { elementAt } from '../../../dsl/lookup.js';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { problem } from '../../../dsl/index.js';
import {
  type Capacity,
  contentKey,
  encodeOutcome,
  type Executor,
  type Outcome,
  runTrials,
  type SweepEvent,
  trialFiles,
  trialFolder,
} from '../../../runs/index.js';
import { left } from '../../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-sweep-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('running trials', () => {
  const good: Outcome = {
    _tag: 'Right',
    right: {
      backend: 'x',
      provenance: { date: '2026-01-31', processor: 'one', versions: {} },
      steps: 1,
      missing: [],
      skipped: 0,
      seconds: 1,
      memory: 1,
      loss: 0,
      validation: {},
      measures: {},
    },
  };

  type World = { readonly ran: string[]; most: number; readonly executor: Executor };

  /** An executor that writes a result, except for trials that say `fail` or `vanish`, and never runs two of one folder. */
  const world = (): World => {
    const ran: string[] = [];
    let running = 0;
    const self = {
      ran,
      most: 0,
      executor: async (path: string) => {
        running += 1;
        self.most = Math.max(self.most, running);
        const json: { readonly what: string } = JSON.parse(
          readFileSync(join(path, trialFiles.trial), 'utf8'),
        );
        ran.push(json.what);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running -= 1;
        if (json.what === 'vanish')
          return { _tag: 'Left' as const, left: [problem(path, 'a crash', 'none')] };
        const outcome: Outcome =
          json.what === 'fail' ? { _tag: 'Left', left: [problem('a', 'b', 'c')] } : good;
        writeFileSync(
          join(path, trialFiles.result),
          JSON.stringify(encodeOutcome(contentKey(json), outcome)),
        );
        return { _tag: 'Right' as const, right: undefined };
      },
    };
    return self;
  };

  const run = (
    where: string,
    whats: readonly string[],
    executor: Executor,
    change: Partial<{
      capacity: Capacity;
      retry: boolean;
      demand: number;
      signal: AbortSignal;
      onEvent: (event: SweepEvent) => void;
    }> = {},
  ) =>
    runTrials(
      whats.map((what) => ({ what })),
      {
        folder: join(folder, where),
        executor,
        capacity: { trials: 3, bytes: Infinity },
        retry: false,
        signal: new AbortController().signal,
        onEvent: () => undefined,
        ...change,
        demand: () => change.demand ?? 0,
      },
    );
  const key = (what: string): string => contentKey({ what });

  test('a trial that fails stops no other, and is not run again unless asked', async () => {
    const first = world();
    const outcomes = await run('failing', ['a', 'fail', 'vanish', 'b', 'a'], first.executor);
    expect([...outcomes.keys()].sort()).toEqual(['a', 'fail', 'vanish', 'b'].map(key).sort());
    expect(outcomes.get(key('fail'))).toEqual({ _tag: 'Left', left: [problem('a', 'b', 'c')] });
    expect(outcomes.get(key('vanish'))).toMatchObject({ _tag: 'Left', left: [{ found: 'a crash' }] });
    expect([...first.ran].sort()).toEqual(['a', 'b', 'fail', 'vanish']);

    // One that left no result is not done.
    const second = world();
    await run('failing', ['a', 'fail', 'vanish', 'b', 'c'], second.executor);
    expect([...second.ran].sort()).toEqual(['c', 'vanish']);
    const third = world();
    await run('failing', ['a', 'fail', 'b'], third.executor, { retry: true });
    expect(third.ran).toEqual(['fail']);
  });

  test('a result that is broken, or another trial’s, counts for nothing', async () => {
    await run('broken', ['a', 'b', 'c'], world().executor);
    const resultOf = (what: string): string =>
      join(trialFolder(join(folder, 'broken'), key(what)), trialFiles.result);
    writeFileSync(resultOf('a'), readFileSync(resultOf('a'), 'utf8').slice(0, 40));
    writeFileSync(resultOf('b'), readFileSync(resultOf('c')));
    const again = world();
    await run('broken', ['a', 'b', 'c'], again.executor);
    expect([...again.ran].sort()).toEqual(['a', 'b']);
  });

  test.prop([fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.nat({ max: 8 })], {
    numRuns: 12,
  })('no more run at once than there is room for, and as many as there is', async (trials, fit, count) => {
    const here = mkdtempSync(join(folder, 'room-'));
    const whats = Array.from({ length: count }, (_, i) => `trial ${i}`);
    const seen = world();
    const outcomes = await run(here.slice(folder.length + 1), whats, seen.executor, {
      capacity: { trials, bytes: 10 * fit },
      demand: 10,
    });
    expect(outcomes.size).toBe(count);
    expect(seen.most).toBe(Math.min(trials, fit, count));
  });

  test('one that is larger than the memory runs alone', async () => {
    const seen = world();
    await run('large', ['a', 'b'], seen.executor, { capacity: { trials: 4, bytes: 10 }, demand: 1000 });
    expect(seen.most).toBe(1);
    expect(seen.ran).toEqual(['a', 'b']);
  });

  test('an interruption starts nothing more and keeps what has ended', async () => {
    const controller = new AbortController();
    const seen = world();
    const outcomes = await run('interrupted', ['a', 'b', 'c', 'd'], seen.executor, {
      capacity: { trials: 1, bytes: Infinity },
      signal: controller.signal,
      onEvent: ({ tag }) => (tag === 'ended' ? controller.abort() : undefined),
    });
    expect([...outcomes.keys()]).toEqual([key('a')]);
    expect(seen.ran).toEqual(['a']);
    expect(readdirSync(join(folder, 'interrupted', 'trials'))).toEqual([key('a')]);
  });

  test('a folder that cannot be made is a problem of the trial', async () => {
    mkdirSync(join(folder, 'blocked'));
    writeFileSync(join(folder, 'blocked', 'trials'), '');
    const outcomes = await run('blocked', ['a'], world().executor);
    expect(elementAt(left(outcomes.get(key('a')) ?? good), 0).path).toContain('blocked');
  });
});
