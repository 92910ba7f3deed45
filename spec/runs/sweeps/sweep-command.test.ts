/** `immersion sweep` and `immersion trial` as processes: a sweep that was killed goes on, and no trial outlives its sweep. */
import { atLeast } from '../../../dsl/lookup.js';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeExperiment } from '../../../dsl/index.js';
import { evaluationCodec, plainEvaluation } from '../../../evaluation/index.js';
import { encodeTrial } from '../../../runs/index.js';
import { lockFolder } from '../../../runs/run/lock.js';
import { json, linear, root, run, spawned } from '../../shared/command.js';
import { right } from '../../shared/either.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-sweep-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spec = join(folder, 'linear.json');
writeFileSync(spec, JSON.stringify(right(encodeExperiment(linear(8, 8)))));

const results = (out: string): readonly string[] =>
  existsSync(join(out, 'trials'))
    ? readdirSync(join(out, 'trials')).filter((key) => existsSync(join(out, 'trials', key, 'result.json')))
    : [];

const trialFile = (name: string, steps: number): string => {
  const trial = { spec: { ...linear(8, 8), steps }, settings: {}, seed: 3, heldOut: 0.2 };
  const run = { backend: 'wasm', device: 'auto', evaluation: { ...plainEvaluation, pictures: 2 } };
  const path = join(mkdtempSync(join(folder, name)), 'trial.json');
  writeFileSync(path, JSON.stringify(right(encodeTrial(evaluationCodec)({ ...trial, ...run }))));
  return path;
};

describe('a sweep', () => {
  test('that was killed goes on where it was, reports the trial that fails and ends with code 1', async () => {
    const out = join(folder, 'killed');
    const args = ['sweep', spec, '--grid', 'lambda=1,2,0', '--backend', 'wasm', '--jobs', '1', '--out', out];
    await spawned(folder, args, (line, signal) => {
      if (line.startsWith('1/3')) signal('SIGKILL');
    });
    const done = results(out);
    expect(done.length).toBeGreaterThanOrEqual(1);
    expect(done.length).toBeLessThan(3);
    const times = done.map((key) => readFileSync(join(out, 'trials', key, 'result.json'), 'utf8'));

    const { code, stdout, stderr } = await spawned(folder, [...args, '--json']);
    expect(code).toBe(1);
    // The trial that ran then may have ended just before it was told to.
    const kept = Number(/^(\d) of 3 were done before$/m.exec(stderr.join('\n'))?.[1]);
    expect(kept).toBeGreaterThanOrEqual(done.length);
    expect(stderr.filter((line) => /^\d\/3 /.test(line))).toHaveLength(3 - kept);
    expect(done.map((key) => readFileSync(join(out, 'trials', key, 'result.json'), 'utf8'))).toEqual(times);
    const result = json(stdout);
    expect(result).toMatchObject({ ok: false, interrupted: false, folder: out });
    expect(result.trials).toMatchObject([
      { settings: { lambda: 1 }, ok: true, result: { steps: 4 } },
      { settings: { lambda: 2 }, ok: true },
      { settings: { lambda: 0 }, ok: false, problems: [{ path: 'objective.volume.right' }] },
    ]);
    // All are done: in this process, and with words instead of data.
    const again = await run(...args);
    expect(again.code).toBe(1);
    expect(again.stdout.split('\n').map((line) => line.trim().split(/\s+/)[0])).toEqual([
      'lambda',
      '1',
      '2',
      '0',
      '',
    ]);

    // What one could not measure is said of it, and the sweep is no worse for it.
    const path = join(out, 'trials', Object(result.trials)[0].key, 'result.json');
    const whole = json(readFileSync(path, 'utf8'));
    const missing = [{ path: 'validation.logDensity', found: 'not a number', expected: 'a density' }];
    writeFileSync(path, JSON.stringify({ ...whole, result: { ...Object(whole.result), missing } }));
    expect((await run(...args)).stderr).toContain(
      'lambda=1 seed=0 lacks a figure: validation.logDensity: found not a number, expected a density',
    );
  });

  test('ends its trials on Ctrl-C, with code 130 and no half result', async () => {
    const out = join(folder, 'interrupted');
    const args = ['sweep', spec, '--steps', '1000000', '--backend', 'wasm', '--out', out];
    const { code, stderr } = await spawned(folder, args, (line, signal) => {
      if (!/^1 trials? in/.test(line)) return;
      const trials = join(out, 'trials');
      const timer = setInterval(() => {
        const begun =
          existsSync(trials) && readdirSync(trials).some((key) => existsSync(join(trials, key, 'run.json')));
        if (!begun) return;
        clearInterval(timer);
        signal('SIGINT');
      }, 20);
    });
    expect(stderr.at(-1)).toMatch(/^interrupted; the same command goes on in /);
    expect(code).toBe(130);
    const [key] = atLeast(1, readdirSync(join(out, 'trials')));
    const trial = join(out, 'trials', key);
    expect(readdirSync(trial)).toEqual(expect.arrayContaining(['log.txt', 'trial.json']));
    expect(readdirSync(trial).filter((name) => /^result|^weights|^arrays|partial/.test(name))).toEqual([]);
    // Whoever held its folder has ended.
    right(lockFolder(trial)).release();
  });
});

