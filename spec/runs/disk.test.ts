/** Disks that fill up, folders that vanish or cannot be written: one line says so, and what was kept before stays. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadData } from '../../data/index.js';
import {
  adam,
  dense,
  type Experiment,
  experiment,
  flatten,
  input,
  network,
  pipe,
  reshape,
} from '../../dsl/index.js';
import { ae } from '../../objectives/index.js';
import { openRun, resume, type TrainEvent, trainRun } from '../../runs/index.js';
import { holderOf, lockFolder } from '../../runs/run/lock.js';
import { backends } from '../shared/backends.js';
import { linesOf } from '../shared/command.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-disk-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const backend = backends.wasm;
const data = right(await loadData('digits')());
const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(4)));
const decoder = network('decoder', pipe(input(4), dense(64), reshape(8, 8, 1)));
const spec = (steps: number): Experiment =>
  experiment({
    encoder,
    decoder,
    objective: ae(encoder, decoder),
    optimizer: adam({ rate: 3e-3 }),
    batch: 16,
    steps,
    data: 'digits',
    validation: { every: 0 },
  });

const policy = { checkpoints: { every: { tag: 'steps', steps: 10 }, keep: 2, best: false } } as const;

const train = (out: string, steps: number, onEvent: (event: TrainEvent) => void = () => undefined) =>
  trainRun(spec(steps), { data, backend, keep: { name: 'disk', out }, policy, onEvent });

const weightsAfter = async (steps: number) => {
  const { model } = right(await trainRun(spec(steps), { data, backend }));
  const { arrays } = await model.state();
  model.dispose();
  return arrays;
};

const small = join(folder, 'small');
mkdirSync(small);
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=640k', 'tmpfs', small]).status === 0;
const unmount = (): void => void (mounted && spawnSync('umount', [small]));

describe.skipIf(!mounted)('a disk that fills up', () => {
  afterAll(unmount);
  const out = join(small, 'run');
  let problems: readonly { readonly found: string; readonly path: string }[] = [];
  const filler = join(small, 'filler');

  beforeAll(async () => {
    // Something else takes all the room that is left.
    const found = await train(out, 5000, (event) => {
      if (event.tag !== 'step' || event.step !== 25) return;
      for (let size = 2 ** 18; size >= 1; size = Math.floor(size / 2))
        try {
          for (;;) writeFileSync(filler, new Uint8Array(size), { flag: 'a' });
        } catch {
          continue;
        }
    });
    problems = left(found);
  });

  test('ends the run with one line', () => {
    expect(problems).toHaveLength(1);
    expect(problems[0]?.found).toMatch(/ENOSPC|bytes written/);
  });

  test('leaves whole lines, earlier checkpoints and, in the room that was kept for it, the last state', async () => {
    const lines = linesOf(readFileSync(join(out, 'record.jsonl'), 'utf8'));
    const steps = lines.map((line): unknown => JSON.parse(line).step);
    expect(steps).toEqual(Array.from(steps, (_, i) => i));
    const opened = right(await openRun(out, { backend }));
    expect(opened.step).toBe(steps.length);
    expect((await opened.state()).arrays).toEqual(await weightsAfter(opened.step));
    opened.dispose();
  });

  test('is gone on with when there is room again, to the same weights', async () => {
    rmSync(filler);
    const { loop } = right(await openRun(out, { backend, at: 'last' }));
    expect(loop.ended).toBe(false);
    const { model, summary } = right(await resume(out, { data, backend, change: { steps: 60 }, policy }));
    expect(summary.steps).toBe(60);
    expect((await model.state()).arrays).toEqual(await weightsAfter(60));
    model.dispose();
  });
});

test.skipIf(!mounted)('a disk without room for a checkpoint is noticed before the first step', async () => {
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]);
  try {
    let events = 0;
    const [problem] = left(await train(join(small, 'run'), 5, () => void events++));
    expect(problem?.expected).toMatch(/room/);
    expect(events).toBe(0);
  } finally {
    unmount();
  }
});

test('a folder that is removed in the middle is noticed soon, not at the end', async () => {
  const out = join(folder, 'removed');
  let steps = 0;
  const [problem, ...others] = left(
    await train(out, 1_000_000, ({ tag, step }) => {
      if (tag === 'step') steps = step;
      if (step === 5) rmSync(out, { recursive: true });
    }),
  );
  expect(others).toEqual([]);
  expect(problem?.path).toContain(out);
  expect(steps).toBeLessThan(900_000);
  expect(existsSync(out)).toBe(false);
});

test('places where nothing can be written are refused before the first step', async () => {
  for (const out of ['/proc/immersion/run', join(folder, 'file/run')]) {
    writeFileSync(join(folder, 'file'), '');
    let events = 0;
    expect(left(await train(out, 5, () => void events++))).toHaveLength(1);
    expect(events).toBe(0);
  }
});

describe('a lock', () => {
  const place = join(folder, 'locked');
  mkdirSync(place);

  test('is of one process at a time', () => {
    const lock = right(lockFolder(place));
    expect(holderOf(place)?.pid).toBe(process.pid);
    expect(left(lockFolder(place))).toMatchObject([
      { found: `a run that process ${process.pid} trains`, hint: 'wait for it, or end it' },
    ]);
    lock.release();
    expect(readdirSync(place)).toEqual([]);
  });

  test.each([
    ['is gone', { pid: 2 ** 22 + 1, began: '1' }],
    ['has another’s number now', { pid: process.pid, began: '1' }],
  ])('of a process that %s holds nothing', async (_, holder) => {
    const { hostname } = await import('node:os');
    writeFileSync(join(place, 'lock'), JSON.stringify({ ...holder, host: hostname() }));
    expect(holderOf(place)).toBeUndefined();
    right(lockFolder(place)).release();
    expect(readdirSync(place)).toEqual([]);
  });

  test('of another machine is left alone', () => {
    writeFileSync(join(place, 'lock'), JSON.stringify({ pid: 1, began: '1', host: 'elsewhere' }));
    expect(left(lockFolder(place))).toMatchObject([
      { found: 'a run that process 1 of elsewhere trains', hint: expect.stringContaining('remove') },
    ]);
  });
});
