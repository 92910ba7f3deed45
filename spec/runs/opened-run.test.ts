/** A run outlives its process: what was trained is opened, used in the data's own units and gone on with, where its data is gone. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invertRows, type Row } from '../../data/index.js';
import {
  adam,
  apply,
  dataOf,
  dense,
  elu,
  experiment,
  input,
  network,
  pipe,
  sqNorm,
  sub,
} from '../../dsl/index.js';
import { fitGaussian, fitMixture, standardGaussian } from '../../evaluation/index.js';
import { ae } from '../../objectives/index.js';
import { type Fitted, fit, openRun, type OpenedRun, resume } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { left, right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-opened-'));
const out = join(folder, 'run');
const cwd = process.cwd();

const columns = ['height', 'weight', 'leaves'] as const;

/** A plane in three columns of very different units, with a little beside it. */
const table = Array.from({ length: 400 }, (_, i) => {
  const [u, v] = [Math.sin(i * 12.9898) * 2, Math.cos(i * 78.233) * 2];
  return [150 + 20 * u + 0.1 * Math.sin(i), 0.02 + 0.004 * v, 1000 + 300 * (u - v)];
});
const csv = `${columns.join(',')}\n${table.map((row) => row.join(',')).join('\n')}\n`;

const encoder = network('encoder', pipe(input(3), dense(16), elu, dense(2)));
const decoder = network('decoder', pipe(input(2), dense(16), elu, dense(3)));
const spec = experiment({
  encoder,
  decoder,
  objective: ae(encoder, decoder),
  optimizer: adam({ rate: 1e-2 }),
  batch: 32,
  steps: 200,
  data: 'plants.csv?standardize',
  validation: { every: 50 },
});

let fitted: Fitted;
let run: OpenedRun;
const backend = backends.wasm;
beforeAll(async () => {
  process.chdir(folder);
  writeFileSync('plants.csv', csv);
  fitted = right(await fit(spec, { out, backend, seed: 2 }));
  // From here on the data is somewhere else.
  mkdirSync('moved');
  renameSync('plants.csv', 'moved/plants.csv');
  run = right(await openRun(out, { backend }));
}, 60_000);
afterAll(() => {
  [fitted, run].forEach((model) => model.dispose());
  process.chdir(cwd);
  rmSync(folder, { recursive: true });
});

const named: readonly Row[] = table.slice(0, 7).map(([height = 0, weight = 0, leaves = 0]) => ({
  leaves,
  height,
  weight,
  colour: 'green',
}));
const listed: readonly Row[] = table.slice(0, 7);

describe('rows in the data’s own units', () => {
  test('by name, in any order and with others beside them, have the codes of rows in the order of columns', async () => {
    const codes = await run.encode(named);
    expect(codes).toEqual(await run.encode(listed));
    expect(codes).toEqual(await fitted.encode(listed));
    expect(codes).toEqual(await run.encode(Float64Array.from(table.slice(0, 7).flat()), { units: 'data' }));
  });

  test('come back as they are, and so do samples', async () => {
    const back = await run.reconstruct(named);
    const names = right(await openRun(out, { backend }));
    expect(back).toEqual(await names.reconstruct(listed));
    names.dispose();
    table.slice(0, 7).forEach((row, at) =>
      row.forEach((value, i) => {
        const spread = [28, 0.006, 600][i] ?? 0;
        expect(Math.abs((back[at * 3 + i] ?? 0) - value)).toBeLessThan(0.3 * spread);
      }),
    );
    const prior = right(fitGaussian(run.kept?.codes.data ?? new Float32Array(), 2));
    const samples = await run.sample(200, { prior: prior.sample, units: 'data' });
    expect(samples).toHaveLength(600);
    const mean = [0, 1, 2].map(
      (i) => samples.filter((_, at) => at % 3 === i).reduce((a, b) => a + b, 0) / 200,
    );
    expect(mean[0]).toBeGreaterThan(130);
    expect(mean[0]).toBeLessThan(170);
    expect(mean[1]).toBeCloseTo(0.02, 2);
    expect(mean[2]).toBeGreaterThan(800);
    const inModel = await run.sample(200, { prior: prior.sample });
    const [first = {}] = run.preprocessing === undefined ? [] : invertRows(run.preprocessing, inModel);
    expect(first).toEqual({ height: samples[0], weight: samples[1], leaves: samples[2] });
  });

  test('a column that is missing is a problem with its name', async () => {
    await expect(run.encode([{ height: 1, weight: 2, leavs: 3 }])).rejects.toMatchObject({
      problem: { path: 'rows[0]["leaves"]', hint: 'did you mean "leavs"?' },
    });
  });
});

