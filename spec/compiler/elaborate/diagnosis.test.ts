/** What a run says of its own estimates: residuals and rounds of conjugate gradients, and the angle of a surrogate's gradient. */
import { atLeast, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as example } from 'vitest';
import { compile } from '../../../compiler/index.js';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import { elaborateDiagnosis } from '../../../compiler/elaborate/estimates.js';
import { elaborateStep } from '../../../compiler/elaborate/program.js';
import { atBatch, type Program } from '../../../compiler/ir/program.js';
import { generateSplit, linear } from '../../../data/index.js';
import * as d from '../../../dsl/index.js';
import { rectangular, type RectangularOptions } from '../../../objectives/index.js';
import { prepareRun, type TrainEvent, type ValidationEvent } from '../../../runs/index.js';
import { backends, runBy, type RunnerName } from '../../shared/backends.js';
import { right } from '../../shared/either.js';
import { arrayOf, calculate } from '../../shared/expressions.js';
import { feed } from '../../shared/feeding.js';
import { dot } from '../../shared/moments.js';
import { type Arrays, gradientName, interpret } from '../../shared/outputs.js';
import { eachRunner } from '../../shared/each-runner.js';

const batch = 3;
const seed = fc.nat(1e6);
const sizes = fc.record({ n: fc.integer({ min: 1, max: 4 }), extra: fc.nat(3) });

const netsOf = (n: number, D: number) => {
  const encoder: d.Network = d.network('encoder', d.pipe(d.input(D), d.dense(n)));
  const decoder: d.Network = d.network('decoder', d.pipe(d.input(n), d.dense(D + 2), d.tanh, d.dense(D)));
  return { encoder, decoder, code: d.apply(encoder, d.dataOf(encoder)) };
};

const experimentOf = (n: number, D: number, options: d.VolumeOptions): d.Experiment => {
  const { encoder, decoder, code } = netsOf(n, D);
  return {
    encoder,
    decoder,
    objective: { volume: d.scale(0.5, d.volume(decoder, code, options)) },
    optimizer: d.adam({ rate: 1e-3 }),
    batch,
    steps: 1,
    data: 'none',
    validation: { every: 0 },
  };
};

const diagnosed = (experiment: d.Experiment) => {
  const elaborated = elaborateDiagnosis(experiment);
  if (elaborated === undefined) throw new Error('nothing to diagnose');
  const { context } = elaborated;
  const program = atBatch(elaborated.program, batch);
  expect(context.problems).toEqual([]);
  return { program, inputs: (s: number) => feed(program, [...context.draws.values()], s) };
};

const gradient = (program: Program, inputs: Arrays): Float64Array => {
  const whole = differentiate(program);
  const results = interpret(whole, inputs);
  const names = whole.binders.flatMap(({ kind, name }) => (kind === 'parameter' ? [name] : []));
  return Float64Array.from(names.flatMap((name) => [...arrayOf(results, gradientName(name))]));
};

const one = (results: Arrays, name: string): number => arrayOf(results, name)[0] ?? Number.NaN;

describe('the diagnosis of a surrogate', () => {
  test.prop([sizes, seed, fc.boolean()])(
    'over the probes √d·e_k has no angle and leaves no residual',
    ({ n, extra }, s, conjugate) => {
      const bound = conjugate ? { iterations: n } : {};
      const options = { method: 'stochastic', probes: n, ...bound } as const;
      const { program, inputs } = diagnosed(experimentOf(n, n + extra, options));
      const frame = Float64Array.from({ length: batch * n * n }, (_, i) =>
        Math.floor(i / n) % n === i % n ? Math.sqrt(n) : 0,
      );
      const given = new Map([...inputs(s), ['epsilon', frame]]);
      const results = interpret(program, given);
      fc.pre(one(results, 'volume/residual') < 1e-10);
      // A pair that is bounded is smaller (surrogate-variance.test.ts).
      const step = interpret(elaborateStep(experimentOf(n, n + extra, options)).program, given);
      fc.pre((step.get('volume/bounded')?.[0] ?? 0) === 0);
      expect(Math.abs(one(results, 'volume/cosine') - 1)).toBeLessThan(1e-9);
    },
  );

  test.prop([sizes, seed])('has the cosine of its gradient and the exact one', ({ n, extra }, s) => {
    const D = n + extra;
    const { program, inputs } = diagnosed(experimentOf(n, D, { method: 'stochastic' }));
    const given = inputs(s);
    const [a, b] = atLeast(
      2,
      (['stochastic', 'exact'] as const).map((method) =>
        gradient(elaborateStep(experimentOf(n, D, { method })).program, given),
      ),
    );
    const expected = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    const results = interpret(program, given);
    // Where JᵀJ is all but singular, or has needed jitter, rounding is all that the two have in common.
    fc.pre(one(results, 'volume/residual') < 1e-10);
    expect(Math.abs(one(results, 'volume/cosine') - expected)).toBeLessThan(1e-9);
  });

  test.prop([sizes, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2 }), seed])(
    'has the residual of the bounded solution, and its rounds',
    ({ n, extra }, iterations, probes, s) => {
      const D = n + extra;
      const bound = Math.min(iterations, n);
      const options = { method: 'stochastic', iterations: bound, probes } as const;
      const { program, inputs } = diagnosed(experimentOf(n, D, options));
      const given = inputs(s);
      const { decoder, code } = netsOf(n, D);
      const u = d.solveGram(decoder, code, d.draw('epsilon', d.sphere(n), { probes }), { iterations: bound });
      const JTJu = calculate(
        { JTJu: d.vjp(decoder, code, d.jvp(decoder, code, u)) },
        { batch, given },
      )('JTJu');
      const epsilon = arrayOf(given, 'epsilon');
      const relative = Array.from({ length: batch * probes }, (_, i) => {
        const [b, Au] = atLeast(
          2,
          [epsilon, JTJu].map((all) => all.subarray(i * n, (i + 1) * n)),
        );
        const rest = b.map((x, k) => x - float64At(Au, k));
        return Math.sqrt(dot(rest, rest) / dot(b, b));
      });
      const results = interpret(program, given);
      const expected = relative.reduce((sum, r) => sum + r, 0) / relative.length;
      expect(Math.abs(one(results, 'volume/residual') - expected)).toBeLessThan(1e-9);
      expect(one(results, 'volume/rounds')).toBeGreaterThan(0);
      expect(one(results, 'volume/rounds')).toBeLessThanOrEqual(bound);
    },
  );

  const runners: readonly RunnerName[] = ['wasm', 'kernels', 'native', 'cc', 'webgpu'];
  eachRunner(runners, (name) => {
    example(`on ${name} is that of the interpreter`, async () => {
      const { program, inputs } = diagnosed(
        experimentOf(4, 6, { method: 'stochastic', iterations: 2, probes: 2 }),
      );
      const given = inputs(5);
      const [found, expected] = [await runBy(name, program, given), interpret(program, given)];
      expect(one(found, 'volume/rounds')).toBe(2);
      for (const figure of ['residual', 'cosine'])
        expect(one(found, `volume/${figure}`)).toBeCloseTo(one(expected, `volume/${figure}`), 4);
    });
  });
});

