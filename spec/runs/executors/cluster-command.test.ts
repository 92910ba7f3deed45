/** `immersion sweep --on ray=…` against a server that speaks the protocol: the table of the local pool, whatever is lost, left, joined or stopped. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encodeExperiment } from '../../../dsl/index.js';
import { json, linear, root, run, spawned } from '../../shared/command.js';
import { right } from '../../shared/either.js';
import { type FakeRay, startFakeRay } from '../../shared/fake-ray.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-cluster-'));
const spec = join(folder, 'linear.json');
writeFileSync(spec, JSON.stringify(right(encodeExperiment({ ...linear(8, 8), steps: 300 }))));

let ray: FakeRay;
beforeAll(async () => {
  ray = await startFakeRay(2);
});
afterEach(() => {
  ray.answer = undefined;
  ray.rewrite = (line) => line;
});
afterAll(async () => {
  await ray.close();
  rmSync(folder, { recursive: true });
});

/** Nodes have this checkout, so that nothing of it travels. */
const cluster = (name: string, change: Readonly<Record<string, unknown>> = {}): string => {
  const path = join(folder, `${name}.json`);
  const bin = join(root, 'bin/immersion.mjs');
  writeFileSync(path, JSON.stringify({ on: `ray=${ray.address}`, node: process.execPath, bin, ...change }));
  return path;
};
const sweep = (out: string, ...words: readonly string[]): readonly string[] => [
  ...['sweep', spec, '--grid', 'lambda=1,2', '--backend', 'wasm', '--out', join(folder, out)],
  ...words,
];
const trials = (out: string): readonly string[] => readdirSync(join(folder, out, 'trials')).sort();
const read = (out: string, key: string, name: string): string =>
  readFileSync(join(folder, out, 'trials', key, name), 'utf8');
const idOf = (out: string, key: string): string => String(json(read(out, key, 'job.json'))['id']);
const submitted = (): number =>
  ray.asked.filter(({ method, path }) => method === 'POST' && path === '/api/jobs/').length;

test('a sweep that loses a job ends with the table and the weights of the local pool', async () => {
  const local = await run(...sweep('local'));
  expect(local.code).toBe(0);
  const lost = new Set<string>();
  ray.answer = (method, path) => {
    // The first job of the sweep is lost from sight when it is first seen to run; its process goes on.
    const id = path.split('/').at(-1) ?? '';
    if (
      method === 'GET' &&
      lost.size === 0 &&
      !id.includes('check') &&
      ray.jobs.get(id)?.status === 'RUNNING'
    ) {
      lost.add(id);
      setTimeout(() => ray.lose(id, 'goes on'), 300);
    }
    return undefined;
  };
  const far = await run(...sweep('far', '--on', cluster('far')));
  expect(far.code).toBe(0);
  expect(far.stdout).toBe(local.stdout);
  const told = far.stderr.join('\n');
  expect(told).toMatch(
    /^ray http:\S+ \(Ray 2\.60\.0\): one of its nodes looks whether trials can run there$/m,
  );
  expect(told).toMatch(/^they can, on wasm with Node \d/m);
  expect(told).toMatch(/^lambda=\d seed=0 {2}a node that died; try 2 of 3$/m);
  expect(trials('far')).toEqual(trials('local'));
  for (const key of trials('far')) {
    expect(read('far', key, 'weights.safetensors')).toBe(read('local', key, 'weights.safetensors'));
    const { provenance, measures } = Object(json(read('far', key, 'result.json'))['result']);
    expect(measures).toEqual(Object(json(read('local', key, 'result.json'))['result']).measures);
    expect(provenance.place.job).toBe(`ray/${idOf('far', key).slice('immersion-'.length)}`);
    expect(json(read('far', key, 'run.json'))['data']).toEqual(json(read('local', key, 'run.json'))['data']);
  }
  // The process that was lost from sight has ended by itself: its folder names another job.
  const [id = ''] = lost;
  await expect.poll(() => ray.jobs.get(id)?.child?.exitCode, { timeout: 10_000 }).toBe(75);
  await expect
    .poll(() => [...ray.jobs.keys()].filter((one) => one.includes('check')), { timeout: 10_000 })
    .toEqual([]);
});

