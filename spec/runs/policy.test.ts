/** What a run decides between two steps: what it validates on, when it ends, how fast it learns, what becomes of a step that is not finite. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { afterAll, describe, expect, test } from 'vitest';
import { type Dataset, loadData, type Source, type Split } from '../../data/index.js';
import {
  adam,
  apply,
  batchNorm,
  dataOf,
  dense,
  elu,
  type Experiment,
  experiment,
  exp,
  flatten,
  input,
  network,
  objective,
  pipe,
  reshape,
  scale,
  sgd,
  sqNorm,
  square,
  step,
  sub,
} from '../../dsl/index.js';
import { ae } from '../../objectives/index.js';
import { openRun, resume, type TrainEvent, trainRun, type TrainOptions } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-policy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const backend = backends.wasm;
const digits: Split = right(await loadData('digits')());

const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(12), elu, dense(3)));
const decoder = network('decoder', pipe(input(3), dense(12), elu, dense(64), reshape(8, 8, 1)));
const x = dataOf(encoder);
const error = sqNorm(sub(x, apply(decoder, apply(encoder, x))));

const small = (changes: Partial<Experiment> = {}): Experiment => ({
  ...experiment({
    encoder,
    decoder,
    objective: ae(encoder, decoder),
    optimizer: adam({ rate: 3e-3 }),
    batch: 16,
    steps: 40,
    data: 'digits',
    validation: { every: 5 },
  }),
  ...changes,
});

const events: TrainEvent[] = [];
const train = async (spec: Experiment, options: Partial<TrainOptions> = {}) => {
  events.length = 0;
  const found = await trainRun(spec, {
    data: digits,
    backend,
    seed: 1,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return found;
};
const notices = (): readonly string[] =>
  events.flatMap((event) => (event.tag === 'notice' ? [event.notice] : []));

/** Counts the rows that are read of a set. */
const watched = (set: Dataset): { readonly source: Source; readonly reads: () => number } => {
  let reads = 0;
  const { examples, ...about } = set;
  return {
    source: {
      ...about,
      read: (rows, into) => async () => {
        reads += rows.length;
        for (let i = 0; i < rows.length; i++)
          into.set(examples.subarray(64 * (rows[i] ?? 0), 64 * ((rows[i] ?? 0) + 1)), 64 * i);
        return E.right(undefined);
      },
    },
    reads: () => reads,
  };
};

describe('validation', () => {
  test('is on a part of the training examples that is held out, and the test is looked at once, at the end', async () => {
    const set = watched(digits.test);
    const { model, summary, data } = right(await train(small(), { data: { ...digits, test: set.source } }));
    expect(data.validation?.size).toBe(Math.round(0.1 * digits.train.size));
    expect(data.train.size + (data.validation?.size ?? 0)).toBe(digits.train.size);
    expect(events.filter(({ tag }) => tag === 'validation').map((event) => event.step)).toEqual(
      Array.from({ length: 9 }, (_, i) => 5 * i),
    );
    expect(events.filter(({ tag }) => tag === 'test')).toMatchObject([{ step: 40, ...summary.test }]);
    expect(set.reads()).toBeLessThan(2 * digits.test.size);
    model.dispose();
  });

  test('is on the part that the data has, where it has one', async () => {
    const data = { ...digits, validation: digits.test };
    const { model, summary } = right(await train(small(), { data }));
    expect(summary.validation?.loss).toBe(summary.test?.loss);
    model.dispose();
  });

  test('metrics are seen at every so many steps too, of the batch before the step, and change nothing', async () => {
    const metrics = { 'half/error': scale(0.5, error) };
    const { model } = right(await train(small(), { metrics, policy: { metricsEvery: 8 } }));
    const steps = events.flatMap((event) => (event.tag === 'step' ? [event] : []));
    const seen = steps.filter((event) => event.metrics !== undefined);
    expect(seen.map((event) => event.step)).toEqual([0, 8, 16, 24, 32]);
    for (const event of seen)
      expect(event.metrics?.['half/error']).toBeCloseTo((event.terms['reconstruction'] ?? NaN) / 2, 4);
    const { model: without } = right(await train(small()));
    expect((await without.state()).arrays).toEqual((await model.state()).arrays);
    [model, without].forEach((one) => one.dispose());
  });

  test('reports expressions that are not in the loss, under any name', async () => {
    const metrics = { loss: error, 'half/error': scale(0.5, error) };
    const { model, summary } = right(await train(small(), { metrics }));
    const { validation } = summary;
    expect(validation?.metrics?.['loss']).toBeCloseTo(validation?.terms['reconstruction'] ?? NaN, 4);
    expect(validation?.metrics?.['half/error']).toBeCloseTo((validation?.loss ?? NaN) / 2, 4);
    model.dispose();
    const wrong = left(await train(small(), { metrics: { codes: apply(encoder, x) } }));
    expect(wrong).toMatchObject([{ path: 'metrics.codes', found: '[3]', expected: 'a scalar' }]);
  });
});

