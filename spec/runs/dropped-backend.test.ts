/** A backend that fails in the middle of a run loses neither the run nor its trajectory: another one takes the same steps, and the record says so. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import * as E from 'fp-ts/lib/Either.js';
import { afterAll, describe, expect, test } from 'vitest';
import { gather, type Stored } from '../../data/dataset.js';
import { loadData } from '../../data/index.js';
import { BackendFailure } from '../../backends/failure.js';
import { compile } from '../../compiler/index.js';
import {
  adam,
  dense,
  elu,
  experiment,
  flatten,
  input,
  network,
  pipe,
  problem,
  reshape,
} from '../../dsl/index.js';
import { injFlowLn } from '../../objectives/index.js';
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
import { createHistory } from '../../runs/records/history.js';
import { eventsOf } from '../../runs/run/open-run.js';
import { backends, ccBackend, nativeBackend } from '../shared/backends.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-dropped-'));
const before = backends.wasm.liveCount();
afterAll(() => {
  rmSync(folder, { recursive: true });
  expect(backends.wasm.liveCount()).toBe(before);
});

/** As a record names it: with relaxed SIMD where there is that. */
const wasm = nameIn(backends.wasm);

const data = right(await loadData('digits')());
const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(12), elu, dense(3)));
const decoder = network('decoder', pipe(input(3), dense(12), elu, dense(64), reshape(8, 8, 1)));
const STEPS = 24;
const spec = experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder),
  optimizer: adam({ rate: 3e-3 }),
  batch: 16,
  steps: STEPS,
  data: 'digits',
  validation: { every: 8 },
});

type Mishap = {
  /** The run of the program, from 0, that fails, as do all after it. */
  readonly at?: number;
  /** The reading of its state, from 0, that fails, as do all after it. */
  readonly reads?: number;
  readonly program?: string;
  /** Whether a part of it, which is told, runs before. */
  readonly isInside?: boolean;
  /** Whether its state can no longer be read then. */
  readonly isGone?: boolean;
  readonly error?: Error;
};

/** A real backend that runs out of memory in the middle. */
const failing = (
  backend: Backend,
  { at = Infinity, reads = Infinity, program = 'step', isInside = false, isGone = false, error }: Mishap,
): Backend => ({
  ...backend,
  open: async (programs, state) => {
    const instance = await backend.open(programs, state);
    let [runs, read] = [0, 0];
    const fail = (_?: void): never => {
      throw (
        error ?? new BackendFailure(problem(`${backend.name} ${program}`, 'no memory left', 'enough memory'))
      );
    };
    return {
      ...instance,
      run: (name, feeds, profile) => {
        if (name !== program || runs++ < at) return instance.run(name, feeds, profile);
        return isInside ? instance.run(name, feeds, (...part) => fail(profile?.(...part))) : fail();
      },
      read: () => ((isGone && runs > at) || read++ >= reads ? fail() : instance.read()),
    };
  },
});

/** The first, and the others when those before have failed. */
const oneAfterAnother =
  (...all: readonly Backend[]): StartBackend =>
  async (_, failed) => {
    const [next] = all.filter(({ name }) => !failed.includes(name));
    return next === undefined ? E.left([]) : E.right(next);
  };

const events: TrainEvent[] = [];
const options = { data, seed: 5, onEvent: (event: TrainEvent) => void events.push(event) };
const lossesOf = (all: readonly TrainEvent[]): readonly number[] => {
  const history = createHistory();
  all.forEach(history.add);
  return history
    .events()
    .filter(isStep)
    .map(({ loss }) => loss);
};
const keepIn = (out: string) => ({ name: 'run', out: join(folder, out), root: folder });
/** A checkpoint every five steps. */
const fives: PolicyOptions = { checkpoints: { every: { tag: 'steps', steps: 5 }, keep: 2, best: false } };
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
  backends.cpu,
];
const pairs = real.flatMap((from) => real.filter((to) => to !== from).map((to) => ({ from, to })));
const wholes = new Map<string, readonly number[]>();
for (const backend of real) wholes.set(backend.name, (await trained(backend)).losses);

const expectNear = (found: readonly number[], expected: readonly number[]): void => {
  expect(found.length).toBe(expected.length);
  found.forEach((loss, i) => {
    const other = expected[i] ?? NaN;
    expect(Math.abs(loss - other), `step ${i}`).toBeLessThan(1e-4 * Math.abs(other));
  });
};

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

describe('a backend that was named', () => {
  test('and fails ends the run, which resume takes up on another one', async () => {
    const out = join(folder, 'named');
    const keep = keepIn('named');
    events.length = 0;
    const backend = failing(backends.wasm, { at: 9 });
    const [said] = left(await trainRun(spec, { ...options, backend, keep }));
    expect(said?.hint).toMatch(/^the run is kept to step 9: immersion resume .*named --backend auto$/);
    const first = [...events];
    const { model, summary } = right(
      await resume(out, { data, onEvent: options.onEvent, backend: backends.cpu }),
    );
    model.dispose();
    expect(summary.ran).toEqual([
      { step: 0, backend: wasm },
      { step: 9, backend: 'cpu' },
    ]);
    expectNear(lossesOf([...first, ...events.slice(first.length)]), wholes.get('cpu') ?? []);
    expect(readFileSync(join(out, 'run.json'), 'utf8')).toContain('"backend": "cpu"');
  });

  test('and fails after the last step is kept to its last checkpoint', async () => {
    const backend = failing(backends.cpu, { reads: 6 });
    const kept = { keep: keepIn('named last'), policy: fives };
    const [said] = left(await trainRun(spec, { ...options, backend, ...kept }));
    expect(said?.hint).toContain('the run is kept to step 20: ');
  });

  test('and fails where nothing is kept is what is told', async () => {
    const backend = failing(backends.wasm, { at: 3 });
    expect(left(await trainRun(spec, { ...options, backend }))).toEqual([
      problem('wasm step', 'no memory left', 'enough memory'),
    ]);
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
