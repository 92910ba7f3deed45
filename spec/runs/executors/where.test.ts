/** Where trials run comes from options, a file and the environment, in this order; what is wrong is one line each, without credentials. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, describe, expect, test } from 'vitest';
import { readArguments } from '../../../cli/options/arguments.js';
import { clusterOptions, whereOf } from '../../../cli/options/cluster-options.js';
import { showProblem } from '../../../dsl/index.js';
import { shellWord } from '../../../dsl/printing/shell.js';
import { entrypoint } from '../../../runs/executors/entrypoint.js';
import { bytesOf } from '../../../runs/executors/where.js';
import { left, right } from '../../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-where-'));
afterAll(() => rmSync(folder, { recursive: true }));

const where = (words: string, environment: NodeJS.ProcessEnv = {}) =>
  whereOf(right(readArguments(words === '' ? [] : words.split(' '), clusterOptions, [])), environment);
const file = (name: string, json: unknown): string => {
  writeFileSync(join(folder, name), typeof json === 'string' ? json : JSON.stringify(json));
  return join(folder, name);
};
const lines = async (words: string, environment: NodeJS.ProcessEnv = {}): Promise<readonly string[]> =>
  left(await where(words, environment)).map(showProblem);

describe('where trials run', () => {
  test('is this machine where nothing else is said', async () => {
    expect(right(await where(''))).toBeUndefined();
    expect(right(await where('--on local', { IMMERSION_ON: 'slurm' }))).toBeUndefined();
  });

  test('comes from options before a file before the environment', async () => {
    const path = file('cluster.json', {
      on: 'ray=http://10.0.0.1:8265',
      storage: '/shared',
      cpus: 4,
      gpus: 1,
      memory: '8GB',
      tries: 5,
      node: '/opt/node',
      bin: '/opt/immersion/bin/immersion.mjs',
    });
    const all = {
      engine: { tag: 'ray' },
      resources: { cpus: 4, gpus: 1, memory: 8e9 },
      tries: 5,
      storage: '/shared',
      node: '/opt/node',
      bin: '/opt/immersion/bin/immersion.mjs',
    };
    expect(right(await where(`--on ${path}`, { IMMERSION_STORAGE: '/other' }))).toMatchObject(all);
    expect(right(await where('', { IMMERSION_ON: path }))).toMatchObject(all);
    expect(
      right(await where(`--on ${path} --cpus 0.5 --gpus 0 --memory 500MB --tries 1 --storage /s`)),
    ).toMatchObject({
      ...all,
      resources: { cpus: 0.5, gpus: 0, memory: 5e8 },
      tries: 1,
      storage: '/s',
    });
  });

  test('has defaults, and takes the address from where Ray looks for it', async () => {
    const found = right(await where('--on ray', { RAY_ADDRESS: 'http://h:1', IMMERSION_STORAGE: '/s' }));
    expect(found).toMatchObject({ tries: 3, resources: { cpus: 1, gpus: 0 }, storage: '/s' });
    expect(found?.engine).toEqual({ tag: 'ray', address: new URL('http://h:1') });
    expect(right(await where('', { IMMERSION_ON: 'slurm' }))?.engine).toEqual({ tag: 'slurm' });
  });

  test.each([
    ['--on cloud', '--on: found "cloud", expected local, slurm, ray=http://HOST:8265, or a JSON file'],
    [
      '--on ray',
      '--on: found ray without an address, expected ray=http://HOST:8265, or RAY_API_SERVER_ADDRESS',
    ],
    [
      '--on ray=10.0.0.1',
      '--on: found no address, expected ray=http://HOST:PORT, the address of the dashboard',
    ],
    [
      '--on ray=ray://user:secret@h:1',
      '--on: found an address ray://…, expected ray=http://HOST:PORT, the address of the dashboard',
    ],
    ['--on slurm --cpus 0', '--cpus: found "0", expected a positive number of cores'],
    ['--on slurm --gpus -1', '--gpus: found "-1", expected a number of GPUs'],
    ['--on slurm --memory lots', '--memory: found "lots", expected a number of bytes such as 500MB or 2GB'],
    ['--on slurm --tries 0', '--tries: found "0", expected a positive integer'],
    [
      '--storage /s',
      '--storage: found no cluster, expected --on ray=http://HOST:8265 or --on slurm beside --storage',
    ],
    [
      '--on nothing.json',
      'nothing.json: found no such file, expected a JSON file that says where trials run',
    ],
  ])('%s is one line', async (words, line) => {
    expect(await lines(words)).toEqual([line]);
  });

  test('a file that says it wrongly is a line for each field, with the nearest name', async () => {
    const path = file('wrong.json', { on: 'slurm', cpu: 2, memory: 'much' });
    const found = await lines(`--on ${path}`);
    expect(found).toHaveLength(2);
    expect(found.join('\n')).toMatch(/wrong\.json: .*cpu.*did you mean "cpus"/s);
    expect(found.join('\n')).toMatch(/wrong\.json: .*memory/s);
    expect(await lines(`--on ${file('broken.json', '{')}`)).toMatchObject([
      expect.stringMatching(/invalid JSON/),
    ]);
    expect(await lines(`--on ${file('password.json', { on: 'ray=x:secret@h' })}`)).toEqual([
      expect.not.stringContaining('secret'),
    ]);
  });

  test.each([
    ['500MB', 5e8],
    ['2 gb', 2e9],
    ['1.5GB', 1.5e9],
    ['1e9', 1e9],
    ['0', undefined],
    ['GB', undefined],
    ['-1', undefined],
    ['1.2.3', undefined],
  ])('%s of memory is %s bytes', (text, bytes) => {
    expect(bytesOf(text)).toBe(bytes);
  });
});

describe('the shell of a node', () => {
  property.prop([fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'))], {
    numRuns: 25,
  })('takes each word as it is', (word) => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word);
  });

  test.each([
    [66, { folder: join(folder, 'none') }, {}],
    [127, {}, { node: '/no/such/node' }],
    [66, {}, { folder: join(folder, 'none') }],
    [0, {}, { node: 'true' }],
  ])('ends with code %i where %j and %j', (code, job, command) => {
    writeFileSync(join(folder, 'trial.json'), '{}');
    const line = entrypoint(
      { node: process.execPath, bin: 'x', root: '/', cpus: 1, options: [], ...command },
      { folder, ticket: 't', by: 'ray', ...job },
    );
    const run = (): number => {
      try {
        execFileSync('sh', ['-c', line]);
        return 0;
      } catch (error) {
        return error instanceof Error && 'status' in error ? Number(error.status) : -1;
      }
    };
    expect(run()).toBe(code);
  });
});