describe('a run that gets worse', () => {
  /** Learns, then is driven apart by a rate that grows. */
  const turning = small({ optimizer: sgd({ rate: scale(1e-4, exp(scale(0.2, step))) }), steps: 80 });

  test('stops early, says so, and leaves the best weights where that is asked for', async () => {
    const out = join(folder, 'early');
    const { model, summary } = right(
      await train(turning, {
        keep: { name: 'early', out },
        policy: {
          stopping: { by: 'reconstruction', better: 'less', patience: 2, least: 0 },
          restoreBest: true,
        },
      }),
    );
    const losses = events.flatMap((event) => (event.tag === 'validation' ? [event.loss] : []));
    const best = losses.indexOf(Math.min(...losses.filter(Number.isFinite))) * 5;
    expect(summary).toMatchObject({ end: 'stopped', best: { step: best }, step: best, steps: best + 10 });
    expect(notices().slice(-2)).toEqual(['stopped', 'restored']);
    const opened = right(await openRun(out, { backend }));
    expect(opened.step).toBe(best);
    expect((await opened.state()).arrays).toEqual((await model.state()).arrays);
    const last = right(await openRun(out, { backend, at: 'last' }));
    expect(last.step).toBe(best + 10);
    [model, opened, last].forEach((one) => one.dispose());
  });

  test('learns slower on a plateau', async () => {
    const { model } = right(
      await train(turning, {
        policy: {
          plateau: { by: 'loss', better: 'less', patience: 1, least: 0, factor: 0.25, floor: 0.05 },
        },
      }),
    );
    const reduced = events.filter((event) => event.tag === 'notice' && event.notice === 'reduced');
    expect(reduced.length).toBeGreaterThan(1);
    expect(reduced.length).toBeLessThanOrEqual(3);
    const at = reduced[0]?.step ?? 0;
    const rateOf = (i: number): number =>
      events.flatMap((event) => (event.tag === 'step' && event.step === i ? [event.rate] : []))[0] ?? NaN;
    expect(rateOf(at) / rateOf(at - 1)).toBeCloseTo(0.25 * Math.exp(0.2), 4);
    model.dispose();
  });

  test('a name that no validation has is a problem with the nearest one', async () => {
    const stopping = { by: 'recontruction', better: 'less', patience: 2, least: 0 } as const;
    expect(left(await train(small(), { policy: { stopping } }))).toMatchObject([
      { path: 'stopping.by', hint: 'did you mean "reconstruction"?' },
    ]);
    const none = small({ validation: { every: 0 } });
    expect(left(await train(none, { policy: { restoreBest: true } }))).toMatchObject([
      { path: 'criterion', found: 'no validation' },
    ]);
  });
});

