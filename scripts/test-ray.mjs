/** Tries sweeps on a real Ray cluster of two nodes on this machine. Needs Python 3.9 or newer with venv, and PyPI, the first time. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const version = '2.60.0';
const cache = process.env.IMMERSION_CACHE ?? join(homedir(), '.cache', 'immersion');
const folder = join(cache, `python-ray-${version}`);
const python = join(folder, 'bin', 'python3');

const run = (command, ...words) => {
  const { status, error } = spawnSync(command, words, { stdio: 'inherit' });
  if (status === 0) return;
  console.error(`test:ray: ${command} failed (${error?.message ?? `exit ${status}`})`);
  process.exit(1);
};

if (!existsSync(python) || spawnSync(python, ['-c', 'import ray']).status !== 0) {
  console.log(`installing ray ${version} for Python into ${folder}`);
  run(process.env.PYTHON ?? 'python3', '-m', 'venv', '--clear', folder);
  run(python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `ray[default]==${version}`);
}
process.env.IMMERSION_RAY = python;
const test = 'spec/runs/executors/ray-cluster.test.ts';
run(process.execPath, join('node_modules', 'vitest', 'vitest.mjs'), 'run', test, ...process.argv.slice(2));
