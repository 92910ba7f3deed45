/** What keeps a step from numbers that single precision does not know is said: in events, in the record, once on the terminal, and counted at the end. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  adam,
  apply,
  dataOf,
  dense,
  encodeExperiment,
  type Expr,
  type Experiment,
  experiment,
  input,
  network,
  objective,
  pipe,
  type Scalar,
  sqNorm,
  sub,
  volume,
  type VolumeOptions,
} from '../../dsl/index.js';
import { json, linesOf, run } from '../shared/command.js';
import { right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-guards-'));
afterAll(() => rmSync(folder, { recursive: true }));

const STEPS = 5;

/** A table of 40 rows; its decoder goes through as many numbers as `width` says, so that of three codes only as many directions show. */
const table = join(folder, 'table.csv');
writeFileSync(
  table,
  Array.from({ length: 40 }, (_, i) =>
    [0, 1, 2, 3, 4].map((j) => Math.sin(i * (j + 1)).toFixed(4)).join(),
  ).join('\n'),
);

const specOf = (width: number, options: VolumeOptions | undefined, clipNorm?: number): Experiment => {
  const encoder = network('encoder', pipe(input(5), dense(3)));
  const decoder = network('decoder', pipe(input(3), dense(width), dense(5)));
  const x = dataOf(encoder);
  const z = apply(encoder, x);
  const terms: Record<string, Expr<Scalar>> = { reconstruction: sqNorm(sub(x, apply(decoder, z))) };
  const volumes = options === undefined ? {} : { volume: volume(decoder, z, options) };
  return experiment({
    encoder,
    decoder,
    objective: objective({ ...terms, ...volumes }),
    optimizer: adam({ rate: 1e-4, ...(clipNorm === undefined ? {} : { clipNorm }) }),
    batch: 8,
    steps: STEPS,
    data: table,
    validation: { every: 0 },
  });
};

const cases = [
  // Two of three columns of J are independent.
  ['volume/jitter', specOf(2, { method: 'exact' }), 'not independent'],
  ['volume/jitter', specOf(2, { method: 'stochastic' }), 'not independent'],
  // One product where three are needed.
  ['volume/unsolved', specOf(5, { method: 'stochastic', iterations: 1 }), 'leave more'],
  // What a singular system leaves grows without end.
  ['volume/bounded', specOf(2, { method: 'stochastic', iterations: 3 }), 'made smaller'],
] as const;

const trained = async (spec: Experiment, name: string) => {
  const [file, out] = [join(folder, `${name}.json`), join(folder, name)];
  writeFileSync(file, JSON.stringify(right(encodeExperiment(spec))));
  const ended = await run('train', file, '--backend', 'wasm', '--seed', '1', '--out', out, '--json');
  const record = linesOf(readFileSync(join(out, 'record.jsonl'), 'utf8')).map(json);
  return { ...ended, result: json(ended.stdout), record };
};

describe.each(cases)('%s', (guard, spec, meaning) => {
  test(`is in each step of the record, one line when it first acts, one when it is over (${meaning})`, async () => {
    const name = `run-${cases.findIndex(([, one]) => one === spec)}`;
    const { code, stderr, result, record } = await trained(spec, name);
    expect(code).toBe(0);
    expect(result).toMatchObject({ ok: true, guarded: { [guard]: STEPS } });
    const steps = record.filter(({ tag }) => tag === 'step');
    expect(steps.length).toBe(STEPS);
    for (const { guards } of steps) expect(guards).toMatchObject({ [guard]: expect.any(Number) });
    const [term] = guard.split('/');
    const said = stderr.filter((line) => line.includes(`${term}, at `) && line.includes(meaning));
    expect(said.length).toBe(2);
    expect(said[0]).toMatch(/^step 0: volume, at \d+(\.\d+)? % of the examples: /);
    expect(said[1]).toMatch(`volume, at ${STEPS} of ${STEPS} steps: `);
    const notices = record.filter(({ tag, notice }) => tag === 'notice' && notice === 'guarded');
    expect(notices.filter(({ text }) => text === said[0]).length).toBe(1);
  });
});

describe('a clipped gradient', () => {
  test('is counted, and said at the end alone', async () => {
    const { stderr, result, record } = await trained(specOf(5, undefined, 1e-3), 'clipped');
    expect(result).toMatchObject({ ok: true, guarded: { 'gradient/clipped': STEPS } });
    const said = stderr.filter((line) => line.includes('clipNorm'));
    expect(said).toEqual([expect.stringContaining(`gradient, at ${STEPS} of ${STEPS} steps: `)]);
    expect(record.filter(({ tag }) => tag === 'notice')).toEqual([]);
  });

  test('and nothing is said where no guard acts', async () => {
    const { stderr, result, record } = await trained(specOf(5, { method: 'exact' }, 1e6), 'free');
    expect(result).toMatchObject({ ok: true, guarded: {} });
    expect(stderr.filter((line) => / of \d+ steps|% of the examples/.test(line))).toEqual([]);
    expect(record.some(({ guards }) => guards !== undefined)).toBe(false);
  });
});
