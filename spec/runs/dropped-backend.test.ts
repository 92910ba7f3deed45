/** A backend that fails in the middle of a run loses neither the run nor its trajectory: another one takes the same steps, and the record says so. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as E from 'fp-ts/lib/Either.js';
import { afterAll, describe, expect, test } from 'vitest';
import { gather, type Stored } from '../../data/dataset.js';
import { BackendFailure } from '../../backends/failure.js';
import { compile } from '../../compiler/index.js';
import { problem } from '../../dsl/index.js';
import {
  type Backend,
  fit,
  gatherProfile,
  isNotice,
  isStep,
  isValidation,
  type PolicyOptions,
  prepareRun,
  readRun,
  resume,
  type StartBackend,
  type TrainEvent,
  trainRun,
} from '../../runs/index.js';
import { nameIn, ranOn, ranText } from '../../runs/records/backends.js';
import { eventsOf } from '../../runs/run/open-run.js';
import { backends, ccBackend, nativeBackend, webgpuBackend } from '../shared/backends.js';
import { left, right } from '../shared/either.js';
import {
  data,
  expectNear,
  failing,
  fives,
  lossesOf,
  oneAfterAnother,
  spec,
  STEPS,
} from '../shared/failing-runs.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-dropped-'));
const before = backends.wasm.liveCount();
afterAll(() => {
  rmSync(folder, { recursive: true });
  expect(backends.wasm.liveCount()).toBe(before);
});

/** As a record names it: with relaxed SIMD where there is that. */
const wasm = nameIn(backends.wasm);

const events: TrainEvent[] = [];
const options = { data, seed: 5, onEvent: (event: TrainEvent) => void events.push(event) };
const keepIn = (out: string) => ({ name: 'run', out: join(folder, out), root: folder });
const trained = async (backend: Backend | StartBackend, out?: string, policy?: PolicyOptions) => {
  events.length = 0;
  const keep = out === undefined ? undefined : keepIn(out);
  const run = right(await trainRun(spec, { ...options, backend, keep, policy }));
  run.model.dispose();
  return { ...run, losses: lossesOf(events), seen: [...events] };
};

const real = [
  backends.wasm,
  ...(E.isRight(ccBackend) ? [ccBackend.right] : []),
  ...(E.isRight(nativeBackend()) ? [right(nativeBackend())] : []),
  ...(E.isRight(webgpuBackend) ? [webgpuBackend.right] : []),
  backends.cpu,
];
const pairs = real.flatMap((from) => real.filter((to) => to !== from).map((to) => ({ from, to })));
const wholes = new Map<string, readonly number[]>();
for (const backend of real) wholes.set(backend.name, (await trained(backend)).losses);

