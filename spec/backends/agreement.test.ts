/** From one seed a run goes the same way on every backend that computes a step by code of its own, for 50 steps. */
import { expect, test } from 'vitest';
import { adam, dense, experiment, input, network, pipe, tanh } from '../../dsl/index.js';
import { elementAt, entryOf } from '../../dsl/lookup.js';
import { injFlowLn } from '../../objectives/index.js';
import type { Backend } from '../../backends/backend.js';
import { loadData } from '../../data/index.js';
import { prepareRun, type StepEvent } from '../../runs/index.js';
import { arrayBackend, backends } from '../shared/backends.js';
import { eachRunner } from '../shared/each-runner.js';
import { right } from '../shared/either.js';

const encoder = network('encoder', pipe(input(2), dense(33), tanh, dense(1)));
const decoder = network('decoder', pipe(input(1), dense(33), tanh, dense(2)));
const spec = experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 70,
  steps: 50,
  data: 'circle',
  validation: { every: 0 },
});

const stepsOn = async (backend: Backend): Promise<readonly StepEvent[]> => {
  const data = right(await loadData(spec.data)());
  const run = right(await prepareRun(spec, { data, backend, seed: 3 }));
  const steps: StepEvent[] = [];
  for await (const event of run.events) if (event.tag === 'step') steps.push(event);
  run.fitted.dispose();
  return steps;
};

eachRunner(['cc', 'webgpu'], (name) => {
  test('50 steps go as they do on wasm', { timeout: 120_000 }, async () => {
    if (name === 'native') throw new Error('native has this law on the digits');
    const [found, expected] = [await stepsOn(arrayBackend(name)), await stepsOn(backends.wasm)];
    expect(found).toHaveLength(50);
    found.forEach((event, i) => {
      const { loss, terms } = elementAt(expected, i);
      for (const [term, value] of Object.entries(terms)) {
        const tolerance = 1e-3 * Math.max(Math.abs(value), 0.01 * Math.abs(loss));
        expect(Math.abs(entryOf(event.terms, term) - value), `${term} of step ${i}`).toBeLessThan(tolerance);
      }
    });
  });
});
