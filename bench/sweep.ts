/**
 * `npm run bench -- sweep [--trials 6] [--steps 1000] [--jobs 2] [--backend wasm] [--rounds 3] [--json]`: how many trials of `examples/digits.ts` a sweep on this machine does in an
 * hour, and what a trial's time goes into: Node's start, the program with data and backend, compiling with evaluation and writing, training.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provenance } from 'immersion/runs';
import { type Reading, summary } from './measure.js';
import { commandLine, numberOf, optionsOf, refuse } from './options.js';
import { type Seconds, timed } from './ready/clock.js';

const values = optionsOf({
  trials: { type: 'string', default: '6' },
  steps: { type: 'string', default: '1000' },
  jobs: { type: 'string', default: String(availableParallelism()) },
  backend: { type: 'string', default: 'wasm' },
  rounds: { type: 'string', default: '3' },
  json: { type: 'boolean', default: false },
});
const [trials, steps, jobs, rounds] = [
  numberOf(values, 'trials'),
  numberOf(values, 'steps'),
  numberOf(values, 'jobs'),
  numberOf(values, 'rounds'),
];
const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'bin/immersion.mjs');
const spec = join(root, 'examples/digits.ts');
const scratch = mkdtempSync(join(tmpdir(), 'immersion-sweep-'));
/** Steps of a trial that hardly trains. */
const FEW = 2;

const ran = async (...words: readonly string[]): Promise<Seconds> => {
  const [{ status, stderr }, seconds] = await timed(() =>
    spawnSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] }),
  );
  return status === 0
    ? seconds
    : refuse(words.slice(1).join(' '), stderr.trim().split('\n').at(-1) ?? '', 'an end without a mistake');
};

let sweeps = 0;
const sweep = async (
  count: number,
  taken: number,
): Promise<{ readonly out: string; readonly seconds: Seconds }> => {
  const out = join(scratch, `sweep-${sweeps++}`);
  const words = ['sweep', spec, '--steps', String(taken), '--seeds', String(count), '--jobs', String(jobs)];
  return { out, seconds: await ran(bin, ...words, '--backend', values.backend, '--out', out) };
};

/** The trial of a sweep in a new folder, as the sweep would start it. */
let copies = 0;
const trialOf = (from: string): string => {
  const folder = join(scratch, `trial-${copies++}`);
  mkdirSync(folder);
  cpSync(join(from, 'trial.json'), join(folder, 'trial.json'));
  return join(folder, 'trial.json');
};

const part = (name: string, seconds: number): string => `| ${name} | ${seconds.toFixed(2)} |`;

try {
  const { out } = await sweep(1, steps);
  const [key = ''] = readdirSync(join(out, 'trials'));
  const whole = join(out, 'trials', key);
  const short = join(scratch, 'short');
  mkdirSync(short);
  writeFileSync(
    join(short, 'trial.json'),
    readFileSync(join(whole, 'trial.json'), 'utf8').replace(/("steps": ?)\d+/, `$1${FEW}`),
  );
  const readings: Record<'node' | 'ready' | 'short' | 'whole', number[]> = {
    ...{ node: [], ready: [], short: [], whole: [] },
  };
  for (let round = 0; round < rounds; round++) {
    readings.node.push((await ran('-e', '0')).processor);
    readings.ready.push((await ran(bin, 'trial', trialOf(whole), '--check')).processor);
    readings.short.push((await ran(bin, 'trial', trialOf(short))).processor);
    readings.whole.push((await ran(bin, 'trial', trialOf(whole))).processor);
  }
  const least = (name: keyof typeof readings): number => summary(readings[name]).least;
  const all: Reading = summary(readings.whole);
  const { seconds } = await sweep(trials, steps);
  const parts = {
    Node: least('node'),
    'the program, data and backend': least('ready') - least('node'),
    'compiling, first steps, evaluation, writing': least('short') - least('ready'),
    [`training, ${steps} steps`]: least('whole') - least('short'),
  };
  const hourly = {
    trials: (trials * 3600) / seconds.wall,
    byProcessor: (jobs * trials * 3600) / seconds.processor,
  };
  const { date, processor, versions } = provenance();
  const command = commandLine();
  console.log(
    values.json
      ? JSON.stringify(
          { date, processor, versions, command, parts, trial: all, sweep: seconds, hourly },
          null,
          2,
        )
      : [
          `\`${command}\`, ${date}, ${processor}, Node ${versions['node']}, ${values.backend}`,
          '',
          '| of a trial | s of the processor |',
          '| --- | ---: |',
          ...Object.entries(parts).map(([name, value]) => part(name, value)),
          part('all', all.least),
          '',
          `${trials} trials, ${jobs} at a time: ${seconds.wall.toFixed(1)} s by the wall, ${seconds.processor.toFixed(1)} of the processor; ${hourly.trials.toFixed(0)} trials an hour, ${hourly.byProcessor.toFixed(0)} on ${jobs} cores that do nothing else`,
        ].join('\n'),
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(0);
