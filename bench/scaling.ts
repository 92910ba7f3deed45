/**
 * `npm run bench -- scaling [--engines local,slurm,ray] [--trials 8] [--rounds 2] [--slots 100] [--seconds 3] [--python PATH] [--json]`: what a trial costs
 * beside its training, by what runs it, on clusters of two nodes on this machine; and what the command itself costs over a thousand trials, against a
 * cluster whose jobs only sleep. From both, what a sweep of a thousand trials takes.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provenance } from 'immersion/runs';
import { startFakeRay } from '../spec/shared/fake-ray.js';
import { startRay } from '../spec/shared/ray.js';
import { startSlurm } from '../spec/shared/slurm.js';
import { type Reading, summary } from './measure.js';
import { commandLine, numberOf, optionsOf, refuse } from './options.js';

const values = optionsOf({
  engines: { type: 'string', default: 'local,slurm,ray' },
  /** Of a sweep, beside the first one. */
  trials: { type: 'string', default: '8' },
  rounds: { type: 'string', default: '2' },
  /** Of the cluster whose jobs sleep, and how long each of them does. */
  slots: { type: 'string', default: '100' },
  seconds: { type: 'string', default: '3' },
  /** One that has ray; that of `npm run test:ray` unless given. */
  python: { type: 'string' },
  json: { type: 'boolean', default: false },
});

const count = numberOf(values, 'trials');
const rounds = numberOf(values, 'rounds');
const slots = numberOf(values, 'slots');
const seconds = numberOf(values, 'seconds');
const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'bin', 'immersion.mjs');
const spec = join(root, 'examples', 'digits.ts');
const THOUSAND = 1000;

const python = (): string => {
  const cache = process.env['IMMERSION_CACHE'] ?? join(homedir(), '.cache', 'immersion');
  const found = existsSync(cache)
    ? readdirSync(cache).find((name) => name.startsWith('python-ray-'))
    : undefined;
  const path = values.python ?? (found === undefined ? undefined : join(cache, found, 'bin', 'python3'));
  return path ?? refuse('--python', 'nothing', 'a Python that has ray; npm run test:ray installs one');
};

type Started = {
  readonly on: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly stop: () => void;
};

const engines: Readonly<Record<string, () => Promise<Started>>> = {
  local: async () => ({ on: [], environment: {}, stop: () => undefined }),
  slurm: async () => {
    const { configuration, stop } = await startSlurm();
    return { on: ['--on', 'slurm'], environment: { SLURM_CONF: configuration }, stop };
  },
  ray: async () => {
    const { address, token, stop } = await startRay(python());
    return { on: ['--on', `ray=${address}`], environment: { RAY_AUTH_TOKEN: token }, stop };
  },
};

type Swept = {
  readonly out: string;
  readonly seconds: number;
  /** Of the processor, by the command and, in the local pool, its trials. */
  readonly work: number;
};

const folder = mkdtempSync(join(tmpdir(), 'immersion-scaling-'));
let sweeps = 0;

/** `0m1.25s` */
const secondsOf = (text: string): number => {
  const [, minutes, rest] = /^(\d+)m([\d.]+)s$/.exec(text) ?? [];
  return 60 * Number(minutes) + Number(rest);
};

