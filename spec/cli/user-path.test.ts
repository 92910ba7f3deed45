/** The whole way of a user from a table to a report in six commands, each a process's worth of its own, with the table gone after the first. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeNpy } from '../../data/index.js';
import { isRecord } from '../../dsl/codec/codec.js';
import { adam, dense, encodeExperiment, experiment, input, network, pipe, tanh } from '../../dsl/index.js';
import { injFlowLn } from '../../objectives/index.js';
import { json, linesOf, run } from '../shared/command.js';
import { right } from '../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-user-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Three columns of very different units along a curve. */
const row = (i: number): readonly number[] => [
  13 + 2 * Math.cos(i),
  101_325 + 100 * Math.sin(i),
  0.01 * Math.cos(2 * i),
];
const table = (count: number): string =>
  `${['alcohol,pressure,colour', ...Array.from({ length: count }, (_, i) => row(i).join())].join('\n')}\n`;

const encoder = network('encoder', pipe(input(3), dense(16), tanh, dense(2)));
const decoder = network('decoder', pipe(input(2), dense(16), tanh, dense(3)));
const spec = experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder),
  optimizer: adam({ rate: 1e-2 }),
  batch: 32,
  steps: 40,
  data: `${at('table.csv')}?standardize`,
});
const model = at('run');

beforeAll(async () => {
  writeFileSync(at('spec.json'), JSON.stringify(right(encodeExperiment(spec))));
  writeFileSync(at('table.csv'), table(200));
  writeFileSync(at('new.csv'), table(7));
  const trained = await run('train', at('spec.json'), '--backend', 'wasm', '--out', model);
  expect(trained.code).toBe(0);
  renameSync(at('table.csv'), at('moved.csv'));
}, 60_000);

const numbers = (line: string): readonly number[] => line.split(',').map(Number);