describe('the scores of a sweep', () => {
  const scored = async (name: string, ...words: readonly string[]) => {
    const args = ['sweep', spec, '--features', 'pixels', '--backend', 'wasm', '--out', join(folder, name)];
    const { code, stdout, stderr } = await run(...args, ...words);
    expect(code).toBe(0);
    return { stdout, stderr: stderr.join('\n') };
  };

  test('are those of held-out examples, until those of the test examples are asked for', async () => {
    const usual = await scored('scored');
    expect(usual.stdout).toContain('validation/mixture/frechet/pixels');
    expect(usual.stdout).not.toContain('test/');
    const more = await scored('scored', '--test');
    expect(more.stderr).toContain('1 of 1 were done before');
    expect(more.stdout).toContain('validation/mixture/frechet/pixels');
    expect(more.stdout).toContain('test/mixture/frechet/pixels');
  });

  test('are of samples of the priors that are named, and of no others', async () => {
    const { stdout } = await scored('standard', '--priors', 'standard');
    expect(stdout).toContain('validation/standard/frechet/pixels');
    expect(stdout).not.toContain('mixture');
  });

  test('are those of the test examples where nothing is held out, and that is said', async () => {
    const unheld = await scored('unheld', '--held-out', '0');
    expect(unheld.stdout).toContain('test/mixture/frechet/pixels');
    expect(unheld.stderr).toMatch(/^nothing was held out to validate on: .* is not tested by them$/m);
  });
});

