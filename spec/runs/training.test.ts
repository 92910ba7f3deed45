/** Training on the real backend: no leaks, one seed one result, and evaluation that no batch size changes. */
import { elementAt, entryOf, float32At } from '../../dsl/lookup.js';
import { describe, expect, test } from 'vitest';
import { type Dataset, loadData, type Split } from '../../data/index.js';
import {
  adam,
  apply,
  averagePool,
  batchNorm,
  conv,
  convTranspose,
  dataOf,
  dense,
  dropout,
  elu,
  type Experiment,
  experiment,
  type Expr,
  flatten,
  input,
  leakyRelu,
  network,
  objective,
  pipe,
  reshape,
  residual,
  sigmoid,
  sqNorm,
  sub,
  tanh,
  upsample,
} from '../../dsl/index.js';
import { ae, injFlow } from '../../objectives/index.js';
import { initialState } from '../../runs/model/state.js';
import { createSession, fit, prepareRun, type Run, type TrainEvent } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { right } from '../shared/either.js';

const backend = backends.wasm;
const digits: Split = right(await loadData('digits')());

const small = (changes: Partial<Experiment> = {}): Experiment => {
  const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(16), elu, dense(4)));
  const decoder = network('decoder', pipe(input(4), dense(16), elu, dense(64), sigmoid, reshape(8, 8, 1)));
  return {
    ...experiment({
      encoder,
      decoder,
      objective: injFlow(encoder, decoder),
      optimizer: adam({ rate: 3e-3 }),
      batch: 16,
      steps: 20,
      data: 'digits',
      validation: { every: 0 },
    }),
    ...changes,
  };
};

/** Every kind of layer that a network with one output may have. */
const everyLayer = (): Experiment => {
  const encoder = network(
    'encoder',
    pipe(
      input(8, 8, 1),
      conv(3, { kernel: 3, stride: 2 }),
      batchNorm(),
      residual((stack) => pipe(stack, conv(3, { kernel: 3 }), tanh)),
      averagePool(2),
      flatten,
      dropout(0.2),
      dense(3),
    ),
  );
  const decoder = network(
    'decoder',
    pipe(
      input(3),
      dense(12),
      leakyRelu(0.2),
      reshape(2, 2, 3),
      upsample(2),
      batchNorm(),
      convTranspose(1, { kernel: 4, stride: 2 }),
      sigmoid,
    ),
  );
  return small({ encoder, decoder, objective: injFlow(encoder, decoder), batch: 8, steps: 50 });
};

const prepare = async (spec: Experiment, seed = 0): Promise<Run> =>
  right(await prepareRun(spec, { data: digits, backend, seed }));

const eventsOf = async (run: Run): Promise<readonly TrainEvent[]> => {
  const events: TrainEvent[] = [];
  for await (const event of run.events) events.push(event);
  return events;
};

const weightsAfter = async (spec: Experiment, seed: number): Promise<ReadonlyMap<string, Float32Array>> => {
  const fitted = right(await fit(spec, { data: digits, backend, seed }));
  const { arrays } = await fitted.state();
  fitted.dispose();
  return new Map([...arrays].map(([name, { data }]) => [name, data]));
};

describe('arrays on the backend', () => {
  test.each([
    ['1,000 steps of a dense network', small({ steps: 1000 })],
    ['50 steps of every kind of layer', everyLayer()],
  ])('after %s there are as many as after one', async (_, spec) => {
    const before = backend.liveCount();
    const run = await prepare(spec);
    const counts = new Set<number>();
    for await (const event of run.events) {
      expect(event.tag === 'step' && event.committed).toBe(true);
      counts.add(backend.liveCount());
    }
    expect(counts.size).toBe(1);
    run.fitted.dispose();
    expect(backend.liveCount()).toBe(before);
  });
});

