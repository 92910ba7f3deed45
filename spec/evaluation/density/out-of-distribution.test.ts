/** Telling other data from a model's own: by what it scores, in the units of its data, from the command line and in trials. */
import { atLeast, entryOf } from '../../../dsl/lookup.js';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openData, type Source, type Split } from '../../../data/index.js';
import * as d from '../../../dsl/index.js';
import {
  detections,
  type Detections,
  measure,
  openOutside,
  plainEvaluation,
} from '../../../evaluation/index.js';
import { logNormal, rectangularExact } from '../../../objectives/index.js';
import { fit, type Fitted, holdOut } from '../../../runs/index.js';
import { scoredInMemory } from '../../../runs/run/hold-out.js';
import { backends } from '../../shared/backends.js';
import { json, run } from '../../shared/command.js';
import { left, right } from '../../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-outside-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A table of points y = slope·x, x on a grid, in units of their own. */
const table = (name: string, slope: number): string => {
  const path = join(folder, name);
  const rows = Array.from({ length: 600 }, (_, i) => {
    const x = ((i * 37) % 600) / 100 - 3;
    return `${100 + 10 * x},${slope * x}`;
  });
  writeFileSync(path, `${rows.join('\n')}\n`);
  return path;
};
const own = table('own.csv', 1);
const other = table('other.csv', -1);
const same = table('same.csv', 1);

const flow = d.network('flow', d.pipe(d.latent(1), d.luLinear, d.inject(2), d.luLinear));
const inverse = d.invert(flow);
const z = d.apply(inverse, d.data(2));
const spec = d.experiment({
  encoder: inverse,
  decoder: flow,
  objective: rectangularExact(inverse, flow),
  logDensity: d.sub(logNormal(1)(z), d.volume(flow, z, { method: 'exact' })),
  optimizer: d.adam({ rate: 2e-2 }),
  batch: 50,
  steps: 150,
  data: `${own}?standardize`,
  validation: { every: 0 },
});

const told = async (
  fitted: Fitted,
  data: Split<Source>,
  ...references: readonly string[]
): Promise<readonly Detections[]> => {
  const sets = right(await openOutside(references, [2]));
  const found = right(await detections(fitted, data, sets));
  return references.map((reference) => entryOf(found, reference));
};

let data: Split<Source>;
let fitted: Fitted;
beforeAll(async () => {
  data = right(await openData(spec.data)());
  fitted = right(await fit(spec, { data, backend: backends.wasm }));
});
afterAll(() => fitted.dispose());

describe('a line', () => {
  test('is told from another by the distance, and not from itself', async () => {
    const [line, itself] = atLeast(2, await told(fitted, data, other, same));
    expect(line.distance.accuracy).toBeGreaterThan(0.95);
    expect(line.distance.auc).toBeGreaterThan(0.95);
    expect(line.both?.accuracy).toBeGreaterThan(0.95);
    for (const { accuracy } of [itself.distance, itself.likelihood, itself.both].flatMap((one) => one ?? []))
      expect(Math.abs(accuracy - 0.5)).toBeLessThan(0.15);
  });

  test('is told from data in the same units, however either is standardised', async () => {
    const [raw, standardized] = atLeast(2, await told(fitted, data, other, `${other}?standardize`));
    expect(Math.abs(raw.distance.accuracy - standardized.distance.accuracy)).toBeLessThan(0.01);
    // With its own mean and deviation the other line would be as near.
    const [shifted] = atLeast(1, await told(fitted, data, `${table('far.csv', 3)}?standardize`));
    expect(shifted.distance.accuracy).toBeGreaterThan(0.9);
  });

  test('of a model without a density is told by the distance alone, which is the same', async () => {
    const compiled = { ...fitted.compiled, density: undefined };
    const [without] = atLeast(1, await told({ ...fitted, compiled }, data, other));
    const [whole] = atLeast(1, await told(fitted, data, other));
    expect(Object.keys(without)).toEqual(['distance']);
    expect(without.distance.accuracy).toBeCloseTo(whole.distance.accuracy, 2);
  });
});

test('an example without a density costs one example, not the detection', async () => {
  // ln p is no number where x₁ is at most −1.6 deviations from the mean: of few examples, of either set.
  const [x] = [d.data(2)];
  const first = d.sum(d.slice(x, [0], [1]));
  const logDensity = d.add(
    fitted.experiment.logDensity ?? d.constant(0),
    d.scale(1e-12, d.log(d.add(first, 1.6))),
  );
  const holed = { ...fitted, experiment: { ...fitted.experiment, logDensity } };
  const [whole] = atLeast(1, await told(fitted, data, other));
  const [without] = atLeast(1, await told(holed, data, other));
  const count = without.likelihood?.without ?? 0;
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThan(20);
  expect(without.distance).toEqual(whole.distance);
  expect(whole.likelihood?.without).toBeUndefined();
  // Each may change sides in the pairs that it is in.
  const { size } = data.test;
  expect(Math.abs((without.likelihood?.auc ?? NaN) - (whole.likelihood?.auc ?? NaN))).toBeLessThan(
    count / size,
  );
});