describe('checkpoints', () => {
  test('the last ones and that of the best validation are kept', async () => {
    const out = join(folder, 'kept');
    const { model, summary } = right(
      await train(small({ optimizer: sgd({ rate: scale(1e-4, exp(scale(0.3, step))) }), steps: 50 }), {
        keep: { name: 'kept', out },
        policy: { checkpoints: { every: { tag: 'steps', steps: 4 }, keep: 2, best: true } },
      }),
    );
    model.dispose();
    const best = summary.best?.step ?? -1;
    expect(readdirSync(join(out, 'checkpoints')).sort()).toEqual(
      [best, 48, 50].map((at) => `${String(at).padStart(8, '0')}.safetensors`),
    );
    expect(existsSync(join(out, 'lock'))).toBe(false);
  });

  test('two runs into one folder: the second is refused while the first trains, and afterwards', async () => {
    const out = join(folder, 'shared');
    const keep = { name: 'shared', out };
    let second: readonly { readonly found: string }[] = [];
    const first = await train(small({ steps: 5 }), {
      keep,
      onEvent: async (event) => {
        if (event.tag === 'step' && event.step === 2)
          second = left(await trainRun(small(), { data: digits, backend, keep }));
      },
    });
    right(first).model.dispose();
    expect(second).toMatchObject([{ found: expect.stringMatching(/^a folder with \d+ entries$/) }]);
    expect(left(await train(small(), { keep }))).toMatchObject([
      { hint: `immersion resume ${out} goes on with the run in it` },
    ]);
  });
});

describe('callbacks', () => {
  test('are waited for, and timers have their turn', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const began = performance.now();
    const { model } = right(await train(small({ steps: 3000, validation: { every: 0 } })));
    const elapsed = performance.now() - began;
    clearInterval(timer);
    model.dispose();
    expect(ticks).toBeGreaterThan(elapsed / 10 / 4);
    let waiting = false;
    const slow = await train(small({ steps: 4 }), {
      onEvent: async () => {
        expect(waiting).toBe(false);
        waiting = true;
        await new Promise((resolve) => setTimeout(resolve, 2));
        waiting = false;
      },
    });
    right(slow).model.dispose();
  });

  test('an error of one ends the run, is thrown again, frees everything and loses nothing', async () => {
    const before = backend.liveCount();
    const out = join(folder, 'thrown');
    const thrown = train(small(), {
      keep: { name: 'thrown', out },
      onEvent: (event) => {
        if (event.tag === 'step' && event.step === 6) throw new RangeError('enough');
      },
    });
    await expect(thrown).rejects.toThrow(new RangeError('enough'));
    expect(backend.liveCount()).toBe(before);
    expect(existsSync(join(out, 'lock'))).toBe(false);
    const opened = right(await openRun(out, { backend }));
    expect(opened.step).toBe(7);
    opened.dispose();
  });

  test('a run that a signal ended between two steps goes on to the weights of one that was not ended', async () => {
    const out = join(folder, 'signal');
    const controller = new AbortController();
    const { summary, model } = right(
      await train(small(), {
        keep: { name: 'signal', out },
        signal: controller.signal,
        onEvent: (event) => {
          if (event.tag === 'step' && event.step === 6) controller.abort();
        },
      }),
    );
    expect(summary).toMatchObject({ end: 'interrupted', steps: 7, test: undefined });
    const [whole, rest] = [right(await train(small())), right(await resume(out, { data: digits, backend }))];
    expect(rest.summary.end).toBe('steps');
    expect((await rest.model.state()).arrays).toEqual((await whole.model.state()).arrays);
    [model, whole.model, rest.model].forEach((one) => one.dispose());
  });
});