describe('seeds', () => {
  test('one seed gives the same weights, to the bit', async () => {
    expect(await weightsAfter(small(), 7)).toEqual(await weightsAfter(small(), 7));
  });

  test('another seed gives other weights', async () => {
    const [a, b] = [await weightsAfter(small(), 7), await weightsAfter(small(), 8)];
    const kernels = [...a.keys()].filter((name) => name.endsWith('kernel'));
    expect(kernels.length).toBeGreaterThan(0);
    for (const name of kernels) expect(a.get(name)).not.toEqual(b.get(name));
  });
});

test('the loss on held-out digits falls', async () => {
  const run = await prepare(small({ steps: 150, validation: { every: 75 } }));
  const losses = (await eventsOf(run)).flatMap((event) => (event.tag === 'validation' ? [event.loss] : []));
  run.fitted.dispose();
  expect(losses).toHaveLength(3);
  expect(losses[2]).toBeLessThan(0.65 * elementAt(losses, 0));
});

describe('evaluation', () => {
  const deterministic = (batch: number): Experiment => {
    const spec = small({ batch });
    return { ...spec, objective: ae(spec.encoder, spec.decoder) };
  };

  test.each([1, 7, 64, 299, 300])(
    'the mean over 299 examples in batches of %i is the mean of each alone',
    async (batch) => {
      expect(digits.test.size).toBe(299);
      const { fitted } = await prepare(deterministic(batch));
      const { examples, size } = digits.test;
      const reconstructions = await fitted.reconstruct(examples);
      const sum = examples.reduce((total, x, i) => total + (x - float32At(reconstructions, i)) ** 2, 0);
      const { terms } = await fitted.evaluate(digits.test);
      fitted.dispose();
      expect(Math.abs(entryOf(terms, 'reconstruction') - sum / size)).toBeLessThan(1e-5 * (sum / size));
    },
  );

  test('reconstruct is decode after encode', async () => {
    const { fitted } = await prepare(everyLayer());
    const examples = digits.test.examples.subarray(0, 64 * 21);
    expect(await fitted.reconstruct(examples)).toEqual(await fitted.decode(await fitted.encode(examples)));
    fitted.dispose();
  });

  test('an example’s value does not depend on the others: validation uses running statistics', async () => {
    const spec = everyLayer();
    const { encoder, decoder } = spec;
    const x = dataOf(encoder);
    const alone = small({
      ...spec,
      objective: objective({
        reconstruction: sqNorm(sub(x, apply<Expr, Expr>(decoder, apply<Expr, Expr>(encoder, x)))),
      }),
      steps: 10,
    });
    const run = await prepare(alone);
    await eventsOf(run);
    const part = (rows: readonly number[]): Dataset => ({
      ...digits.test,
      size: rows.length,
      examples: Float32Array.from(
        rows.flatMap((row) => [...digits.test.examples.subarray(64 * row, 64 * (row + 1))]),
      ),
    });
    const lossOf = async (rows: readonly number[]): Promise<number> =>
      (await run.fitted.evaluate(part(rows))).loss;
    const [a, b, both] = [await lossOf([3]), await lossOf([90]), await lossOf([3, 90])];
    expect(Math.abs(both - (a + b) / 2)).toBeLessThan(1e-5 * both);

    // The same state with other running statistics gives other values.
    const state = await run.fitted.state();
    const shifted = new Map(
      [...state.arrays].map(([name, array]) => [
        name,
        run.compiled.states.some((one) => one.name === name) && /mean$/i.test(name)
          ? { ...array, data: array.data.map((value) => value + 1) }
          : array,
      ]),
    );
    const session = await createSession(run.compiled, backend, { ...state, arrays: shifted });
    expect((await session.evaluate(part([3]))).loss).not.toBeCloseTo(a, 3);
    session.dispose();
    run.fitted.dispose();
  });
});

test('the initial state is a function of the seed and of names alone', async () => {
  const run = await prepare(small(), 5);
  const { arrays } = await run.fitted.state();
  run.fitted.dispose();
  expect(arrays).toEqual(initialState(run.compiled, 5).arrays);
});
