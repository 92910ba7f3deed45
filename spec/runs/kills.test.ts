/** A run that is killed, at any moment and as often as one likes, ends with the weights of one that was not, to the bit. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { uniforms } from '../../dsl/random.js';
import { linesOf, root } from '../shared/command.js';
import { eachRunner } from '../shared/each-runner.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-kills-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** `npm run test:kills` asks for 50. */
const kills = Number(process.env['IMMERSION_KILLS'] ?? 2);
const seed = Number(process.env['IMMERSION_SEED'] ?? 1);

type Ended = { readonly ended: boolean; readonly stderr: string; readonly milliseconds: number };

/** Trains, or goes on, until the end or until so many milliseconds after the training began. */
const train = (out: string, backend: string, after?: number): Promise<Ended> =>
  new Promise((resolve) => {
    const flags = ['--conditions=immersion-source', '--import', 'tsx', join(root, 'spec/runs/kill-run.ts')];
    const child = spawn(process.execPath, [...flags, out, backend], { cwd: root });
    let stdout = '';
    let stderr = '';
    let began = 0;
    child.stderr.on('data', (text) => (stderr += String(text)));
    child.stdout.on('data', (text) => {
      stdout += String(text);
      if (began > 0) return;
      began = performance.now();
      if (after !== undefined) setTimeout(() => child.kill('SIGKILL'), after);
    });
    child.on('close', () =>
      resolve({ ended: stdout.includes('ended'), stderr, milliseconds: performance.now() - began }),
    );
  });

eachRunner(['wasm', 'native'], (backend) => {
  test(`killed ${kills} times, each at a random moment`, { timeout: 60_000 + 90_000 * kills }, async () => {
    const whole = join(folder, `${backend}-whole`);
    const { ended, stderr, milliseconds } = await train(whole, backend);
    expect(ended, stderr).toBe(true);
    const wanted = readFileSync(join(whole, 'weights.safetensors'));
    const steps = (out: string): readonly string[] =>
      linesOf(readFileSync(join(out, 'record.jsonl'), 'utf8')).map((line) =>
        line.replace(/"seconds":[^,}]*/, ''),
      );
    const record = steps(whole);
    expect(record.filter((line) => line.includes('"step"')).length).toBeGreaterThan(240);

    let done = 0;
    for (let run = 0; done < kills; run++) {
      const out = join(folder, `${backend}-${run}`);
      for (let at = 0; ; at++) {
        const [moment = 0] = uniforms([seed, run], [at, 0, 0], 1);
        const tried = await train(out, backend, done < kills ? moment * milliseconds : undefined);
        if (tried.ended) break;
        done++;
        expect(tried.stderr).toBe('');
        // One that was killed before it had begun begins again.
        if (!existsSync(join(out, 'run.json'))) rmSync(out, { recursive: true, force: true });
      }
      expect(readFileSync(join(out, 'weights.safetensors')).equals(wanted)).toBe(true);
      expect(steps(out)).toEqual(record);
    }
  });
});
