/** What a trial scores: as many samples as examples, drawn anew for what chooses and for what reports, and for every seed; what cannot be measured costs nothing else. */
import { fc, test } from '@fast-check/vitest';
import { afterAll, beforeAll, expect, test as example } from 'vitest';
import { loadData } from '../../data/index.js';
import { adam, dense, experiment, flatten, input, network, pipe, problem, reshape } from '../../dsl/index.js';
import { measure, plainEvaluation } from '../../evaluation/index.js';
import { ae } from '../../objectives/index.js';
import { BackendFailure } from '../../backends/failure.js';
import { type Fitted, holdOut, type Parts, prepareRun, type SampleOptions } from '../../runs/index.js';
import { scoredInMemory } from '../../runs/run/hold-out.js';
import { backends } from '../shared/backends.js';
import { right } from '../shared/either.js';

const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(2)));
const decoder = network('decoder', pipe(input(2), dense(64), reshape(8, 8, 1)));
const spec = experiment({
  encoder,
  decoder,
  objective: ae(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 8,
  steps: 1,
  data: 'digits',
});

/** Held out: fewer than the 299 test digits, so that the two are told apart. */
const HELD = 90;

let data: Parts;
let fitted: Fitted;
beforeAll(async () => {
  data = right(await scoredInMemory(right(holdOut(right(await loadData('digits')()), HELD))));
  fitted = right(await prepareRun(spec, { data, backend: backends.wasm, seed: 0 })).fitted;
});
afterAll(() => fitted.dispose());

test.prop([fc.integer({ min: 1, max: 3 })], { numRuns: 3 })(
  'no sample is scored twice, be it on other examples or of another training',
  async (draws) => {
    const evaluation = { ...plainEvaluation, metrics: ['frechet'], features: ['pixels'], draws };
    const drawn: { readonly count: number; readonly first: string }[] = [];
    async function sample(count: number, options?: SampleOptions): Promise<Float32Array>;
    async function sample(
      count: number,
      options: SampleOptions & { readonly units: 'data' },
    ): Promise<Float64Array>;
    async function sample(
      count: number,
      { seed = 0, prior = () => new Float32Array() }: SampleOptions = {},
    ): Promise<Float32Array | Float64Array> {
      const samples = await fitted.sample(count, { seed, prior });
      drawn.push({ count, first: samples.subarray(0, 64).join() });
      return samples;
    }
    const watched: Fitted = { ...fitted, sample };
    for (const seed of [0, 1, 2, 3])
      right(await measure({ ...evaluation, priors: ['gaussian'] }, { fitted: watched, data, seed }));
    expect(drawn.map(({ count }) => count).sort((a, b) => a - b)).toEqual(
      [HELD, data.test.size].flatMap((count) => Array<number>(4 * draws).fill(count)),
    );
    expect(new Set(drawn.map(({ first }) => first)).size).toBe(drawn.length);
  },
);

example('a density that is no number is missing, and everything else is measured', async () => {
  const none = problem('logDensity', 'not a number for 1 of 90 examples', 'a density of every example');
  const compiled = { ...fitted.compiled, density: fitted.compiled.encode };
  const without: Fitted = {
    ...fitted,
    compiled,
    logProb: () => Promise.reject<never>(new BackendFailure(none)),
  };
  const evaluation = { ...plainEvaluation, metrics: ['frechet'], features: ['pixels'] };
  const { figures, missing } = right(await measure(evaluation, { fitted: without, data, seed: 0 }));
  expect(missing).toEqual(['validation', 'test'].map((place) => ({ ...none, path: `${place}.logDensity` })));
  const { figures: usual } = right(await measure(evaluation, { fitted, data, seed: 0 }));
  expect(figures).toEqual(usual);
});