describe('a step that is not finite', () => {
  /** Overflows from a step on, whatever the weights are. */
  const overflowing = (from: number): Experiment =>
    small({
      objective: objective({
        reconstruction: error,
        late: scale(1e-30, square(scale(1.9e19 / from, step))),
      }),
      steps: 20,
    });

  test('is skipped, and explained by the term and the operation that made it so', async () => {
    const { model, summary } = right(await train(overflowing(15)));
    expect(summary.skipped).toBe(20 - 15);
    expect(notices()).toEqual(['skipped']);
    const [notice] = events.flatMap((event) => (event.tag === 'notice' ? [event.text] : []));
    expect(notice).toMatch(
      /^step 15 was skipped, as further ones like it will be: late is Infinity: in the term late, mul:f\[\] of 1\.9e\+19 and 1\.9e\+19 is Infinity$/,
    );
    model.dispose();
  });

  test('ends the run where that is asked for, with what was trained kept', async () => {
    const out = join(folder, 'stopped');
    const wrong = left(
      await train(overflowing(15), { keep: { name: 'stopped', out }, policy: { notFinite: 'stop' } }),
    );
    expect(wrong).toMatchObject([{ path: 'step 15', found: expect.stringContaining('in the term late') }]);
    const opened = right(await openRun(out, { backend }));
    expect((await opened.values({ error }, digits.test)).error.values.every(Number.isFinite)).toBe(true);
    opened.dispose();
  });

  test('most of them are a failure, unless they are tolerated', async () => {
    expect(left(await train(overflowing(2)))).toMatchObject([
      { path: 'objective.late', found: expect.stringMatching(/^Infinity at \d+ of 20 steps$/) },
    ]);
    right(await train(overflowing(2), { policy: { tolerateSkipped: true } })).model.dispose();
  });

  test('sends the run back to a checkpoint with half the rate, as often as it takes', async () => {
    // At this rate plain descent diverges; at a part of it it learns.
    const diverging = small({
      optimizer: sgd({ rate: 0.5 }),
      steps: 60,
      validation: { every: 10 },
    });
    const { model, summary } = right(
      await train(diverging, {
        keep: { name: 'halved', out: join(folder, 'halved') },
        policy: { notFinite: 'halve' },
      }),
    );
    expect(new Set(notices())).toContain('returned');
    expect(summary).toMatchObject({ end: 'steps', steps: 60 });
    expect(Number.isFinite(summary.test?.loss)).toBe(true);
    const factor = 2 ** -notices().filter((what) => what === 'returned').length;
    const rates = events.flatMap((event) => (event.tag === 'step' ? [event.rate] : []));
    expect(rates.at(-1)).toBe(Math.fround(0.5 * factor));
    model.dispose();
  });
});

test('a rate that is too large is named, and the weights before it are kept', async () => {
  const out = join(folder, 'too-large');
  const wild = small({ optimizer: sgd({ rate: 1e38 }), steps: 10 });
  const [problem] = left(await train(wild, { keep: { name: 'too-large', out } }));
  expect(problem).toMatchObject({ path: expect.any(String), expected: expect.stringMatching(/finite/) });
  expect(notices()).toContain('skipped');
  const opened = right(await openRun(out, { backend }));
  for (const { data } of (await opened.state()).arrays.values())
    expect(data.every(Number.isFinite)).toBe(true);
  opened.dispose();
});

test('batch-norm over one value is a problem, not a model that never learns', async () => {
  const normal = network('encoder', pipe(input(8, 8, 1), flatten, dense(12), batchNorm(), dense(3)));
  const spec = small({ encoder: normal, objective: ae(normal, decoder), batch: 1 });
  expect(left(await train(spec))).toMatchObject([
    { path: 'networks.encoder.layers[2]', found: 'one value for each channel in a batch' },
  ]);
});

test('the record of a run that was opened again is what was heard', async () => {
  const out = join(folder, 'heard');
  right(await train(small({ steps: 12 }), { keep: { name: 'heard', out } })).model.dispose();
  const lines = readFileSync(join(out, 'record.jsonl'), 'utf8').trim().split('\n');
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual(events);
});