describe('without its table a run', () => {
  test('encodes new rows by the names of their columns, whatever their order', async () => {
    const { code, stdout } = await run('encode', model, at('new.csv'), '--backend', 'wasm');
    expect(code).toBe(0);
    const [header, ...rows] = linesOf(stdout);
    expect(header).toBe('z1,z2');
    expect(rows).toHaveLength(7);
    const turned = table(7)
      .trim()
      .split('\n')
      .map((line) => line.split(',').reverse().join());
    writeFileSync(at('turned.csv'), `${turned.join('\n')}\n`);
    expect((await run('encode', model, at('turned.csv'), '--backend', 'wasm')).stdout).toBe(stdout);
  });

  test("samples in the data's own units, as CSV and as an array", async () => {
    const { stdout } = await run('sample', model, '-n', '100', '--backend', 'wasm');
    const [header, ...rows] = linesOf(stdout);
    expect(header).toBe('alcohol,pressure,colour');
    expect(rows).toHaveLength(100);
    const means = [0, 1, 2].map((i) => rows.reduce((sum, line) => sum + (numbers(line)[i] ?? NaN), 0) / 100);
    expect(Math.abs((means[1] ?? 0) - 101_325)).toBeLessThan(100);
    expect(Math.abs(means[2] ?? 1)).toBeLessThan(0.01);
    const out = at('samples.npy');
    expect((await run('sample', model, '-n', '100', '--out', out, '--backend', 'wasm')).code).toBe(0);
    const array = right(decodeNpy(out, readFileSync(out)));
    expect(array.shape).toEqual([100, 3]);
    const refused = await run('sample', model, '-n', '4', '--out', at('s.png'), '--backend', 'wasm');
    expect(refused.stderr.at(-1)).toMatch(/^--out: found a \.png for rows that are no pictures/);
  });

  test('says log-densities of new rows, and of those that it has kept', async () => {
    const words = ['evaluate', model, '--backend', 'wasm', '--json'];
    const asked = json((await run(...words, '--data', at('new.csv'))).stdout);
    expect(asked).toMatchObject({ ok: true, count: 7, density: { logDensity: expect.any(Number) } });
    const kept = await run(...words);
    expect(json(kept.stdout)).toMatchObject({ ok: true, data: 'examples that the run has kept' });
    expect(kept.stderr.join()).toContain('does not exist');
  });

  test('says codes and log-densities in double precision, on the host', async () => {
    const words = ['evaluate', model, '--data', at('new.csv'), '--backend', 'wasm', '--json'];
    const densityOf = async (...more: readonly string[]) => {
      const asked = json((await run(...words, ...more)).stdout);
      const { density } = asked;
      return isRecord(density) ? Number(density['logDensity']) : NaN;
    };
    const [single, double] = [await densityOf(), await densityOf('--precision', 'double')];
    expect(double).not.toBe(single);
    expect(Math.abs(double - single)).toBeLessThan(1e-3 * Math.abs(single));
    const codes = at('codes.npy');
    const encoded = await run('encode', model, at('new.csv'), '--precision', 'double', '--out', codes);
    expect(encoded.code).toBe(0);
    expect(readFileSync(codes, 'latin1')).toContain("'descr': '<f8'");
    const wrong = await run(...words.slice(0, -1), '--precision', 'half');
    expect(wrong.stderr.at(-1)).toBe('--precision: found "half", expected single or double');
  });

  test('goes on at another rate with the table at its new place, and is reported', async () => {
    const moved = `${at('moved.csv')}?standardize`;
    const missing = await run('resume', model, '--steps', '20', '--backend', 'wasm');
    expect(missing.stderr.at(-1)).toContain('--data PLACE');
    const words = ['--steps', '20', '--set', 'optimizer.rate=1e-3', '--data', moved, '--backend', 'wasm'];
    const { code, stdout } = await run('resume', model, ...words, '--json');
    expect(code).toBe(0);
    expect(json(stdout)).toMatchObject({ ok: true, steps: 60 });
    const reported = await run('report', model, '--backend', 'wasm');
    expect(reported.code).toBe(0);
    expect(readFileSync(join(model, 'report.html'), 'utf8')).toContain('reconstruction, unweighted');
  });

  test('is listed, and compared with another', async () => {
    const other = at('other');
    const words = ['--set', 'eta=0.3', '--data', `${at('moved.csv')}?standardize`, '--backend', 'wasm'];
    expect((await run('train', at('spec.json'), ...words, '--out', other)).code).toBe(0);
    const listed = json((await run('runs', folder, '--json')).stdout);
    expect(listed['runs']).toMatchObject([
      { folder: other, state: 'ended' },
      { folder: model, state: 'ended', steps: 60 },
    ]);
    const page = at('compared.html');
    const compared = json((await run('runs', model, other, '--page', page, '--json')).stdout);
    expect(compared['differences']).toContainEqual({ name: 'eta', values: ['0.1', '0.3'] });
    expect(readFileSync(page, 'utf8')).toContain('reconstruction, unweighted');
  });
});

describe('completion', () => {
  test('in bash knows commands, options and files', async () => {
    const { stdout } = await run('completion', 'bash');
    const asked = (...words: readonly string[]): readonly string[] => {
      const script = `${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _immersion; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return linesOf(spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' }).stdout);
    };
    expect(asked('immersion', 'tr')).toEqual(['train', 'trial']);
    expect(asked('immersion', 'sample', '--num')).toEqual(['--number']);
    expect(asked('immersion', 'encode', 'ru')).toEqual(['run']);
    expect(asked('immersion', 'completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });

  test.each(['zsh', 'fish'])('in %s knows every command', async (shell) => {
    const { stdout } = await run('completion', shell);
    for (const command of ['train', 'resume', 'evaluate', 'encode', 'sample', 'report', 'runs', 'completion'])
      expect(stdout).toContain(command);
    const checked = spawnSync(shell, shell === 'zsh' ? ['-n', '-c', stdout] : ['--no-execute', '-c', stdout]);
    // Where that shell is not installed nothing can be said of its syntax.
    expect(checked.error === undefined ? checked.status : 0).toBe(0);
  });
});
