/** The native backend computes what the interpreter says, keeps its state, cleans up after itself, and fails with one line. */
import { elementAt, entryOf } from '../../../dsl/lookup.js';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { fc, test as law } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBuilder } from '../../../compiler/ir/builder.js';
import { type Compiled, compile } from '../../../compiler/compile.js';
import { printGraph } from '../../../backends/tensorflow/graph.js';
import { lowerGraph } from '../../../backends/tensorflow/lower/lower-graph.js';
import type { Program } from '../../../compiler/ir/program.js';
import { loadData, type Split } from '../../../data/index.js';
import type { Experiment } from '../../../dsl/experiment.js';
import { showProblem } from '../../../dsl/problem.js';
import { sizeOf } from '../../../dsl/shape.js';
import digits from '../../../examples/digits.js';
import mlp from '../../../examples/mlp.js';
import type { Backend } from '../../../backends/backend.js';
import { attempt } from '../../../backends/failure.js';
import { withSavedModel } from '../../../backends/tensorflow/saved-model-file.js';
import {
  createSession,
  initialState,
  prepareRun,
  type StepEvent,
  type TrainState,
} from '../../../runs/index.js';
import { agreesInSingle } from '../../shared/agreement.js';
import { compilableExperiment } from '../../../laws/arbitrary/experiment.js';
import { backends, hasNative, nativeBackend } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';
import { feed } from '../../shared/feeding.js';
import { outputKey, together } from '../../shared/outputs.js';

const required = process.env['IMMERSION_REQUIRE_NATIVE'] === '1';

test.runIf(required || hasNative())('it loads, which IMMERSION_REQUIRE_NATIVE=1 asks for', () => {
  const backend = nativeBackend();
  expect(isLeft(backend) ? backend.left.map(showProblem) : []).toEqual([]);
});

/** A program in one line of equations, over data `x` and a state `s` that it may replace. */
const programOf = (
  name: string,
  size: number,
  compute: (builder: ReturnType<typeof createBuilder>) => Program['outputs'],
): Program => {
  const builder = createBuilder();
  const outputs = compute(builder);
  return { name, batch: size, binders: builder.binders(), equations: builder.equations(), outputs };
};

const vector = { rows: 0, shape: [3] };

/** s ← s + x, committed where x is finite; the old s is its value. */
const accumulate = programOf('accumulate', 1, (b) => {
  const [x, s] = [b.bind('data', 'x', vector), b.bind('state', 's', vector)];
  const finite = b.emit('finite', {}, [b.emit('reduce', { op: 'add', axes: [0] }, [x])]);
  return [
    { kind: 'value', name: 'before', var: s },
    { kind: 'telemetry', name: 'commit', var: finite },
    { kind: 'next', name: 's', var: b.emit('add', {}, [s, x]) },
  ];
});

/** 2 s. */
const twice = programOf('twice', 1, (b) => {
  const s = b.bind('state', 's', vector);
  return [{ kind: 'value', name: 'out', var: b.emit('add', {}, [s, s]) }];
});

/** A product that no memory holds: x xᵀ for x of a million numbers. */
const huge = programOf('huge', 1_000_000, (b) => {
  const x = b.bind('data', 'x', { rows: 1, shape: [1] });
  const w = b.bind('data', 'w', { rows: 0, shape: [1, 1_000_000] });
  const y = b.emit('linear', {}, [x, w]);
  return [
    {
      kind: 'value',
      name: 'out',
      var: b.emit('sumBatch', {}, [b.emit('reduce', { op: 'add', axes: [0] }, [y])]),
    },
  ];
});

const programs = new Map([accumulate, twice].map((p) => [p.name, p]));
const ofNumbers = (...values: readonly number[]) => new Map([['x', Float32Array.from(values)]]);

/** A temporary folder of this file's own, and what is in it. */
let temporary = '';
const leftovers = (): readonly string[] => readdirSync(temporary);

test('the graph of the MLP example reads as before', async () => {
  const { step } = right(compile(mlp));
  const state = step.binders.filter(({ kind }) => kind === 'parameter' || kind === 'state');
  const graph = lowerGraph([step], new Map(state.map(({ name, var: x }) => [name, x.type.shape])));
  await expect(printGraph(graph)).toMatchFileSnapshot('../../golden/graph/mlp.txt');
});

