/** What Slurm's commands are given, and what they say means. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from '../../shared/command.js';
import { batchScript, slurmState } from '../../../runs/executors/slurm.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-slurm-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('Slurm', () => {
  test.each([
    ['12_3|PENDING||Priority', ['12_3', { tag: 'waiting' }]],
    [
      '12_3|PENDING||PartitionConfig',
      ['12_3', { cause: 'unfit', why: 'a job that Slurm will not start (PartitionConfig)' }],
    ],
    ['12_3|RUNNING|node7|None', ['12_3', { tag: 'running', where: 'node7' }]],
    ['12_3|COMPLETING|node7|None', ['12_3', { tag: 'running', where: 'node7' }]],
    ['12_3|CANCELLED|node7|None', ['12_3', { tag: 'ended', cause: 'stopped' }]],
    ['12_3|COMPLETED|node7|None', ['12_3', { cause: 'lost', why: 'a job that ended without a result' }]],
    ['12_3|FAILED|node7|NonZeroExitCode', ['12_3', { cause: 'lost', why: 'a job that ended with FAILED' }]],
    ['12_3|NODE_FAIL|node7|NodeDown', ['12_3', { cause: 'lost', why: 'a node that died' }]],
    [
      '12_3|TIMEOUT|node7|TimeLimit',
      ['12_3', { cause: 'lost', why: 'a job that ended with TIMEOUT (TimeLimit)' }],
    ],
    ['12_3|PREEMPTED|node7|None', ['12_3', { cause: 'lost', why: 'a job that ended with PREEMPTED' }]],
    ['12_3|OUT_OF_MEMORY|node7|OutOfMemory', ['12_3', { cause: 'lost' }]],
    ['12_3|something new|node7|None', ['12_3', { cause: 'lost' }]],
  ])('that says %s means %j', (line, state) => {
    expect(slurmState(line)).toMatchObject(state);
  });

  test('that says nothing of a job means nothing', () => {
    expect(slurmState('')).toBeUndefined();
  });

  test('runs of one script the line of its own task', () => {
    const jobs = ['a b', "it's"].map((name, i) => {
      const place = mkdtempSync(join(folder, name));
      writeFileSync(join(place, 'trial.json'), '{}');
      return { folder: place, ticket: `t-${i}`, bytes: 1 };
    });
    const command = { node: 'echo', bin: 'bin', root: '/my place', folder: '/', cpus: 1.5, options: [] };
    const script = batchScript(command, jobs);
    jobs.forEach(({ folder: place, ticket }, i) => {
      execFileSync('sh', { input: script, env: { ...process.env, SLURM_ARRAY_TASK_ID: String(i) } });
      const log = execFileSync('cat', [join(place, 'log.txt')], { encoding: 'utf8' });
      expect(log).toBe(`bin trial ${join(place, 'trial.json')} --job slurm/${ticket} --root /my place\n`);
    });
  });

  test('that is not there is one line', async () => {
    const spec = join(folder, 'spec.json');
    writeFileSync(spec, '{}');
    const before = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      const { code, stderr } = await run(
        'sweep',
        'examples/digits.ts',
        '--on',
        'slurm',
        '--out',
        join(folder, 'none'),
      );
      expect(code).toBe(1);
      expect(stderr).toEqual([
        'slurm: found no sbatch (spawn sbatch ENOENT), expected a Slurm cluster that takes jobs',
      ]);
    } finally {
      process.env['PATH'] = before;
    }
  });
});