test('other data of another shape, and data that is not there, are problems', async () => {
  expect(
    left(await openOutside(['circle?count=60', 'digits', join(folder, 'none.csv')], [2])).map(d.showProblem),
  ).toEqual([
    expect.stringMatching(
      /^digits: found examples of shape \[8,8,1\], expected \[2\], as the model takes them$/,
    ),
    expect.stringContaining('none.csv'),
  ]);
});

test('a trial has them among its figures, beside the likelihood', async () => {
  const evaluation = { ...plainEvaluation, outside: [other] };
  const parts = right(await scoredInMemory(right(holdOut(data, 0.1))));
  const { figures } = right(await measure(evaluation, { fitted, data: parts, seed: 0 }));
  const scores = [
    ...['likelihood', 'distance'].flatMap((score) =>
      ['auc', 'auc-low', 'auc-high', 'accuracy'].map((what) => `${what}/${score}`),
    ),
    'accuracy/both',
  ];
  expect(Object.keys(figures)).toEqual([
    ...['validation', 'test'].flatMap((part) =>
      ['reconstruction', 'nll', 'distance'].map((name) => `${part}/${name}`),
    ),
    ...scores.map((name) => `test/outside/${other}/${name}`),
  ]);
  const found = await fitted.logProb(parts.test.examples);
  const { logDensity, distance } = found ?? { logDensity: new Float32Array(), distance: new Float32Array() };
  const mean = (values: Float32Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  expect(entryOf(figures, 'test/nll')).toBeCloseTo(-mean(logDensity), 6);
  expect(entryOf(figures, 'test/distance') ** 2).toBeCloseTo(mean(distance.map((r) => r * r)), 6);
  expect(entryOf(figures, 'test/distance') ** 2).toBeCloseTo(entryOf(figures, 'test/reconstruction'), 6);
});

describe('from the command line', () => {
  const path = join(folder, 'spec.json');
  beforeAll(() => writeFileSync(path, JSON.stringify(right(d.encodeExperiment(spec)))));
  const quick = ['--steps', '20', '--backend', 'wasm', '--json'];

  test('a run has them in its result and on its page', async () => {
    const out = join(folder, 'run');
    const { code, stdout, stderr } = await run(
      'train',
      path,
      '--outside',
      other,
      '--report',
      '--out',
      out,
      ...quick,
    );
    expect(code).toBe(0);
    const { density, outside } = json(stdout);
    expect(density).toMatchObject({ nll: expect.any(Number), optimal: null, distance: expect.any(Number) });
    const number = expect.any(Number);
    const detection = { auc: number, interval: [number, number], accuracy: number };
    expect(outside).toEqual({
      [other]: { likelihood: detection, distance: detection, both: { accuracy: expect.any(Number) } },
    });
    expect(stderr.filter((line) => line.startsWith(`told from ${other} with AUC `))).toHaveLength(1);
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    expect(page).toContain('Data from elsewhere');
    expect(page).toContain('held-out negative log-likelihood');
  });

  test('a set that is not there is one line, before anything is trained', async () => {
    const out = join(folder, 'none');
    const { code, stderr } = await run('train', path, '--outside', join(folder, 'none.csv'), '--out', out);
    expect(code).toBe(1);
    expect(stderr).toEqual([expect.stringContaining('none.csv')]);
    expect(readdirSync(folder)).not.toContain('none');
  });

  test('a sweep keeps a fingerprint of the files that they need', async () => {
    const out = join(folder, 'sweep');
    const { code, stdout } = await run('sweep', path, '--outside', other, '--out', out, ...quick);
    expect(code).toBe(0);
    const [trial] = atLeast(1, readdirSync(join(out, 'trials')));
    const { fingerprint } = json(readFileSync(join(out, 'trials', trial, 'trial.json'), 'utf8'));
    expect(Object.keys(Object(fingerprint).inputs)).toEqual([own, other]);
    const { measures } = Object(Object(json(stdout).trials)[0]).result;
    expect(measures[`test/outside/${other}/accuracy/distance`]).toBeGreaterThan(0.4);
  });
});
