/** The lines of docs/records.md for other trackers do what they say: the real text, against a server and a module that take down what they get. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { eventsOf, isStep } from '../../../runs/index.js';
import { linear, linesOf, root, run } from '../../shared/command.js';
import { encodeExperiment } from '../../../dsl/index.js';
import { right } from '../../shared/either.js';

const guide = readFileSync(join(root, 'docs/records.md'), 'utf8');
const snippet = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'm').exec(guide)?.[1] ?? '';

const folder = mkdtempSync(join(tmpdir(), 'immersion-trackers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = JSON.stringify(right(encodeExperiment(linear(8, 8))));

test('those for MLflow post every metric to its REST interface', async () => {
  const posted: { readonly path: string; readonly body: unknown }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      posted.push({ path: request.url ?? '', body: JSON.parse(text) });
      response.end(JSON.stringify({ run: { info: { run_id: 'a run' } } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? (address satisfies AddressInfo).port : 0;
  const path = join(root, 'spec', `.trackers-${process.pid}.ts`);
  const prelude = [
    "import { decodeExperiment } from 'immersion/dsl';",
    "import { fit } from 'immersion/runs';",
    `const decoded = decodeExperiment(${written});`,
    "if (decoded._tag === 'Left') throw new Error('no specification');",
    'const spec = decoded.right;',
  ];
  const text = [...prelude, snippet('ts').replaceAll('localhost:5000', `127.0.0.1:${port}`)].join('\n');
  writeFileSync(path, text);
  try {
    const flags = ['--conditions=immersion-source', '--import', 'tsx', path];
    const ended = await new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve) => {
      const child = spawn(process.execPath, flags, { cwd: root });
      let stderr = '';
      child.stderr.on('data', (chunk) => (stderr += String(chunk)));
      child.on('close', (code) => resolve({ code, stderr }));
    });
    expect(ended.code, ended.stderr).toBe(0);
  } finally {
    rmSync(path);
    server.close();
  }
  const paths = posted.map((one) => one.path);
  expect(paths[0]).toBe('/api/2.0/mlflow/runs/create');
  expect(new Set(paths.slice(1))).toEqual(new Set(['/api/2.0/mlflow/runs/log-batch']));
  expect(posted.at(1)?.body).toMatchObject({
    run_id: 'a run',
    metrics: expect.arrayContaining([expect.objectContaining({ key: 'validation/reconstruction', step: 0 })]),
  });
});

const hasPython = spawnSync('python3', ['--version']).status === 0;

test.skipIf(!hasPython)('those for Aim read the record of a run (with python3)', async () => {
  const spec = join(folder, 'spec.json');
  const out = join(folder, 'outputs', 'digits');
  writeFileSync(spec, written);
  expect((await run('train', spec, '--backend', 'wasm', '--out', out)).code).toBe(0);
  mkdirSync(join(folder, 'aim'));
  const stand = [
    'class Run:',
    '  def __init__(self, experiment): pass',
    "  def track(self, value, name, step, context): print(context['subset'], name, step, value)",
  ];
  writeFileSync(join(folder, 'aim', '__init__.py'), `${stand.join('\n')}\n`);
  const { stdout, status, stderr } = spawnSync('python3', ['-c', snippet('py')], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  const tracked = linesOf(stdout).filter((line) => line.startsWith('step loss'));
  expect(tracked).toHaveLength((await eventsOf(out)).filter(isStep).length);
});