test('an array that some program assigns has a variable of its own', () => {
  const { step } = right(compile(mlp));
  const state = step.binders.filter(({ kind }) => kind === 'parameter' || kind === 'state');
  const shapes = new Map(state.map(({ name, var: x }) => [name, x.type.shape]));
  const { name, var: own } = elementAt(
    state.filter(({ kind }) => kind === 'parameter'),
    0,
  );
  const double = programOf('double', step.batch, (b) => {
    const x = b.bind('parameter', name, own.type);
    return [{ kind: 'next', name, var: b.emit('add', {}, [x, x]) }];
  });
  const variablesOf = (...all: readonly Program[]) =>
    new Set(
      lowerGraph(all, shapes).nodes.flatMap(({ attributes: { shared_name } }) =>
        shared_name?.tag === 'string' ? [shared_name.value] : [],
      ),
    );
  expect(variablesOf(step)).not.toContain(name);
  expect(variablesOf(step, double)).toContain(name);
  expect(variablesOf(step, double)).toContain('small/parameter');
});

describe.skipIf(!hasNative())('the native backend', () => {
  const backend = (): Backend => right(nativeBackend());

  beforeAll(() => {
    temporary = mkdtempSync(join(tmpdir(), 'immersion-spec-'));
    vi.stubEnv('TMPDIR', temporary);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(temporary, { recursive: true });
  });

  describe('state', () => {
    test('is shared by all programs and read back', async () => {
      const instance = await backend().open(programs, new Map([['s', Float32Array.of(1, 2, 3)]]));
      expect([...((await instance.run('accumulate', ofNumbers(1, 1, 1))).value.get('before') ?? [])]).toEqual(
        [1, 2, 3],
      );
      expect([...((await instance.run('twice', new Map())).value.get('out') ?? [])]).toEqual([4, 6, 8]);
      expect([...((await instance.read()).get('s') ?? [])]).toEqual([2, 3, 4]);
      instance.dispose();
    });

    law.prop([compilableExperiment, fc.nat(100)], { numRuns: 12, endOnFailure: true })(
      'becomes what the interpreter says, by TensorFlow’s own operations too',
      async (experiment, seed) => {
        const { step, draws } = right(compile(experiment));
        const inputs = feed(step, draws, seed);
        const arrays = new Map([...inputs].map(([name, values]) => [name, Float32Array.from(values)]));
        const resident = step.binders.filter(({ kind }) => kind === 'parameter' || kind === 'state');
        const names = new Set(resident.map(({ name }) => name));
        const part = (inside: boolean) => new Map([...arrays].filter(([name]) => names.has(name) === inside));
        const instance = await backend().open(new Map([['step', step]]), part(true));
        const values = together(await instance.run('step', part(false)));
        const next = [...(await instance.read())].map(
          ([name, array]) => [outputKey('next', name), array] as const,
        );
        instance.dispose();
        const found = [...values, ...next].map(([name, array]) => [name, Float64Array.from(array)] as const);
        if (values.get('commit')?.[0] === 1) agreesInSingle(step, inputs, new Map(found));
      },
    );

    test.each([NaN, Infinity])('stays as it was where a step has %s in it', async (bad) => {
      const instance = await backend().open(programs, new Map([['s', Float32Array.of(1, 2, 3)]]));
      const outputs = await instance.run('accumulate', ofNumbers(1, bad, 1));
      expect([...(outputs.telemetry.get('commit') ?? [])]).toEqual([0]);
      expect([...((await instance.read()).get('s') ?? [])]).toEqual([1, 2, 3]);
      instance.dispose();
    });

    test('belongs to one instance, and what no program uses is given back', async () => {
      const open = (s: number) =>
        backend().open(
          programs,
          new Map([
            ['s', Float32Array.of(s, s, s)],
            ['other', Float32Array.of(7)],
          ]),
        );
      const [one, two] = [await open(1), await open(2)];
      await one.run('accumulate', ofNumbers(1, 1, 1));
      one.dispose();
      one.dispose();
      const read = await two.read();
      expect([...(read.get('s') ?? [])]).toEqual([2, 2, 2]);
      expect([...(read.get('other') ?? [])]).toEqual([7]);
      two.dispose();
    });
  });

  describe('failures', () => {
    const problemsOf = async (work: () => Promise<unknown>): Promise<string> =>
      left(await attempt(work))
        .map(showProblem)
        .join('\n');

    test('an array of the wrong size is one line, and the session goes on', async () => {
      const before = backend().liveCount();
      const instance = await backend().open(programs, new Map([['s', Float32Array.of(1, 2, 3)]]));
      const line = await problemsOf(() => instance.run('accumulate', ofNumbers(1)));
      expect(line).toMatch(/^native accumulate: found .+, expected .+$/);
      await instance.run('accumulate', ofNumbers(1, 1, 1));
      expect([...((await instance.read()).get('s') ?? [])]).toEqual([2, 3, 4]);
      instance.dispose();
      expect(backend().liveCount()).toBe(before);
    });

    test('a state of the wrong size is one line', async () => {
      const state = new Map([['s', Float32Array.of(1)]]);
      expect(await problemsOf(() => backend().open(programs, state))).toMatch(
        /^native init: found .+, expected .+$/,
      );
    });

    // TensorFlow waits ten seconds for memory before it says so.
    test.runIf(required)('too little memory is one line', async () => {
      const instance = await backend().open(new Map([[huge.name, huge]]), new Map());
      const million = new Float32Array(1_000_000);
      const line = await problemsOf(() =>
        instance.run(
          'huge',
          new Map([
            ['x', million],
            ['w', million],
          ]),
        ),
      );
      expect(line).toMatch(/^native huge: found .*(OOM|memory).*, expected enough memory/i);
      instance.dispose();
    });

    test.each([
      [
        'a full disk',
        () => {
          const folder = mkdtempSync(join(temporary, 'full-'));
          symlinkSync('/dev/full', join(folder, 'saved_model.pb'));
          return Promise.resolve(folder);
        },
        /no space left/,
      ],
      [
        'a temporary folder that is not there',
        () => Promise.reject(new Error('ENOENT: no such file')),
        /ENOENT/,
      ],
    ])('%s is one line and leaves nothing', async (_, makeFolder, expected) => {
      const graph = lowerGraph([twice], new Map([['s', [3]]]));
      expect(await problemsOf(() => withSavedModel(graph, () => 1, makeFolder))).toMatch(expected);
      expect(leftovers()).toEqual([]);
    });
  });

  describe('training', () => {
    const losses = async (
      experiment: Experiment,
      data: Split,
      on: Backend,
      seed = 0,
    ): Promise<readonly StepEvent[]> => {
      const run = right(await prepareRun(experiment, { data, backend: on, seed }));
      const steps: StepEvent[] = [];
      for await (const event of run.events) if (event.tag === 'step') steps.push(event);
      run.fitted.dispose();
      return steps;
    };

    test('from one seed runs as it does on wasm, for 50 steps of the digits', async () => {
      const data = right(await loadData(digits.data)());
      const experiment = { ...digits, steps: 50, validation: { every: 0 } };
      const [native, wasm] = [
        await losses(experiment, data, backend()),
        await losses(experiment, data, backends.wasm),
      ];
      expect(native).toHaveLength(50);
      native.forEach((event, i) => {
        const scale = 0.01 * Math.abs(elementAt(wasm, i).loss);
        for (const [name, term] of Object.entries(elementAt(wasm, i).terms)) {
          const tolerance = 1e-3 * Math.max(Math.abs(term), scale);
          expect(Math.abs(entryOf(event.terms, name) - term), `${name} of step ${i}`).toBeLessThan(tolerance);
        }
      });
    });

    /** Steps of the small network on fixed data, without the time that fresh data takes. */
    const train = async (
      compiled: Compiled,
      steps: number,
      each: (step: number) => void = () => {},
    ): Promise<TrainState> => {
      const session = await createSession(compiled, backend(), initialState(compiled, 3));
      const { batch, encoder } = compiled.experiment;
      const data = Float32Array.from({ length: batch * sizeOf(encoder.input) }, (_, i) => Math.sin(i * i));
      for (let i = 0; i < steps; i++) {
        await session.step(data);
        each(i);
      }
      const state = await session.state();
      session.dispose();
      return state;
    };
    const small = (): Compiled => right(compile({ ...mlp, batch: 4 }));

    test('from one seed gives the same weights, to the bit', async () => {
      expect(await train(small(), 200)).toEqual(await train(small(), 200));
    });

    test('for 20,000 steps needs no more memory and leaves no file', async () => {
      const before = backend().liveCount();
      const resident: number[] = [];
      await train(small(), 20_000, (i) => {
        expect(backend().liveCount()).toBe(before);
        if (i % 1000 === 999) resident.push(process.memoryUsage.rss() / 2 ** 20);
      });
      // The least of a stretch holds no garbage of other laws in this process, and a leak raises it all the same.
      const least = (part: readonly number[]): number => Math.min(...part);
      expect(least(resident.slice(10))).toBeLessThan(least(resident.slice(2, 10)) + 32);
      expect(leftovers()).toEqual([]);
    });
  });
});
