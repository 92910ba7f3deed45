/** A run from the command line leaves whole files, however it ends. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeExperiment, encodeExperiment } from '../dsl/index.js';
import { decodeSafetensors } from '../runtime/safetensors.js';
import { json, linear, linesOf, run, spawned } from './command.js';
import { right } from './either.js';
import { at } from './json.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spec = join(folder, 'linear.json');
writeFileSync(spec, JSON.stringify(right(encodeExperiment(linear(8, 8)))));

describe('a run', () => {
  test('leaves its specification, its record line by line, its weights and its report', async () => {
    const out = join(folder, 'run');
    const set = ['--set', 'eta=0.2', '--steps', '3', '--seed', '5'];
    const { code, stdout, stderr } = await run(
      'train',
      spec,
      '--backend',
      'wasm',
      ...set,
      '--report',
      '--out',
      out,
      '--json',
    );
    expect(stderr.filter((line) => /^backend .*wasm/.test(line))).toHaveLength(1);
    const result = json(stdout);
    expect(result).toMatchObject({ ok: true, seed: 5, backend: 'wasm', steps: 3, skipped: 0 });
    expect(at(result, ['validation', 'step'])).toBe(3);
    expect(result['geometry']).toMatchObject({ points: 256, dimension: 3, degenerate: 0, lambda: 1 });
    expect(at(result, ['geometry', 'violations', 'eta'])).toBe(0.2);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('singular values');
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      'record.jsonl',
      'report.html',
      'spec.json',
      'weights.safetensors',
    ]);

    const kept = right(decodeExperiment(JSON.parse(readFileSync(join(out, 'spec.json'), 'utf8'))));
    expect(kept.steps).toBe(3);
    // Validation before the first step, after the second and after the last.
    const record = linesOf(readFileSync(join(out, 'record.jsonl'), 'utf8')).map(json);
    expect(record.map(({ tag }) => tag)).toEqual([
      'validation',
      'step',
      'step',
      'validation',
      'step',
      'validation',
    ]);
    const weights = right(decodeSafetensors('weights', readFileSync(join(out, 'weights.safetensors'))));
    expect(weights.get('encoder/1.dense/kernel')?.shape).toEqual([64, 3]);
    expect(weights.size).toBe(4 * 3);
  });

  test('a second run with the same seed leaves the same weights', async () => {
    const weights = async (name: string): Promise<Uint8Array> => {
      const out = join(folder, name);
      expect((await run('train', spec, '--seed', '9', '--out', out)).code).toBe(0);
      return readFileSync(join(out, 'weights.safetensors'));
    };
    expect(await weights('first')).toEqual(await weights('second'));
  });

  test('a run whose every step is not finite fails and says so', async () => {
    const out = join(folder, 'infinite');
    const { code, stderr } = await run(
      'train',
      spec,
      '--set',
      'prior=1e38',
      '--set',
      'eta=1e30',
      '--out',
      out,
    );
    expect(code).toBe(1);
    expect(stderr.filter((line) => line.startsWith('step 0 was skipped'))).toHaveLength(1);
    expect(stderr.at(-1)).toMatch(
      /^objective: found no finite step among 4, expected a finite loss and gradient/,
    );
  });

  test('Ctrl-C ends it between two steps, with the record and the weights of the last one', async () => {
    const out = join(folder, 'interrupted');
    const { code, stdout, stderr } = await spawned(
      folder,
      ['train', spec, '--steps', '100000', '--out', out, '--json'],
      (line, signal) => {
        if (line.startsWith('backend ')) setTimeout(() => signal('SIGINT'), 300);
      },
    );
    expect(stderr.at(-1)).toMatch(/^interrupted after \d+ steps in \d+ s; the run is in /);
    expect(code).toBe(130);
    expect(json(stdout)).toMatchObject({ ok: false, interrupted: true, geometry: null });
    expect(readdirSync(out).sort()).toEqual(['record.jsonl', 'spec.json', 'weights.safetensors']);
    const record = linesOf(readFileSync(join(out, 'record.jsonl'), 'utf8')).map(json);
    const steps = record.filter(({ tag }) => tag === 'step');
    expect(steps.at(-1)).toMatchObject({ step: steps.length - 1 });
    right(decodeSafetensors('weights', readFileSync(join(out, 'weights.safetensors'))));
  });
});
