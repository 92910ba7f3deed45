/** A backend that fails in the middle of a run loses neither the run nor its trajectory: another one takes the same steps, and the record says so. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { afterAll, describe, expect, test } from 'vitest';
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
  readonly at: number;
  readonly program?: string;
  /** Whether its state can no longer be read then. */
  readonly isGone?: boolean;
  readonly error?: Error;
};

/** A real backend that runs out of memory in the middle. */
const failing = (backend: Backend, { at, program = 'step', isGone = false, error }: Mishap): Backend => ({
  ...backend,
  open: async (programs, state) => {
    const instance = await backend.open(programs, state);
    let runs = 0;
    const fail = (): never => {
      throw (
        error ?? new BackendFailure(problem(`${backend.name} ${program}`, 'no memory left', 'enough memory'))
      );
    };
    return {
      ...instance,
      run: (name, feeds) => (name === program && runs++ >= at ? fail() : instance.run(name, feeds)),
      read: () => (isGone && runs > at ? fail() : instance.read()),
    };
  },
});

/** A real backend whose step fails when its first part is done. */
const stumbling = (backend: Backend, at: number): Backend => ({
  ...backend,
  open: async (programs, state) => {
    const instance = await backend.open(programs, state);
    let steps = 0;
    return {
      ...instance,
      run: (name, feeds, profile) =>
        instance.run(
          name,
          feeds,
          name === 'step' && steps++ >= at
            ? (...part) => {
                profile?.(...part);
                throw new BackendFailure(problem(`${backend.name} step`, 'no memory left', 'enough memory'));
              }
            : profile,
        ),
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
const trained = async (backend: Backend | StartBackend, out?: string) => {
  events.length = 0;
  const keep = out === undefined ? undefined : { name: 'run', out, root: folder };
  const run = right(await trainRun(spec, { ...options, backend, keep }));
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
    const policy = { checkpoints: { every: { tag: 'steps', steps: 5 }, keep: 2, best: false } } as const;
    events.length = 0;
    const backend = oneAfterAnother(failing(backends.cpu, { at: 13, isGone: true }), backends.wasm);
    const keep = { name: 'run', out, root: folder };
    const { model, summary } = right(await trainRun(spec, { ...options, backend, keep, policy }));
    model.dispose();
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
    const { summary, losses } = await trained(backend, join(folder, 'last'));
    expect(losses).toEqual(wholes.get('cpu'));
    expect(summary).toMatchObject({ end: 'steps', steps: STEPS });
    expect(right(readRun(join(folder, 'last'))).settings).toMatchObject({ finished: STEPS, backend: 'wasm' });
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
      const backend = oneAfterAnother(stumbling(from, at), to);
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
    const keep = { name: 'run', out, root: folder };
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
