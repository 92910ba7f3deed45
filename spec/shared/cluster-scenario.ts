/** What a sweep has to go through on a cluster: it loses a node and the command that started it, and ends with the local pool's table. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { encodeExperiment } from '../../dsl/index.js';
import { type Ended, json, linear, spawned } from './command.js';
import { right } from './either.js';
import { processes } from './processes.js';

export type Scenario = {
  /** An empty folder that all nodes see. */
  readonly folder: string;
  /** The options that say where the trials run. */
  readonly on: readonly string[];
  /** The node that is to be lost, as the cluster calls it. */
  readonly victim: string;
  readonly kill: () => void;
  /** What must be in no file and in no line. */
  readonly secrets: readonly string[];
};

/** Some seconds of training: a node is lost in the middle. */
const STEPS = 20_000;

/** How long a process may take to end, on a machine that is busy. */
const ENDING = 30_000;

const trialsIn = (folder: string): readonly string[] =>
  existsSync(join(folder, 'trials')) ? readdirSync(join(folder, 'trials')).sort() : [];

/** One that it did not begin with. */
const hasCheckpoint = (folder: string): boolean => {
  const place = join(folder, 'checkpoints');
  return existsSync(place) && readdirSync(place).some((name) => /^0*[1-9]\d*\.safetensors$/.test(name));
};

/** What is trained, in a file of the folder. */
export const specIn = (folder: string): string => {
  const spec = join(folder, 'linear.json');
  const experiment = { ...linear(8, 8), steps: STEPS, validation: { every: 10_000 } };
  writeFileSync(spec, JSON.stringify(right(encodeExperiment(experiment))));
  return spec;
};

/** Without what a clock says. */
const record = (path: string): readonly string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.replace(/"seconds":[^,}]*/, ''));

export const survives = async ({ folder, on, victim, kill, secrets }: Scenario): Promise<void> => {
  const spec = specIn(folder);
  const sweep = (out: string, ...words: readonly string[]): readonly string[] => [
    ...[
      'sweep',
      spec,
      '--grid',
      'lambda=1,2,3,4',
      '--seeds',
      '2',
      '--backend',
      'wasm',
      '--out',
      out,
      ...words,
    ],
  ];
  const [near, far] = [join(folder, 'near'), join(folder, 'far')];
  const local = await spawned(folder, sweep(near));
  expect(local.code, local.stderr.join('\n')).toBe(0);

  const words = sweep(far, '--checkpoints', 'every=1s', ...on);
  const lost: string[] = [];
  /** The trial that a label means, by the settings in its folder. */
  const keyOf = (label: string): string =>
    trialsIn(far).find((key) => {
      const trial = json(readFileSync(join(far, 'trials', key, 'trial.json'), 'utf8'));
      return label === `lambda=${Object(trial['settings']).lambda} seed=${trial['seed']}`;
    }) ?? '';
  const first: Ended = await spawned(folder, words, (line, signal) => {
    const label = new RegExp(`^(\\S+ \\S+) {2}running on ${victim.replaceAll('.', '\\.')}$`).exec(line)?.[1];
    if (label !== undefined && lost.length === 0) {
      const key = keyOf(label);
      lost.push(key);
      const timer = setInterval(() => {
        if (existsSync(join(far, 'trials', key, 'result.json'))) {
          // It was faster; the next one there is lost.
          clearInterval(timer);
          lost.pop();
        } else if (hasCheckpoint(join(far, 'trials', key))) {
          clearInterval(timer);
          kill();
        }
      }, 50);
    }
    if (/try 2 of 3$/.test(line)) setTimeout(() => signal('SIGKILL'), 100);
  });
  const before = first.stderr.join('\n');
  expect(first.code, before).toBe(-1);
  expect(before).toMatch(/a node that died; try 2 of 3$/m);
  expect(
    trialsIn(far).filter((key) => existsSync(join(far, 'trials', key, 'result.json'))).length,
  ).toBeLessThan(8);

  const second = await spawned(folder, words);
  const told = second.stderr.join('\n');
  expect(second.code, told).toBe(0);
  expect(told).toContain('goes on with what is there');
  expect(second.stdout).toBe(local.stdout);

  expect(trialsIn(far)).toEqual(trialsIn(near));
  for (const key of trialsIn(far)) {
    const at = (name: string): readonly string[] => [near, far].map((out) => join(out, 'trials', key, name));
    const [weights, others] = at('weights.safetensors').map((path) => readFileSync(path));
    expect(others?.equals(weights ?? Buffer.alloc(0)), key).toBe(true);
    const [records, otherRecords] = at('record.jsonl').map(record);
    expect(otherRecords).toEqual(records);
    const [result, other] = at('result.json').map((path) =>
      Object(json(readFileSync(path, 'utf8'))['result']),
    );
    expect(other.measures).toEqual(result.measures);
    expect(other.provenance.place).toMatchObject({ job: expect.any(String), host: expect.any(String) });
  }
  // It went on from its checkpoint: it began at the beginning once.
  const log = readFileSync(join(far, 'trials', lost[0] ?? '', 'log.txt'), 'utf8');
  expect(log.split('validation at step 0 '), log).toHaveLength(2);
  // Of what was lost from sight nothing is left running; what has left its result ends in a moment.
  await expect
    .poll(() => processes().filter(({ command }) => command.includes(`${far}/trials`)), { timeout: ENDING })
    .toEqual([]);

  for (const entry of readdirSync(far, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'latin1');
    for (const secret of secrets) expect(text.includes(secret), entry.name).toBe(false);
  }
  for (const secret of secrets) expect(`${before}${told}`).not.toContain(secret);
};

/** Ctrl-C ends what runs on the cluster; answers when the command has ended. */
export const stops = async (folder: string, on: readonly string[]): Promise<void> => {
  const spec = specIn(folder);
  const out = join(folder, 'stopped');
  const words = [
    'sweep',
    spec,
    '--steps',
    '10000000',
    '--seeds',
    '6',
    '--backend',
    'wasm',
    '--out',
    out,
    ...on,
  ];
  let told = false;
  const { code, stderr } = await spawned(folder, words, (line, signal) => {
    if (told || !/running on/.test(line)) return;
    told = true;
    setTimeout(() => signal('SIGINT'), 1000);
  });
  expect(code, stderr.join('\n')).toBe(130);
  await expect
    .poll(() => processes().filter(({ command }) => command.includes(`${out}/trials`)), { timeout: ENDING })
    .toEqual([]);
  expect(trialsIn(out).filter((key) => existsSync(join(out, 'trials', key, 'job.json')))).toEqual([]);
};