/** Trains so many seeds for two steps, so that next to nothing of the time is training. */
const sweep = (seeds: number, { on, environment }: Omit<Started, 'stop'>, ...words: readonly string[]) =>
  new Promise<Swept>((resolve, reject) => {
    sweeps += 1;
    const out = join(folder, String(sweeps));
    const line = ['sweep', spec, '--steps', '2', '--backend', 'wasm', '--seeds', String(seeds), '--out', out];
    const begun = performance.now();
    // The shell tells what the processor did for what it has started.
    const child = spawn(
      'sh',
      ['-c', '"$@"; code=$?; times >&2; exit $code', 'sh', process.execPath, bin, ...line, ...on, ...words],
      {
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const said: string[] = [];
    child.stderr.on('data', (text) => said.push(String(text)));
    child.on('error', reject);
    child.on('close', (code) => {
      const taken = (performance.now() - begun) / 1000;
      const lines = said.join('').trimEnd().split('\n');
      const work = (lines.at(-1) ?? '').split(' ').reduce((sum, text) => sum + secondsOf(text), 0);
      if (code === 0) resolve({ out, seconds: taken, work });
      else reject(new Error(lines.slice(0, -2).join('\n')));
    });
  });

type Overhead = { readonly engine: string; readonly start: Reading; readonly trial: Reading };

/** Seconds of a trial, from the difference between a sweep of one and one of more, one after another; the rest is the start. */
const overheadOf = async (engine: string): Promise<Overhead> => {
  const started = await (engines[engine] ?? refuse('--engines', engine, Object.keys(engines).join(', ')))();
  try {
    // The package travels, and is compiled, once.
    await sweep(1, started, '--jobs', '1');
    const starts: number[] = [];
    const trials: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const one = await sweep(1, started, '--jobs', '1');
      const more = await sweep(1 + count, started, '--jobs', '1');
      const trial = (more.seconds - one.seconds) / count;
      trials.push(trial);
      starts.push(one.seconds - trial);
    }
    return { engine, start: summary(starts), trial: summary(trials) };
  } finally {
    started.stop();
  }
};

/** A thousand trials on a cluster whose jobs sleep, then leave the result of another trial under their own key. */
const thousand = async (): Promise<Swept & { readonly least: number }> => {
  const { out } = await sweep(1, { on: [], environment: {} });
  const [key = ''] = readdirSync(join(out, 'trials'));
  const result = join(folder, 'result.json');
  writeFileSync(result, readFileSync(join(out, 'trials', key, 'result.json')));
  const ray = await startFakeRay(slots);
  ray.rewrite = (line) => {
    const [, place = '', own = ''] = /(\S+\/trials\/([^/]+))\/trial\.json/.exec(line) ?? [];
    return place === ''
      ? line
      : `sleep ${seconds}; sed s/${key}/${own}/ ${result} >${place}/part; mv ${place}/part ${place}/result.json`;
  };
  const cluster = join(folder, 'cluster.json');
  writeFileSync(cluster, JSON.stringify({ on: `ray=${ray.address}`, node: process.execPath, bin }));
  try {
    const swept = await sweep(THOUSAND, { on: ['--on', cluster], environment: {} });
    return { ...swept, least: (THOUSAND * seconds) / slots };
  } finally {
    await ray.close();
  }
};

const range = ({ median, least, most }: Reading): string =>
  `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;

const hours = (taken: number): string => `${(taken / 3600).toFixed(2)} h`;

/** Minutes that a trial may train, and places that there may be. */
const trainings = [1, 10, 60];
const places = [2, 16, 128];

const forecast = ({ engine, start, trial }: Overhead): readonly string[] =>
  trainings.flatMap((minutes) =>
    (engine === 'local' ? places.slice(0, 1) : places).map((at) => {
      const whole = start.median + (THOUSAND / at) * (60 * minutes + trial.median);
      const share = (100 * trial.median) / (60 * minutes + trial.median);
      return `| ${minutes} min | ${engine} | ${at} | ${hours(whole)} | ${share.toFixed(1)} % |`;
    }),
  );

try {
  const overheads: Overhead[] = [];
  for (const engine of values.engines.split(',')) overheads.push(await overheadOf(engine));
  const { seconds: taken, work, least } = await thousand();
  const { date, processor, versions } = provenance();
  const command = commandLine();
  console.log(
    values.json
      ? JSON.stringify(
          { date, processor, versions, command, overheads, thousand: { taken, work, least } },
          null,
          2,
        )
      : [
          `\`${command}\`, ${date}, ${processor}, ${Object.entries(versions)
            .map((pair) => pair.join(' '))
            .join(', ')}`,
          '',
          '| engine | start of a sweep, s | a trial beside its training, s |',
          '| --- | --- | --- |',
          ...overheads.map(({ engine, start, trial }) => `| ${engine} | ${range(start)} | ${range(trial)} |`),
          '',
          `${THOUSAND} jobs that sleep ${seconds} s on ${slots} places: ${taken.toFixed(1)} s, ${least.toFixed(1)} at least; ${work.toFixed(1)} s of the processor by the command`,
          '',
          '| training | engine | places | a thousand trials | beside training |',
          '| --- | --- | --- | --- | --- |',
          ...overheads.flatMap(forecast),
        ].join('\n'),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