test('a sweep that was left is joined from elsewhere, and submits nothing twice', async () => {
  const words = sweep('left', '--steps', '3000', '--on', cluster('left'));
  const before = submitted();
  const first = await spawned(folder, words, (line, signal) => {
    // As when the terminal is closed.
    if (/running on/.test(line)) setTimeout(() => signal('SIGHUP'), 500);
  });
  expect(first.code).toBe(-1);
  const second = await run(...words);
  expect(second.code).toBe(0);
  expect(second.stderr.join('\n')).toMatch(/^ray \S+ \(Ray 2\.60\.0\): goes on with what is there$/m);
  expect(second.stdout.split('\n')).toHaveLength(4);
  expect(submitted() - before).toBe(3);
});

test('Ctrl-C stops what runs, leaves no ticket and exits 130; the same command goes on', async () => {
  const words = sweep('stopped', '--steps', '1000000', '--on', cluster('stopped'));
  let told = false;
  const { code, stderr } = await spawned(folder, words, (line, signal) => {
    if (told || !/running on/.test(line)) return;
    told = true;
    setTimeout(() => signal('SIGINT'), 500);
  });
  expect(stderr.at(-1)).toMatch(/^interrupted; the same command goes on in /);
  expect(code).toBe(130);
  expect([...ray.jobs.values()].filter(({ status }) => status === 'RUNNING' || status === 'PENDING')).toEqual(
    [],
  );
  expect(
    trials('stopped').some((key) => existsSync(join(folder, 'stopped', 'trials', key, 'job.json'))),
  ).toBe(false);
});

describe('a cluster that is not fit is one line, and gets no trial', () => {
  const wrapper = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  // Changed elsewhere, so that what the command sees is whole.
  const other = wrapper(
    'other-node',
    [
      'apart="$(mktemp -d)"; bin="$1"; verb="$2"; folder="$(dirname "$3")"; shift 3',
      'cp "$folder"/* "$apart"',
      `"${process.execPath}" "$bin" "$verb" "$apart/trial.json" "$@"; code=$?`,
      `sed 's/"node": "[0-9]*/"node": "18/' "$apart/check.json" >"$folder/part"`,
      'rm -r "$apart"; mv "$folder/part" "$folder/check.json"; exit $code',
    ].join('\n'),
  );
  const bare = wrapper('bare-node', `CC=/no/cc PATH=/no exec "${process.execPath}" "$@"`);

  test.each([
    [
      'that is not there',
      ['--on', 'ray=http://127.0.0.1:9'],
      undefined,
      /^ray http:\/\/127\.0\.0\.1:9: found connect ECONNREFUSED \S+, expected the dashboard of a Ray cluster/,
    ],
    [
      'of another Node',
      ['--on', 'other.json'],
      { node: other },
      /^ray \S+: found Node 18\.\S+ on \S+, expected Node \d+, as here \("node" in the file/,
    ],
    [
      'without Node',
      ['--on', 'none.json'],
      { node: '/no/node' },
      /^ray \S+: found a node without Node, or without the command that was named, expected a node that can run a trial/,
    ],
    [
      'without the backend',
      ['--on', 'bare.json', '--backend', 'cc'],
      { node: bare },
      /^ray \S+, \S+: .*(compiler|cc)/,
    ],
    [
      'without the program',
      ['--on', 'bin.json'],
      { bin: '/no/immersion.mjs' },
      /^ray \S+: found exit code 1: .*expected a node that can run a trial/,
    ],
  ])('%s', async (name, words, change, line) => {
    const out = join(folder, `unfit ${name}`);
    if (change !== undefined) cluster(String(words[1]).replace('.json', ''), change);
    const given = words.map((word) => (word.endsWith('.json') ? join(folder, word) : word));
    const { code, stdout, stderr } = await run('sweep', spec, '--backend', 'wasm', '--out', out, ...given);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.filter((one) => !/looks whether|running: /.test(one))).toMatchObject([
      expect.stringMatching(line),
    ]);
    expect(existsSync(out)).toBe(false);
    expect(
      [...ray.jobs.keys()].filter(
        (id) => id.includes('check') === false && ray.jobs.get(id)?.status === 'PENDING',
      ),
    ).toEqual([]);
  });

  test('that does not see the folder', async () => {
    const out = join(folder, 'unseen');
    ray.rewrite = (line) => line.replaceAll(out, '/nowhere');
    const { code, stderr } = await run(
      'sweep',
      spec,
      '--backend',
      'wasm',
      '--out',
      out,
      '--on',
      cluster('unseen'),
    );
    expect(code).toBe(1);
    expect(stderr.at(-1)).toMatch(
      /^ray \S+: found a node that does not see \S+, expected a node that can run a trial \(nodes are to see .*--storage\)$/,
    );
  });

  test('that lets nobody in, whose password is in no line and no file', async () => {
    ray.answer = () => ({ status: 401, text: 'who are you?' });
    const on = `ray=${ray.address.replace('//', '//me:secret@')}`;
    const { code, stderr, stdout } = await run(
      'sweep',
      spec,
      '--out',
      join(folder, 'locked'),
      '--on',
      on,
      '--json',
    );
    expect(code).toBe(1);
    expect(stderr).toMatchObject([
      expect.stringMatching(/found a refusal \(401\), expected a cluster that lets you in/),
    ]);
    expect(`${stdout}${stderr.join('\n')}`).not.toContain('secret');
  });
});

