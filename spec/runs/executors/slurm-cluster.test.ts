/** On a real Slurm of two nodes: `npm run test:slurm`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { specIn, stops, survives } from '../../shared/cluster-scenario.js';
import { run } from '../../shared/command.js';
import { type SlurmCluster, startSlurm } from '../../shared/slurm.js';

describe.runIf(process.env['IMMERSION_SLURM'] === '1')('Slurm', () => {
  const folder = mkdtempSync(join(tmpdir(), 'immersion-on-slurm-'));
  let slurm: SlurmCluster;
  beforeAll(async () => {
    slurm = await startSlurm();
    process.env['SLURM_CONF'] = slurm.configuration;
  }, 400_000);
  afterAll(() => {
    delete process.env['SLURM_CONF'];
    slurm.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  test('runs nothing after Ctrl-C', async () => {
    await stops(folder, ['--on', 'slurm']);
    expect(execFileSync('squeue', ['--noheader', '--states=RUNNING,PENDING'], { encoding: 'utf8' })).toBe('');
  }, 120_000);

  test('that cannot take a job as it is says so in one line', async () => {
    const out = join(folder, 'large');
    const { code, stderr } = await run(
      'sweep',
      specIn(folder),
      '--out',
      out,
      '--on',
      'slurm',
      '--cpus',
      '64',
    );
    expect(code).toBe(1);
    expect(stderr.at(-1)).toMatch(
      /^slurm: found a job that Slurm will not start \(\w+\), expected a node that can run a trial/,
    );
  });

  test('that loses a node, and a sweep that loses its command, end with the table of the local pool', async () => {
    const { second, killSecond } = slurm;
    await survives({ folder, on: ['--on', 'slurm'], victim: second, kill: killSecond, secrets: [] });
  }, 600_000);
});