const compiledWith = (n: number, method: d.VolumeMethod) =>
  right(compile({ ...experimentOf(n, n + 2, { method }), batch: 64 })).diagnose;

example('there is one only where a step estimates something, of few examples', () => {
  expect(compiledWith(7, 'exact')).toBeUndefined();
  expect(compiledWith(6, 'auto')).toBeUndefined();
  expect(compiledWith(7, 'auto')?.batch).toBe(16);
});

example('systems are named after their terms', () => {
  const { decoder, code } = netsOf(2, 3);
  const u = (name: string) =>
    d.sqNorm(d.solveGram(decoder, code, d.draw(name, d.normal(2)), { iterations: 1 }));
  const base = experimentOf(2, 3, { method: 'stochastic' });
  const { program } = diagnosed({ ...base, objective: { ...base.objective, u: d.add(u('a'), u('b')) } });
  expect(program.outputs.map(({ name }) => name)).toEqual([
    'volume/residual',
    'volume/cosine',
    'u 1/residual',
    'u 1/rounds',
    'u 2/residual',
    'u 2/rounds',
  ]);
});

const eventsOf = async (options: RectangularOptions & d.VolumeOptions): Promise<readonly TrainEvent[]> => {
  const encoder = d.network('encoder', d.pipe(d.input(7), d.dense(5)));
  const decoder = d.network('decoder', d.pipe(d.input(5), d.dense(8), d.tanh, d.dense(7)));
  const spec = d.experiment({
    encoder,
    decoder,
    objective: rectangular(encoder, decoder, options),
    optimizer: d.adam({ rate: 1e-3 }),
    batch: 32,
    steps: 4,
    data: 'linear',
    validation: { every: 2 },
  });
  const data = generateSplit(right(linear.make({ dimension: 5, codimension: 2 })), {
    count: 64,
    test: 5,
    validation: 0,
    seed: 0,
  });
  const run = right(await prepareRun(spec, { data, backend: backends.wasm, seed: 3 }));
  const events: TrainEvent[] = [];
  for await (const event of run.events) events.push(event);
  run.fitted.dispose();
  return events;
};

example('a step says where a volume is a surrogate; a validation has the exact one', async () => {
  for (const method of ['stochastic', 'exact'] as const)
    for (const event of await eventsOf({ method })) {
      if (event.tag === 'notice') continue;
      const isSurrogate = event.tag === 'step' && method === 'stochastic';
      expect(Object.keys(event.terms)).toEqual([
        'prior',
        'reconstruction',
        ...(isSurrogate ? [] : ['volume']),
      ]);
      if (event.tag === 'step')
        expect(Object.keys(event.surrogates ?? {})).toEqual(isSurrogate ? ['volume'] : []);
    }
});

example('every validation has it, and one seed gives the same', async () => {
  const validations = async (): Promise<readonly ValidationEvent[]> =>
    (await eventsOf({ method: 'stochastic', iterations: 3 })).flatMap((event) =>
      event.tag === 'validation' ? [event] : [],
    );
  const [once, again] = [await validations(), await validations()];
  expect(once).toHaveLength(3);
  for (const { diagnosis } of once) {
    expect(Object.keys(diagnosis ?? {})).toEqual(['volume/residual', 'volume/rounds', 'volume/cosine']);
    expect(diagnosis?.['volume/rounds']).toBe(3);
    expect(diagnosis?.['volume/residual']).toBeGreaterThan(0);
    expect(diagnosis?.['volume/cosine']).toBeGreaterThan(0);
    expect(diagnosis?.['volume/cosine']).toBeLessThanOrEqual(1.00001);
  }
  expect(again.map(({ diagnosis }) => diagnosis)).toEqual(once.map(({ diagnosis }) => diagnosis));
  expect(once[1]?.diagnosis).not.toEqual(once[0]?.diagnosis);
});
