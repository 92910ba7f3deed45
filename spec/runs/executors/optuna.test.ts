/** The example for Optuna in docs/scaling.md, run with PyPI's: it asks, and trials tell. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  adam,
  apply,
  dataOf,
  dense,
  encodeExperiment,
  experiment,
  flatten,
  hyper,
  input,
  network,
  objective,
  pipe,
  reshape,
  scale,
  sqNorm,
  sub,
} from '../../../dsl/index.js';
import { json, root, run } from '../../shared/command.js';
import { right } from '../../shared/either.js';

const python = process.env['IMMERSION_OPTUNA'];
const folder = mkdtempSync(join(tmpdir(), 'immersion-optuna-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const example =
  /^```python\n([^]*?)^```$/m.exec(readFileSync(join(root, 'docs/scaling.md'), 'utf8'))?.[1] ?? '';

test('the example is some twenty lines', () => {
  const lines = example.split('\n').filter((line) => line.trim() !== '');
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.length).toBeLessThanOrEqual(22);
});

test.runIf(python !== undefined)(
  'the best of a study is the least of its trials',
  { timeout: 240_000 },
  async () => {
    const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(4)));
    const decoder = network('decoder', pipe(input(4), dense(64), reshape(8, 8, 1)));
    const h = apply(encoder, dataOf(encoder));
    const spec = experiment({
      encoder,
      decoder,
      objective: objective({
        reconstruction: sqNorm(sub(dataOf(encoder), apply(decoder, h))),
        prior: scale(hyper('prior', 0.1), sqNorm(h)),
      }),
      optimizer: adam({ rate: 1e-3 }),
      batch: 64,
      steps: 40,
      data: 'digits',
    });
    const path = join(folder, 'spec.json');
    writeFileSync(path, JSON.stringify(right(encodeExperiment(spec))));
    const base = await run('sweep', path, '--backend', 'wasm', '--out', join(folder, 'base'));
    expect(base.code).toBe(0);
    mkdirSync(join(folder, 'bin'));
    const shim = join(folder, 'bin', 'immersion');
    writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin/immersion.mjs')}" "$@"\n`);
    chmodSync(shim, 0o755);
    writeFileSync(join(folder, 'study.py'), example.replace('n_trials=20', 'n_trials=3'));
    const said = execFileSync(python ?? '', ['study.py'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` },
    });
    const tried = readdirSync(join(folder, 'study'))
      .sort()
      .map((name) => {
        const read = (file: string) => json(readFileSync(join(folder, 'study', name, file), 'utf8'));
        const value: unknown = Object(read('result.json')['result']).measures['validation/reconstruction'];
        return { value: Number(value), prior: Object(read('trial.json')['settings']).prior };
      });
    expect(tried).toHaveLength(3);
    expect(new Set(tried.map(({ value }) => value)).size).toBe(3);
    const best = tried.reduce((least, one) => (one.value < least.value ? one : least));
    expect(said).toContain(`${best.value} {'prior': ${best.prior}, 'rate': `);
  },
);