describe('a run whose backend fails', () => {
  test.each(pairs)('goes on from the same state: $from.name, then $to.name', async ({ from, to }) => {
    const { losses, summary, model } = await trained(oneAfterAnother(failing(from, { at: 11 }), to));
    expect(losses.slice(0, 11)).toEqual(wholes.get(from.name)?.slice(0, 11));
    expectNear(losses, wholes.get(to.name) ?? []);
    expect(summary.ran).toEqual([
      { step: 0, backend: nameIn(from) },
      { step: 11, backend: nameIn(to) },
    ]);
    expect(model.backend.name).toBe(to.name);
    expect(summary.test?.loss).toBeGreaterThan(0);
  });

  test('goes on from its last checkpoint where the state is gone, and says so in one line', async () => {
    const out = join(folder, 'gone');
    const backend = oneAfterAnother(failing(backends.cpu, { at: 13, isGone: true }), backends.wasm);
    const { summary } = await trained(backend, 'gone', fives);
    expect(events.filter(isNotice).map(({ text }) => text)).toEqual([
      `cpu failed at step 13 (cpu step: no memory left); the run goes on from step 10 on ${backends.wasm.description}`,
    ]);
    const ran = [
      { step: 0, backend: 'cpu' },
      { step: 10, backend: wasm },
    ];
    expect(summary.ran).toEqual(ran);
    const { settings } = right(readRun(out));
    expect(settings).toMatchObject({ backend: 'wasm', asked: 'auto', ran, finished: STEPS });
    expectNear(lossesOf(events), wholes.get('wasm') ?? []);
    // A reader of the record sees each step once.
    const recorded = (await eventsOf(out)).filter(isStep);
    expect(recorded.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i));
  });

  test('before its first step begins again', async () => {
    const { losses, summary } = await trained(
      oneAfterAnother(failing(backends.cpu, { at: 0, isGone: true }), backends.wasm),
    );
    expect(losses).toEqual(wholes.get('wasm'));
    expect(summary.ran).toEqual([{ step: 0, backend: wasm }]);
  });

  test.each([0, 1, 3])('in validation %i repeats it elsewhere', async (at) => {
    const program = 'evaluate';
    const { seen, losses } = await trained(
      oneAfterAnother(failing(backends.cpu, { at: 10 * at + 1, program }), backends.wasm),
    );
    expect(seen.filter(isValidation).map(({ step }) => step)).toEqual([0, 8, 16, 24]);
    expectNear(losses, wholes.get('wasm') ?? []);
  });

  test('after its last step leaves what it would have left', async () => {
    const backend = oneAfterAnother(failing(backends.cpu, { at: 0, program: 'encode' }), backends.wasm);
    const { summary, losses } = await trained(backend, 'last');
    expect(losses).toEqual(wholes.get('cpu'));
    expect(summary).toMatchObject({ end: 'steps', steps: STEPS });
    expect(right(readRun(join(folder, 'last'))).settings).toMatchObject({ finished: STEPS, backend: 'wasm' });
  });

  test('after its last step took all of them, also where the best weights are restored', async () => {
    const backend = oneAfterAnother(failing(backends.cpu, { at: 0, program: 'encode' }), backends.wasm);
    const policy: PolicyOptions = { criterion: { by: 'loss', better: 'more' }, restoreBest: true };
    const { summary, losses, seen } = await trained(backend, 'best', policy);
    expect(losses).toEqual(wholes.get('cpu'));
    expect(summary).toMatchObject({ steps: STEPS, step: 0 });
    expect(ranText(summary.ran)).toBe(`cpu for ${STEPS} steps, then ${wasm}`);
    expect(seen.filter(isNotice).at(-1)?.text).toMatch(/^cpu failed at step 24 .* goes on from step 24 on /);
  });

  // When it is opened, at the first checkpoint, and after the last step.
  test.each([
    { reads: 0, from: 0 },
    { reads: 1, from: 0 },
    { reads: 6, from: 20 },
  ])('at reading $reads of its state goes on from step $from', async ({ reads, from }) => {
    const backend = oneAfterAnother(failing(backends.cpu, { reads }), backends.wasm);
    const { summary, losses } = await trained(backend, `reading ${reads}`, fives);
    expectNear(losses, wholes.get('wasm') ?? []);
    const first = from === 0 ? [] : [{ step: 0, backend: 'cpu' }];
    expect(summary.ran).toEqual([...first, { step: from, backend: wasm }]);
  });

  test('reads one batch after another', async () => {
    const { examples: _, ...about } = data.train;
    let [open, most] = [0, 0];
    const read: Stored['read'] = (rows, into) => async () => {
      most = Math.max(most, ++open);
      await setTimeout(2);
      gather(data.train, rows, into);
      open -= 1;
      return E.right(undefined);
    };
    const stored = { train: { ...about, read }, validation: data.test, test: data.test };
    const backend = oneAfterAnother(failing(backends.cpu, { at: 11 }), backends.wasm);
    right(await trainRun(spec, { ...options, data: stored, backend })).model.dispose();
    expect(most).toBe(1);
  });

  test('goes on with a third where the second cannot hold the state', async () => {
    const second = failing(backends.wasm, { at: 0, reads: 0 });
    const third = { ...backends.wasm, name: 'third' };
    const { summary } = await trained(oneAfterAnother(failing(backends.cpu, { at: 6 }), second, third));
    expect(summary.ran.map(({ step }) => step)).toEqual([0, 6]);
    expect(summary.ran[1]?.backend).toMatch(/^third/);
  });

  test('and has no other that opens keeps the state that was read of it', async () => {
    const none = problem('none', 'no memory left', 'enough memory');
    const refusing = { ...backends.wasm, name: 'none', open: () => Promise.reject(new BackendFailure(none)) };
    const backend = oneAfterAnother(failing(backends.cpu, { at: 13 }), refusing);
    const keep = keepIn('none');
    const [said] = left(await trainRun(spec, { ...options, backend, keep, policy: fives }));
    expect(said?.hint).toContain('the run is kept to step 13: ');
  });

  test('that fails again goes on with a third', async () => {
    const { summary } = await trained(
      oneAfterAnother(failing(backends.cpu, { at: 6 }), failing(backends.wasm, { at: 6 }), {
        ...backends.cpu,
        name: 'third',
      }),
    );
    expect(summary.ran.map(({ step }) => step)).toEqual([0, 6, 12]);
  });

  test.each([
    { at: 0, from: backends.wasm, to: backends.cpu },
    { at: 5, from: backends.wasm, to: backends.cpu },
    { at: 5, from: backends.cpu, to: backends.wasm },
  ])(
    'in the middle of step $at of $from.name is profiled by the steps of $to.name',
    async ({ at, from, to }) => {
      const profile = gatherProfile();
      const backend = oneAfterAnother(failing(from, { at, isInside: true }), to);
      right(await trainRun(spec, { ...options, backend, profile })).model.dispose();
      const { steps, parts } = profile.found();
      expect(steps).toBe(STEPS - at - 1);
      const plan = to.plan?.(right(compile(spec)).step).steps ?? [];
      expect(parts.map(({ number }) => number)).toEqual(plan.map((_, number) => number));
    },
  );

  test.each([
    new RangeError('Array buffer allocation failed'),
    new BackendFailure(problem('device', 'lost', 'a device')),
  ])('for the reason %s', async (error) => {
    const { summary } = await trained(
      oneAfterAnother(failing(backends.cpu, { at: 2, error }), backends.wasm),
    );
    expect(summary.ran.at(-1)).toEqual({ step: 2, backend: wasm });
  });

  test('is iterated and fitted to its end alike', async () => {
    const backend = oneAfterAnother(failing(backends.cpu, { at: 7 }), backends.wasm);
    const run = right(await prepareRun(spec, { data, seed: 5, backend }));
    const seen: TrainEvent[] = [];
    for await (const event of run.events) seen.push(event);
    expectNear(lossesOf(seen), wholes.get('wasm') ?? []);
    expect(run.fitted.backend.name).toBe('wasm');
    run.fitted.dispose();
    const model = right(await fit(spec, { data, seed: 5, backend }));
    expect((await model.sample(2)).length).toBe(128);
    model.dispose();
  });
});