test('a job whose folder names another one ends with a word, and leaves no result', async () => {
  const place = mkdtempSync(join(folder, 'other-'));
  const [key = ''] = trials('local');
  writeFileSync(join(place, 'trial.json'), read('local', key, 'trial.json'));
  writeFileSync(join(place, 'job.json'), JSON.stringify({ cluster: 'x', name: 'theirs', id: 'y' }));
  const { code, stderr } = await run('trial', join(place, 'trial.json'), '--job', 'ray/ours');
  expect(code).toBe(75);
  expect(stderr).toEqual([expect.stringMatching(/names another job than this one, which ends here$/)]);
  expect(readdirSync(place).sort()).toEqual(['job.json', 'trial.json']);
});

test('what a cluster was left with is taken over by the local pool', async () => {
  const words = sweep('taken', '--steps', '4000');
  await spawned(folder, [...words, '--on', cluster('taken')], (line, signal) => {
    if (/running on/.test(line)) setTimeout(() => signal('SIGKILL'), 500);
  });
  const { code, stderr } = await run(...words);
  expect(code, stderr.join('\n')).toBe(0);
  const ended = [...ray.jobs.values()].filter(({ request }) =>
    String(request['entrypoint']).includes('/taken/trials/'),
  );
  await expect.poll(() => ended.map(({ status }) => status).includes('RUNNING')).toBe(false);
});

test('a password in the address gets in, and is in no record', async () => {
  const out = join(folder, 'record');
  const on = cluster('record', { on: `ray=${ray.address.replace('//', '//me:secret@')}` });
  const words = ['sweep', spec, '--steps', '2', '--backend', 'wasm', '--on', on, '--storage', out, '--json'];
  const { code, stdout, stderr } = await run(...words);
  expect(code).toBe(0);
  expect(ray.asked.at(-1)?.headers['authorization']).toMatch(/^Basic /);
  const place = String(json(stdout)['folder']);
  expect(place.startsWith(`${out}/sweep-linear-`)).toBe(true);
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.length).toBeGreaterThan(5);
  for (const entry of files)
    expect(readFileSync(join(entry.parentPath, entry.name), 'latin1')).not.toContain('secret');
  expect(`${stdout}${stderr.join('\n')}`).not.toContain('secret');
});