describe('a density', () => {
  /** ½ ln det (SJ)ᵀ(SJ) of a decoder from two numbers to three, J by central differences in double precision. */
  const logVolume = async (code: readonly number[], units: 'data' | 'model'): Promise<number> => {
    const step = 2 ** -6;
    const at = async (i: number, by: number): Promise<readonly number[]> => {
      const moved = Float32Array.from(code, (value, j) => value + (i === j ? by : 0));
      return [...(units === 'data' ? await run.decode(moved, { units }) : await run.decode(moved))];
    };
    const columnsOf = await Promise.all(
      [0, 1].map(async (i) => {
        const [high, low] = [await at(i, step), await at(i, -step)];
        return high.map((value, j) => (value - (low[j] ?? 0)) / (2 * step));
      }),
    );
    const dot = (a: readonly number[] = [], b: readonly number[] = []): number =>
      a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
    const [u, v] = columnsOf;
    return Math.log(dot(u, u) * dot(v, v) - dot(u, v) ** 2) / 2;
  };

  test.each(['N(0, I)', 'gaussian', 'mixture'] as const)(
    'with %s counts the scaling exactly on the manifold',
    async (name) => {
      const codes = run.kept?.codes.data ?? new Float32Array();
      const prior =
        name === 'N(0, I)'
          ? standardGaussian(2)
          : name === 'gaussian'
            ? right(fitGaussian(codes, 2))
            : right(fitMixture(codes, 2, { components: 3 }));
      const own = name === 'N(0, I)' ? {} : { prior };
      const inData = await run.logProb(listed, own);
      const inModel = await run.logProb(listed, { ...own, units: 'model' });
      const z = await run.encode(listed);
      const density = prior.logDensity(z);
      for (let row = 0; row < 7; row++) {
        const code = [...z.subarray(2 * row, 2 * row + 2)];
        for (const [units, found] of [
          ['data', inData],
          ['model', inModel],
        ] as const)
          expect(found.logDensity[row]).toBeCloseTo(
            (density[row] ?? NaN) - (await logVolume(code, units)),
            1,
          );
      }
      // Σ ln σ would be another number: the manifold has two dimensions of three.
      const sigmas = run.preprocessing?.scaling?.deviation ?? [];
      const sum = sigmas.reduce((total, sigma) => total + Math.log(sigma), 0);
      expect(Math.abs((inModel.logDensity[0] ?? 0) - (inData.logDensity[0] ?? 0) - sum)).toBeGreaterThan(0.5);
    },
  );
});

test('any expression is evaluated, under any name', async () => {
  const x = dataOf(encoder);
  const { loss, code } = await run.values(
    { loss: sqNorm(sub(x, apply(decoder, apply(encoder, x)))), code: apply(encoder, x) },
    named,
  );
  expect(code.values).toEqual(await run.encode(named));
  const { distance } = await run.logProb(named, { units: 'model' });
  loss.values.forEach((value, row) => expect(Math.sqrt(value)).toBeCloseTo(distance[row] ?? NaN, 4));
});

test('what is opened is what was trained, to the bit, on any backend to rounding', async () => {
  expect((await run.state()).arrays).toEqual((await fitted.state()).arrays);
  const elsewhere = right(await openRun(out, { backend: backends.cpu }));
  const [one, other] = [await run.encode(named), await elsewhere.encode(named)];
  one.forEach((value, i) => expect(other[i]).toBeCloseTo(value, 4));
  elsewhere.dispose();
});

describe('going on', () => {
  test('needs the data, and says where it can be given', async () => {
    const [problem] = left(await resume(out, { steps: 10, backend }));
    expect(problem?.hint).toContain('--data');
    const [other] = left(await resume(out, { steps: 10, backend, data: 'circle?count=400' }));
    expect(other).toMatchObject({ path: 'data' });
    writeFileSync('other.csv', csv.replace('150', '151'));
    const [changed] = left(await resume(out, { steps: 10, backend, data: 'other.csv?standardize' }));
    expect(changed).toMatchObject({
      path: 'data',
      hint: 'to go on with other data, ask for it: --other-data',
    });
  });

  test('with another rate takes so many steps more, in the same folder', async () => {
    const more = right(
      await resume(out, {
        steps: 100,
        change: { 'optimizer.rate': 1e-4 },
        data: 'moved/plants.csv?standardize',
        backend,
      }),
    );
    expect(more.summary).toMatchObject({ end: 'steps', steps: 300, step: 300 });
    const events = await run.events();
    const rates = events.flatMap((event) => (event.tag === 'step' ? [event.rate] : []));
    expect(rates).toHaveLength(300);
    expect([rates[199], rates[200]]).toEqual([Math.fround(1e-2), Math.fround(1e-4)]);
    expect(events.filter(({ tag }) => tag === 'test')).toHaveLength(1);
    const reopened = right(await openRun(out, { backend }));
    expect(reopened.step).toBe(300);
    expect((await reopened.state()).arrays).toEqual((await more.model.state()).arrays);
    expect(JSON.parse(readFileSync(join(out, 'spec.json'), 'utf8'))).toMatchObject({ steps: 300 });
    [reopened, more.model].forEach((model) => model.dispose());
  });
});

test('a folder that is no run, and a run without weights, are problems', async () => {
  expect(left(await openRun(folder))).toMatchObject([{ found: 'no spec.json in it' }]);
  mkdirSync(join(folder, 'begun'));
  writeFileSync(join(folder, 'begun/spec.json'), readFileSync(join(out, 'spec.json')));
  expect(left(await openRun(join(folder, 'begun'))).map(({ found }) => found)).toEqual([
    'no checkpoint and no weights',
  ]);
});