describe('a trial', () => {
  test('leaves its figures and its pictures, the same each time', async () => {
    const path = trialFile('trial-', 3);
    const first = await run('trial', path, '--json');
    expect(first.code).toBe(0);
    expect(json(first.stdout)).toMatchObject({ ok: true, result: { backend: 'wasm', steps: 3, skipped: 0 } });
    const files = readdirSync(join(path, '..')).sort();
    expect(files).toEqual(expect.arrayContaining(['arrays.safetensors', 'result.json', 'trial.json']));
    // The folder of a trial is one of a run: with its specification and its weights.
    expect(files).toEqual(expect.arrayContaining(['run.json', 'spec.json', 'weights.safetensors']));
    const measures = (text: string): unknown => Object(json(text).result).measures;
    const again = await run('trial', path, '--json');
    expect(measures(again.stdout)).toEqual(measures(first.stdout));
  });

  test('ends with the process that started it', async () => {
    const command = join(root, 'bin/immersion.mjs');
    const child = spawn(process.execPath, [command, 'trial', trialFile('orphan-', 1_000_000)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.once('data', () => child.disconnect());
    // The pipe ends when the last process that writes to it has.
    const ended = new Promise<boolean>((resolve) => child.stderr?.on('end', () => resolve(true)));
    expect(await ended).toBe(true);
  });

  test('that fails says why in its result, and one that is none is a problem', async () => {
    const path = trialFile('failing-', 3);
    const trial = { ...json(readFileSync(path, 'utf8')), settings: { etta: 1 } };
    writeFileSync(path, JSON.stringify(trial));
    const { code, stderr } = await run('trial', path);
    expect(code).toBe(1);
    expect(stderr).toEqual([expect.stringMatching(/^--set etta: found "etta".*did you mean "eta"/)]);
    expect(json(readFileSync(join(path, '../result.json'), 'utf8'))).toMatchObject({
      ok: false,
      problems: [{ path: '--set etta' }],
    });
    expect((await run('trial', spec)).stderr[0]).toMatch(/^(encoder|decoder|networks|spec|objective)/);
    expect((await run('trial', join(folder, 'nowhere.json'))).stderr).toEqual([
      expect.stringMatching(/nowhere\.json: found no such file, expected a trial as JSON$/),
    ]);
  });
});

/** Words after `sweep SPEC` → what is said, and nothing is written. */
const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'a name that is none',
    ['--grid', 'etta=1,2'],
    /^--set etta: found "etta", expected one of .*did you mean "eta"/,
  ],
  ['a grid without values', ['--grid', 'eta'], /^--grid: found "eta", expected NAME=A,B,…$/],
  [
    'a distribution that is none',
    ['--random', 'eta=normal:0:1'],
    /^--random: found "eta=normal:0:1", expected NAME=uniform/,
  ],
  [
    'a backward interval',
    ['--random', 'eta=uniform:2:1'],
    /^--random uniform:2:1: found 1, expected a number of at least 2$/,
  ],
  ['no trials at once', ['--jobs', '0'], /^--jobs: found "0", expected a positive integer$/],
  ['no seeds', ['--seeds', '0'], /^--seeds: found "0", expected a positive integer$/],
  [
    'a part that is none',
    ['--held-out', '1.5'],
    /^--held-out: found "1.5", expected a part below 1 or a number of examples$/,
  ],
  [
    'an unknown backend',
    ['--backend', 'wasn'],
    /^--backend: found "wasn", expected one of .*did you mean "wasm"/,
  ],
  [
    'a metric that is none',
    ['--metrics', 'frechett'],
    /^--metrics: found "frechett", expected some of .*did you mean "frechet"/,
  ],
  [
    'a prior that is none',
    ['--priors', 'gausian'],
    /^--priors: found "gausian", expected some of standard, gaussian, mixture, flow, matching \(did you mean "gaussian"/,
  ],
  [
    'examples of more numbers than their samples can carry',
    ['--features', 'raw'],
    /^features: found "raw", the 64 numbers of an example of digits.*, expected at most \d+ for \d+ examples/,
  ],
  ['other data that is not there', ['--outside', 'digitz'], /^data: found "digitz".*did you mean "digits"/],
  [
    'other data of another shape',
    ['--outside', 'circle?count=60'],
    /^circle\?count=60: found examples of shape \[2\], expected \[8,8,1\], as the model takes them$/,
  ],
  ['data that is not there', ['--data', 'digitz'], /^data: found "digitz".*did you mean "digits"/],
];

test.each(mistakes)('%s is one line, exit code 1, and nothing is written', async (_, words, line) => {
  const out = join(folder, 'never');
  const { code, stdout, stderr } = await run('sweep', spec, ...words, '--out', out);
  expect(stderr).toEqual([expect.stringMatching(line)]);
  expect(stdout).toBe('');
  expect(code).toBe(1);
  expect(existsSync(out)).toBe(false);
});