test.each(pairs)('a run that was stopped on $from.name is resumed on $to.name', async ({ from, to }) => {
  const out = join(folder, `${from.name} ${to.name}`);
  const stop = new AbortController();
  events.length = 0;
  const onEvent = (event: TrainEvent): void => {
    events.push(event);
    if (event.tag === 'step' && event.step === 10) stop.abort();
  };
  const keep = { name: 'run', out, root: folder };
  const begun = right(
    await trainRun(spec, { ...options, onEvent, backend: from, keep, signal: stop.signal }),
  );
  begun.model.dispose();
  const { model, summary } = right(await resume(out, { data, onEvent: options.onEvent, backend: to }));
  model.dispose();
  expect(ranText(summary.ran)).toBe(`${nameIn(from)} for 11 steps, then ${nameIn(to)}`);
  expectNear(lossesOf(events), wholes.get(to.name) ?? []);
  expect(right(readRun(out)).settings).toMatchObject({ backend: to.name, asked: to.name, ran: summary.ran });
});

test('what a user gives that is wrong moves nothing', async () => {
  const backend = oneAfterAnother(backends.wasm, backends.cpu);
  const run = right(await prepareRun(spec, { data, seed: 5, backend }));
  await expect(run.fitted.encode(new Float32Array(63))).rejects.toThrow(BackendFailure);
  expect(run.fitted.backend.name).toBe('wasm');
  run.fitted.dispose();
});

test('steps that were left behind are of no backend', () => {
  const first = ranOn(ranOn([], 0, 'cc'), 40, 'wasm');
  expect(ranOn(first, 30, 'wasm')).toEqual([
    { step: 0, backend: 'cc' },
    { step: 30, backend: 'wasm' },
  ]);
  expect(ranOn(first, 50, 'wasm')).toEqual(first);
  expect(ranOn(first, 30, 'cc')).toEqual([{ step: 0, backend: 'cc' }]);
  expect(ranText(first)).toBe('cc for 40 steps, then wasm');
});
