/** A run from the command line leaves whole files, however it ends. */
import { atLeast } from '../../dsl/lookup.js';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as d from '../../dsl/index.js';
import { logNormal } from '../../objectives/index.js';
import { decodeSafetensors } from '../../backends/safetensors.js';
import { json, linear, linesOf, root, run, spawned } from '../shared/command.js';
import { right } from '../shared/either.js';
import { at } from '../shared/json.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spec = join(folder, 'linear.json');
writeFileSync(spec, JSON.stringify(right(d.encodeExperiment(linear(8, 8)))));

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
    expect(result['density']).toBeNull();
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('singular values');
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      'checkpoints',
      'examples.safetensors',
      'preprocessing.json',
      'record.jsonl',
      'report.html',
      'run.json',
      'spec.json',
      'weights.safetensors',
    ]);

    const kept = right(d.decodeExperiment(JSON.parse(readFileSync(join(out, 'spec.json'), 'utf8'))));
    expect(kept.steps).toBe(3);
    // Validation before the first step, after the second and after the last; then the test.
    const record = linesOf(readFileSync(join(out, 'record.jsonl'), 'utf8')).map(json);
    expect(record.map(({ tag }) => tag)).toEqual([
      'validation',
      'step',
      'step',
      'validation',
      'step',
      'validation',
      'test',
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
      /^objective\.prior: found Infinity at each of 4 steps, expected a finite loss and gradient/,
    );
  });

  describe('with a decoder that ignores a latent dimension', () => {
    const trained = (name: string, layers: Parameters<typeof d.network>[1]['layers']) => {
      const encoder = d.network('encoder', d.pipe(d.input(2), d.dense(2)));
      const decoder = { ...d.network('decoder', d.pipe(d.input(2), d.dense(2))), layers };
      const z = d.apply(encoder, d.data(2));
      const volume = d.volume(decoder, z, { method: 'exact' });
      const experiment = d.experiment({
        encoder,
        decoder,
        objective: { volume },
        logDensity: d.sub(logNormal(2)(z), volume),
        optimizer: d.adam({ rate: 1e-3 }),
        batch: 20,
        steps: 5,
        data: 'sine?count=100&test=30',
        validation: { every: 0 },
      });
      const path = join(folder, `${name}.json`);
      writeFileSync(path, JSON.stringify(right(d.encodeExperiment(experiment))));
      return run('train', path, '--backend', 'wasm', '--report', '--out', join(folder, name), '--json');
    };

    test('it trains, and says in one line that there is no density', async () => {
      const { code, stdout, stderr } = await trained(
        'flat',
        d.pipe(d.input(2), d.dense(1), d.dense(2)).layers,
      );
      expect(code).toBe(0);
      expect(json(stdout)).toMatchObject({ ok: true, density: null });
      expect(stderr.filter((line) => line.includes('density'))).toEqual([
        'no density: logDensity: found not a number for 30 of 30 examples, the first of them number 0, expected a density of every example (is the example finite, and does the decoder move along every latent dimension there? Leave out those that it ignores)',
      ]);
      expect(readdirSync(join(folder, 'flat'))).toEqual(
        expect.arrayContaining(['report.html', 'weights.safetensors']),
      );
    });

    test('where it ignores all of them no step is taken, and the line says which term is at fault', async () => {
      const { code, stderr } = await trained(
        'constant',
        d.pipe(d.input(2), d.dense(2, { kernel: d.zeros })).layers,
      );
      expect(code).toBe(1);
      expect(stderr.at(-1)).toMatch(
        /^objective\.volume: found NaN at each of 5 steps, expected a finite loss and gradient \(JᵀJ has no Cholesky factor where the decoder ignores a latent dimension; see .*record\.jsonl\)$/,
      );
      expect(readdirSync(join(folder, 'constant'))).toContain('weights.safetensors');
    });
  });

  test('of a model with a density ends with its likelihood and its distance', async () => {
    const { stdout, stderr } = await run(
      'train',
      join(root, 'examples/linear.ts'),
      ...['--steps', '2', '--batch', '20', '--data', 'linear?codimension=1&count=40&test=30'],
      ...['--backend', 'wasm', '--out', join(folder, 'density'), '--report', '--json'],
    );
    const [nll, optimal, distance] = atLeast(
      3,
      ['nll', 'optimal', 'distance'].map((key) => Number(at(json(stdout), ['density', key]))),
    );
    expect(optimal).toBeCloseTo(2.248, 2);
    const told = `negative log-likelihood ${nll.toFixed(3)} nats (2.248 is the least on the true manifold), at an RMS distance of ${distance.toPrecision(3)} `;
    expect(stderr.join('\n')).toContain(told);
    const page = readFileSync(join(folder, 'density', 'report.html'), 'utf8');
    expect(page).toContain('the true manifold</figcaption><svg');
    expect(page).toContain('ln p(x) = ');
    expect(page.match(/<h3>decoder /g)).toHaveLength(1);
    expect(page).toContain(`<dd>${nll.toFixed(3).replace('-', '−')} nats</dd>`);
  });

  test('Ctrl-C ends it between two steps, with the record and the weights of the last one', async () => {
    const out = join(folder, 'was interrupted');
    const { code, stdout, stderr } = await spawned(
      folder,
      ['train', spec, '--steps', '100000', '--out', out, '--backend', 'wasm', '--json'],
      (line, signal) => {
        if (line.startsWith('backend ')) setTimeout(() => signal('SIGINT'), 300);
      },
    );
    expect(stderr.at(-2)).toMatch(/^interrupted after \d+ steps in \d+ s; the run is in /);
    expect(stderr.at(-1)).toBe("go on with it: immersion resume 'was interrupted'");
    expect(code).toBe(130);
    expect(json(stdout)).toMatchObject({ ok: false, interrupted: true, geometry: null });
    expect(readdirSync(out).sort()).toEqual([
      'checkpoints',
      'examples.safetensors',
      'preprocessing.json',
      'record.jsonl',
      'run.json',
      'spec.json',
      'weights.safetensors',
    ]);
    const record = linesOf(readFileSync(join(out, 'record.jsonl'), 'utf8')).map(json);
    const steps = record.filter(({ tag }) => tag === 'step');
    expect(steps.at(-1)).toMatchObject({ step: steps.length - 1 });
    right(decodeSafetensors('weights', readFileSync(join(out, 'weights.safetensors'))));
  });
});
