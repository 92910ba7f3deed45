/** Tries sweeps on a real Slurm of two nodes on this machine, made of Debian's packages; where they are missing, apt installs them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const run = (environment, command, ...words) => {
  const { status, error } = spawnSync(command, words, {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (status === 0) return;
  console.error(`test:slurm: ${command} failed (${error?.message ?? `exit ${status}`})`);
  process.exit(1);
};

const packages = { slurmctld: 'slurmctld', slurmd: 'slurmd', sbatch: 'slurm-client', munged: 'munge' };
const missing = Object.keys(packages).filter(
  (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
);
if (missing.length > 0) {
  const names = missing.map((name) => packages[name]);
  console.log(`installing ${names.join(', ')}`);
  run({}, 'apt-get', 'update', '-qq');
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  run(quiet, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...names);
}
const test = 'spec/runs/executors/slurm-cluster.test.ts';
const vitest = join('node_modules', 'vitest', 'vitest.mjs');
run({ IMMERSION_SLURM: '1' }, process.execPath, vitest, 'run', test, ...process.argv.slice(2));
