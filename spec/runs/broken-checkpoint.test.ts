/** A checkpoint that was cut short: the one before it is taken, said in one line, and the run ends with the bits that it would have had. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadData } from '../../data/index.js';
import { adam, dense, experiment, flatten, input, network, pipe, reshape } from '../../dsl/index.js';
import { ae } from '../../objectives/index.js';
import { openRun, resume, type TrainEvent, trainRun } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { run } from '../shared/command.js';
import { left, right } from '../shared/either.js';

const root = mkdtempSync(join(tmpdir(), 'immersion-broken-'));
afterAll(() => rmSync(root, { recursive: true }));

const backend = backends.wasm;
const encoder = network('encoder', pipe(input(8, 8, 1), flatten, dense(3)));
const decoder = network('decoder', pipe(input(3), dense(64), reshape(8, 8, 1)));
const spec = experiment({
  encoder,
  decoder,
  objective: ae(encoder, decoder),
  optimizer: adam({ rate: 3e-3 }),
  batch: 16,
  steps: 20,
  data: 'digits',
  validation: { every: 10 },
});

/** Trained to its end with checkpoints of steps 10, 15 and 20. */
const whole = join(root, 'whole');
beforeAll(async () => {
  const data = right(await loadData('digits')());
  const checkpoints = { every: { tag: 'steps', steps: 5 }, keep: 3, best: false } as const;
  const trained = await trainRun(spec, {
    data,
    backend,
    seed: 1,
    policy: { checkpoints },
    keep: { name: 'whole', out: whole, root: process.cwd() },
  });
  right(trained).model.dispose();
});

let copies = 0;
const copy = (): string => {
  copies += 1;
  const folder = join(root, String(copies));
  cpSync(whole, folder, { recursive: true });
  return folder;
};
const at = (folder: string, step: number): string =>
  join(folder, 'checkpoints', `${String(step).padStart(8, '0')}.safetensors`);

/** In the header, among the arrays, before its last byte; and a file that is there and empty. */
const cuts = [0, 4, 200, 1000, -1] as const;
const cut = (path: string, to: number): void =>
  truncateSync(path, to < 0 ? readFileSync(path).length + to : to);

describe('a last checkpoint that is cut short', () => {
  test.each(cuts)('at byte %i gives way to the one before it', async (to) => {
    const folder = copy();
    cut(at(folder, 20), to);
    const opened = right(await openRun(folder, { backend }));
    expect(opened.step).toBe(15);
    expect(opened.broken).toMatch(
      /^\S*00000020\.safetensors: found .*; the checkpoint of step 15 before it is taken$/,
    );
    opened.dispose();

    const events: TrainEvent[] = [];
    const resumed = right(await resume(folder, { backend, onEvent: (event) => void events.push(event) }));
    expect(resumed.summary.steps).toBe(20);
    expect(events.filter(({ tag }) => tag === 'notice')).toMatchObject([
      { notice: 'passed', step: 15, text: opened.broken },
    ]);
    expect(readFileSync(join(folder, 'weights.safetensors'))).toEqual(
      readFileSync(join(whole, 'weights.safetensors')),
    );
    expect(readdirSync(join(folder, 'checkpoints')).sort()).toEqual(
      readdirSync(join(whole, 'checkpoints')).sort(),
    );
    resumed.model.dispose();
  });

  test('is passed over with others that are', async () => {
    const folder = copy();
    [15, 20].forEach((step) => cut(at(folder, step), 100));
    const opened = right(await openRun(folder, { backend }));
    expect(opened.step).toBe(10);
    expect(opened.broken?.split('\n')).toHaveLength(1);
    expect(opened.broken).toMatch(/00000020.*00000015/);
    opened.dispose();
  });

  test('is what is told where none is whole, and where it is the one that was asked for', async () => {
    const folder = copy();
    [10, 15, 20].forEach((step) => cut(at(folder, step), 100));
    const path = at(folder, 20);
    expect(left(await openRun(folder, { backend }))).toMatchObject([{ path }]);
    copyFileSync(at(whole, 15), at(folder, 15));
    expect(left(await openRun(folder, { backend, at: 20 }))).toMatchObject([{ path }]);
  });

  test('that holds something else is broken too; one that is no file is not', async () => {
    const folder = copy();
    writeFileSync(at(folder, 20), 'not arrays');
    const other = right(await openRun(folder, { backend }));
    expect(other.step).toBe(15);
    other.dispose();
    rmSync(at(folder, 20));
    mkdirSync(at(folder, 20));
    expect(left(await openRun(folder, { backend }))).toMatchObject([
      { path: at(folder, 20), found: 'a folder' },
    ]);
  });

  test('is said by the commands', async () => {
    const folder = copy();
    cut(at(folder, 20), 100);
    const codes = await run(
      'encode',
      folder,
      'digits',
      '--backend',
      'wasm',
      '--out',
      join(folder, 'codes.csv'),
    );
    expect(codes.code, codes.stderr.join('\n')).toBe(0);
    expect(codes.stderr.filter((line) => line.includes('the checkpoint of step 15'))).toHaveLength(1);
    const resumed = await run('resume', folder, '--backend', 'wasm');
    expect(resumed.code, resumed.stderr.join('\n')).toBe(0);
    expect(resumed.stderr.filter((line) => line.includes('the checkpoint of step 15'))).toHaveLength(1);
  });
});
