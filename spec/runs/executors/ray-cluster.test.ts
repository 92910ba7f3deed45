/** On a real Ray cluster of two nodes: `npm run test:ray`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stops, survives } from '../../shared/cluster-scenario.js';
import { type RayCluster, startRay } from '../../shared/ray.js';

const python = process.env['IMMERSION_RAY'] ?? '';

describe.runIf(python !== '')('a Ray cluster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'immersion-on-ray-'));
  let ray: RayCluster;
  beforeAll(async () => {
    ray = await startRay(python);
    process.env['RAY_AUTH_TOKEN'] = ray.token;
  }, 400_000);
  afterAll(() => {
    delete process.env['RAY_AUTH_TOKEN'];
    ray.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const jobs = async (): Promise<readonly string[]> => {
    const answer = await fetch(`${ray.address}/api/jobs/`, {
      headers: { authorization: `Bearer ${ray.token}` },
    });
    const list: unknown = await answer.json();
    return Array.isArray(list) ? list.map((one: unknown) => String(Object(one).status)) : [];
  };

  test('that loses a node, and a sweep that loses its command, end with the table of the local pool', async () => {
    const { address, token, second, killSecond } = ray;
    await survives({
      folder,
      on: ['--on', `ray=${address}`],
      victim: second,
      kill: killSecond,
      secrets: [token],
    });
  }, 600_000);

  test('runs nothing after Ctrl-C', async () => {
    await stops(folder, ['--on', `ray=${ray.address}`]);
    expect((await jobs()).filter((status) => status === 'RUNNING')).toEqual([]);
  }, 120_000);
});
