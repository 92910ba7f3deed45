/** What is asked of Ray's Jobs interface, what its answers mean, and what it is not told. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { unzipSync } from 'fflate';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { showProblem } from '../../../dsl/index.js';
import { credentialsOf, rayClient } from '../../../runs/executors/ray/client.js';
import { uploaded } from '../../../runs/executors/ray/package.js';
import { packageFiles } from '../../../runs/executors/ray/package-files.js';
import { rayCluster, rayState, rayVersion } from '../../../runs/executors/ray/ray.js';
import { zip } from '../../../runs/executors/ray/zip.js';
import { root } from '../../shared/command.js';
import { left, right } from '../../shared/either.js';
import { type FakeRay, startFakeRay } from '../../shared/fake-ray.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-ray-'));
let ray: FakeRay;
beforeAll(async () => {
  ray = await startFakeRay();
});
afterAll(async () => {
  await ray.close();
  rmSync(folder, { recursive: true });
});

const entry = fc.record({
  name: fc.stringMatching(/^[\wäß ]{1,8}(\/[\wäß ]{1,8}){0,2}$/),
  bytes: fc.uint8Array({ maxLength: 200 }),
  executable: fc.boolean(),
});

property.prop([fc.uniqueArray(entry, { maxLength: 8, selector: ({ name }) => name })])(
  'what is zipped comes out again, and the same files are the same bytes',
  (entries) => {
    const archive = zip(entries);
    expect(zip(entries)).toEqual(archive);
    const found = unzipSync(archive);
    expect(Object.keys(found).sort()).toEqual(entries.map(({ name }) => name).sort());
    for (const { name, bytes } of entries) expect(new Uint8Array(found[name] ?? [])).toEqual(bytes);
  },
);

const command = {
  node: 'node',
  bin: 'bin',
  root: '/home/me',
  cpus: 2,
  options: ['--checkpoints', 'every=5s'],
};
const clientOf = (address: string) => rayClient(new URL(address), {});

describe('a job', () => {
  test('is asked for with its cores, its memory, its GPUs and what it finds in its folder', async () => {
    const resources = { cpus: 2, gpus: 1, memory: undefined };
    const cluster = rayCluster(clientOf(ray.address), command, resources, 'gcs://a.zip');
    const job = { folder: '/shared/my sweep/k', ticket: 'k-1', bytes: 1.5e9 };
    expect((await cluster.submit([job])).map(right)).toEqual(['immersion-k-1']);
    expect(ray.jobs.get('immersion-k-1')?.request).toEqual({
      submission_id: 'immersion-k-1',
      entrypoint:
        "test -f '/shared/my sweep/k/trial.json' || exit 66; command -v node >/dev/null || exit 127; " +
        "TF_NUM_INTRAOP_THREADS=2 TF_NUM_INTEROP_THREADS=1 exec node bin trial '/shared/my sweep/k/trial.json' " +
        "--job ray/k-1 --root /home/me --checkpoints every=5s >>'/shared/my sweep/k/log.txt' 2>&1",
      entrypoint_num_cpus: 2,
      entrypoint_num_gpus: 1,
      entrypoint_memory: 1.5e9,
      runtime_env: { working_dir: 'gcs://a.zip' },
    });
    // One that has arrived already is that one.
    expect((await cluster.submit([job])).map(right)).toEqual(['immersion-k-1']);
    await expect
      .poll(async () => right(await cluster.look(['immersion-k-1', 'other'])).get('immersion-k-1'))
      .toEqual({
        tag: 'ended',
        why: 'a node that does not see /shared/my sweep/k',
        cause: 'lost',
        code: 66,
      });
    await cluster.forget(['immersion-k-1']);
    expect([...right(await cluster.look(['immersion-k-1']))]).toEqual([]);
  });

  test.each([
    [{ status: 'PENDING' }, { tag: 'waiting' }],
    [
      { status: 'RUNNING', driver_agent_http_address: 'http://10.0.0.7:52365' },
      { tag: 'running', where: '10.0.0.7' },
    ],
    [{ status: 'STOPPED' }, { tag: 'ended', cause: 'stopped' }],
    [{ status: 'SUCCEEDED' }, { tag: 'ended', cause: 'lost', why: 'a job that ended without a result' }],
    [
      { status: 'FAILED', driver_exit_code: 1 },
      { tag: 'ended', cause: 'lost', why: 'exit code 1', code: 1 },
    ],
    [
      { status: 'FAILED', driver_exit_code: 75 },
      { tag: 'ended', cause: 'stopped' },
    ],
    [
      { status: 'FAILED', driver_exit_code: 127 },
      { why: 'a node without Node, or without the command that was named' },
    ],
    [
      { status: 'FAILED', error_type: 'JOB_SUPERVISOR_ACTOR_DIED', message: '… because its node has died.' },
      { cause: 'lost', why: 'a node that died' },
    ],
    [{ status: 'FAILED', error_type: 'JOB_SUPERVISOR_ACTOR_DIED', message: '…' }, { why: 'a job that died' }],
    [{ status: 'FAILED', error_type: 'JOB_SUPERVISOR_ACTOR_START_TIMEOUT' }, { cause: 'unplaced' }],
    [{ status: 'FAILED', error_type: 'RUNTIME_ENV_SETUP_FAILURE', message: 'a\nb' }, { cause: 'lost' }],
    [{ status: 'something new' }, { tag: 'ended', cause: 'lost' }],
  ])('that Ray describes as %j is %j', (json, state) => {
    expect(rayState(json, 'f')).toMatchObject(state);
  });
});

describe('what travels', () => {
  test('is the package and inputs within the current folder, sent once', async () => {
    const place = mkdtempSync(join(folder, 'project-'));
    const own = join(place, 'own');
    mkdirSync(join(own, 'bin'), { recursive: true });
    mkdirSync(join(own, 'dist'));
    mkdirSync(join(place, 'node_modules', 'dep', 'node_modules', 'deep'), { recursive: true });
    mkdirSync(join(place, 'node_modules', 'deep'), { recursive: true });
    const files = {
      'own/package.json': '{"dependencies":{"dep":"1","deep":"1"},"optionalDependencies":{"absent":"1"}}',
      'own/bin/immersion.mjs': '1',
      'own/dist/main.js': '2',
      'node_modules/dep/package.json': '{"dependencies":{"deep":"2"}}',
      'node_modules/dep/index.js': '3',
      'node_modules/dep/index.d.ts': 'not this',
      'node_modules/dep/node_modules/deep/package.json': '{}',
      'node_modules/dep/node_modules/deep/index.js': '4',
      'node_modules/deep/package.json': '{}',
      'node_modules/deep/index.js': '5',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(place, name), text);
    chmodSync(join(own, 'bin/immersion.mjs'), 0o755);
    const input = 'README.md';
    const client = clientOf(ray.address);
    const address = right(
      await uploaded(client, own, [input, '/etc/hostname', '../elsewhere', 'not-there.csv']),
    );
    expect(address).toMatch(/^gcs:\/\/_ray_pkg_[0-9a-f]{32}\.zip$/);
    const archive = ray.packages.get(String(address).slice('gcs://'.length));
    const found = unzipSync(archive ?? new Uint8Array());
    expect(Object.keys(found).sort()).toEqual([
      '.immersion/bin/immersion.mjs',
      '.immersion/dist/main.js',
      '.immersion/node_modules/deep/index.js',
      '.immersion/node_modules/deep/package.json',
      '.immersion/node_modules/dep/index.js',
      '.immersion/node_modules/dep/node_modules/deep/index.js',
      '.immersion/node_modules/dep/node_modules/deep/package.json',
      '.immersion/node_modules/dep/package.json',
      '.immersion/package.json',
      'README.md',
    ]);
    expect(String(Buffer.from(found['.immersion/node_modules/deep/index.js'] ?? []))).toBe('5');
    expect(String(Buffer.from(found['.immersion/node_modules/dep/node_modules/deep/index.js'] ?? []))).toBe(
      '4',
    );
    const puts = (): number => ray.asked.filter(({ method }) => method === 'PUT').length;
    const before = puts();
    expect(right(await uploaded(client, own, [input]))).toBe(address);
    expect(puts()).toBe(before);
    expect(right(await uploaded(client, undefined, []))).toBeUndefined();
  });

  test('of this package is its published folders and what they depend on', () => {
    const files = packageFiles(root, 'x');
    const to = new Set(files.map((one) => one.to));
    for (const name of [
      'package.json',
      'bin/immersion.mjs',
      'cli/main.ts',
      'node_modules/fp-ts/package.json',
    ])
      expect(to).toContain(`x/${name}`);
    expect(
      [...to].filter((name) => /^x\/(spec|docs|outputs)\/|node_modules\/vitest\/|\.d\.ts$/.test(name)),
    ).toEqual([]);
    const bytes = files.reduce((sum, { from }) => sum + statSync(from).size, 0);
    expect(bytes).toBeLessThan(2e8);
  });

  test('and is too much for Ray is said before anything is sent', async () => {
    const client = { name: 'ray x', ask: () => Promise.reject(new Error('asked')) };
    const before = process.cwd();
    process.chdir(mkdtempSync(join(folder, 'large-')));
    try {
      writeFileSync('large.npy', '');
      truncateSync('large.npy', 3e9);
      expect(left(await uploaded(client, undefined, ['large.npy'])).map(showProblem)).toEqual([
        'large.npy: found 2862 MiB to send to each node, expected 100 MiB at most (put large data where all nodes see it, and name it by its whole path)',
      ]);
    } finally {
      process.chdir(before);
    }
  });
});

describe('a cluster', () => {
  const version = async (address: string): Promise<string> =>
    left(await rayVersion(clientOf(address)))
      .map(showProblem)
      .join('\n');

  test('says its version', async () => {
    expect(right(await rayVersion(clientOf(ray.address)))).toBe('2.60.0');
  });

  test('that is not there, or is something else, is one line', async () => {
    expect(await version('http://127.0.0.1:9')).toBe(
      'ray http://127.0.0.1:9: found connect ECONNREFUSED 127.0.0.1:9, expected the dashboard of a Ray cluster, such as http://127.0.0.1:8265',
    );
    expect(await version(`${ray.address}/elsewhere`)).toMatch(
      /^ray http:\S+\/elsewhere: found an answer 404: no such page,/,
    );
    ray.answer = () => ({ status: 200, text: '<html>' });
    expect(await version(ray.address)).toMatch(/found an answer that is not Ray's, expected the dashboard/);
    ray.answer = () => ({ status: 500, text: 'Traceback\n  File "x"\nValueError: no\n' });
    expect(await version(ray.address)).toMatch(/: found an answer 500: ValueError: no, expected/);
    ray.answer = () => ({ status: 403, text: 'Forbidden: secret' });
    expect(await version(ray.address)).toMatch(
      /found a refusal \(403\), expected a cluster that lets you in \(RAY_AUTH_TOKEN/,
    );
    ray.answer = undefined;
  });

  test('that refuses a job as it is is not asked again, one that is busy is', async () => {
    const cluster = rayCluster(clientOf(ray.address), command, { cpus: 1, gpus: 0, memory: 1 }, undefined);
    const refused = async (status: number) => {
      ray.answer = (method) => (method === 'POST' ? { status, text: 'TypeError: no' } : undefined);
      const [answer] = await cluster.submit([{ folder: '/f', ticket: `t-${status}`, bytes: 1 }]);
      ray.answer = undefined;
      return answer === undefined ? undefined : left(answer);
    };
    expect(await refused(400)).toMatchObject({
      busy: false,
      problems: [{ found: 'an answer 400: TypeError: no' }],
    });
    expect(await refused(403)).toMatchObject({ busy: false });
    expect(await refused(500)).toMatchObject({ busy: true });
    expect(await refused(429)).toMatchObject({ busy: true });
    expect(ray.jobs.size).toBe(0);
  });
});

describe('credentials', () => {
  test.each([
    ['http://a:b%20c@h:1', { RAY_AUTH_TOKEN: 't' }, `Basic ${Buffer.from('a:b c').toString('base64')}`],
    ['http://h:1', { RAY_AUTH_TOKEN: 't' }, 'Bearer t'],
    ['http://h:1', { RAY_AUTH_TOKEN_PATH: join(folder, 'token') }, 'Bearer from a file'],
    ['http://h:1', { RAY_AUTH_TOKEN_PATH: join(folder, 'none') }, undefined],
  ])('of %s with %j', (address, environment, authorization) => {
    writeFileSync(join(folder, 'token'), 'from a file\n');
    const found = credentialsOf(new URL(address), environment);
    expect(found).toEqual(authorization === undefined ? {} : { authorization });
  });

  test('are sent, and are in no line, name or ticket', async () => {
    const address = new URL(ray.address.replace('//', '//user:secret@'));
    const client = rayClient(address, credentialsOf(address, {}));
    right(await rayVersion(client));
    expect(ray.asked.at(-1)?.headers['authorization']).toMatch(/^Basic /);
    ray.answer = () => ({ status: 401, text: '' });
    const answer = await rayVersion(client);
    ray.answer = undefined;
    expect(isLeft(answer)).toBe(true);
    expect(JSON.stringify([client.name, left(answer)])).not.toMatch(/secret|user/);
  });
});
