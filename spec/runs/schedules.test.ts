/** Validations of a run whose weights grow are compared by weights that stay: a schedule is no divergence. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadData, type Split } from '../../data/index.js';
import {
  adam,
  add,
  apply,
  dataOf,
  dense,
  div,
  elu,
  type Experiment,
  experiment,
  flatten,
  input,
  network,
  objective,
  type Objective,
  pipe,
  reshape,
  running,
  scale,
  schedule,
  sqNorm,
  sub,
} from '../../dsl/index.js';
import { augmentedLagrangian, geco, reconstructionConstraint } from '../../objectives/index.js';
import {
  figureOf,
  resume,
  type TrainEvent,
  trainRun,
  type TrainOptions,
  type ValidationEvent,
} from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-schedules-'));
afterAll(() => rmSync(folder, { recursive: true }));

const backend = backends.wasm;
const digits: Split = right(await loadData('digits')());

const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(12), elu, dense(3)));
const decoder = network('decoder', pipe(input(3), dense(12), elu, dense(64), reshape(8, 8, 1)));
const h = apply(encoder, dataOf(encoder));
const error = sqNorm(sub(dataOf(encoder), apply(decoder, h)));
const growth = schedule.power({ exponent: 2, scale: 0.1 });

const spec = (terms: Objective, changes: Partial<Experiment> = {}): Experiment => ({
  ...experiment({
    encoder,
    decoder,
    objective: terms,
    optimizer: adam({ rate: 3e-3 }),
    batch: 16,
    steps: 60,
    data: 'digits',
    validation: { every: 10 },
  }),
  ...changes,
});

const stopping = { by: 'loss', better: 'less', patience: 1, least: 0 } as const;

const validationsOf = async (of: Experiment, options: Partial<TrainOptions> = {}) => {
  const events: ValidationEvent[] = [];
  const onEvent = (event: TrainEvent): void => {
    if (event.tag === 'validation') events.push(event);
  };
  const { model, summary } = right(
    await trainRun(of, { data: digits, backend, seed: 1, onEvent, policy: { stopping }, ...options }),
  );
  model.dispose();
  return { events, summary };
};

const constraint = reconstructionConstraint(encoder, decoder);
const fast = { rate: 0.05 };

/** Each of them learns, and each loss ends higher than it was at some validation before. */
const growing: Readonly<Record<string, Objective>> = {
  'a factor': objective({ reconstruction: scale(growth, error), prior: scale(0.1, sqNorm(h)) }),
  'a divisor': objective({ reconstruction: div(error, schedule.exponential(1, 15)) }),
  'a factor within a sum': objective({ all: add(scale(growth, error), scale(0.1, sqNorm(h))) }),
  'from 0 on': objective({ reconstruction: scale(schedule.linear(0, 2, 60), error) }),
  'an augmented Lagrangian': objective({
    reconstruction: scale(augmentedLagrangian(constraint, fast), error),
  }),
  geco: objective({ reconstruction: scale(geco(constraint, fast), error) }),
  'a running value that begins at 0': objective({
    reconstruction: scale(
      running('count', 0, (count) => add(count, 1)),
      error,
    ),
  }),
};

describe('early stopping and the best weights by the loss', () => {
  test.each(Object.entries(growing))(
    'do not take a weight that grows for divergence: %s',
    async (_, terms) => {
      const { events, summary } = await validationsOf(spec(terms));
      const losses = events.map(({ loss }) => loss);
      expect(losses.at(-1)).toBeGreaterThan(Math.min(...losses.slice(0, -1)));
      expect(summary).toMatchObject({ end: 'steps', steps: 60, best: { step: 60 } });
    },
  );

  test('go by the loss with the weights of the last step', async () => {
    const { events } = await validationsOf(spec(growing['a factor'] ?? {}));
    const last = events.at(-1);
    expect(last?.settled?.['loss']).toBeCloseTo(last?.loss ?? NaN, 3);
    for (const { step: at, terms, settled } of events) {
      const unweighted = (terms['reconstruction'] ?? NaN) / (1 + 0.1 * at ** 2);
      expect(settled?.['reconstruction']).toBeCloseTo(unweighted, 4);
      const whole = (1 + 0.1 * 60 ** 2) * unweighted + (terms['prior'] ?? NaN);
      expect((settled?.['loss'] ?? NaN) / whole).toBeCloseTo(1, 5);
    }
  });

  test('a term by its name is compared without its weight, also where that ends at 0', async () => {
    const terms = objective({
      reconstruction: scale(schedule.linear(1, 0, 60), error),
      other: error,
    });
    const { events, summary } = await validationsOf(spec(terms), {
      policy: { stopping: { ...stopping, by: 'reconstruction' } },
    });
    expect(summary.end).toBe('steps');
    const last = events.at(-1);
    expect(last?.terms['reconstruction']).toBe(0);
    expect(last === undefined ? NaN : figureOf(last, 'reconstruction')).toBeCloseTo(
      last?.terms['other'] ?? NaN,
      4,
    );
  });

  test('without a schedule there is nothing beside the terms', async () => {
    const { events } = await validationsOf(spec(objective({ reconstruction: error })));
    expect(events.every((event) => event.settled === undefined)).toBe(true);
  });
});

test('a run that is made longer goes on to be compared by the weights that it began with', async () => {
  const out = join(folder, 'longer');
  const { events: before } = await validationsOf(spec(growing['a factor'] ?? {}), {
    keep: { name: 'longer', out },
  });
  const after: ValidationEvent[] = [];
  const { model, summary } = right(
    await resume(out, {
      data: digits,
      backend,
      steps: 30,
      onEvent: (event) => void (event.tag === 'validation' && after.push(event)),
    }),
  );
  model.dispose();
  const losses = [...before, ...after].map((event) => figureOf(event, 'loss'));
  expect(losses).toHaveLength(10);
  expect(summary.best?.value).toBe(Math.min(...losses));
  for (const { terms, step: at, settled } of after) {
    const rest = terms['prior'] ?? NaN;
    const whole = ((1 + 360) * (terms['reconstruction'] ?? NaN)) / (1 + 0.1 * at ** 2) + rest;
    expect((settled?.['loss'] ?? NaN) / whole).toBeCloseTo(1, 5);
  }
});

test('a run that goes on with another objective begins to look for its best anew', async () => {
  const out = join(folder, 'changed');
  const terms = objective({ reconstruction: scale(growth, error), size: scale(0.1, sqNorm(h)) });
  await validationsOf(spec(terms), { keep: { name: 'changed', out } });
  const { model, summary } = right(
    await resume(out, {
      data: digits,
      backend,
      steps: 10,
      change: { 'objective.size.by.value': 1000 },
    }),
  );
  model.dispose();
  // Every loss before was less.
  expect(summary.best?.step).toBe(70);
});
