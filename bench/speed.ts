/**
 * `npm run bench -- speed [--before COMMIT] [--only mlp,threads] [--threads 2] [--minutes 10] [--json]`: the table of speed in docs/performance.md, all of it in one
 * run on one machine that does nothing else: measurements of this folder one after another, each in a process of its own, and what comes out as ratios.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provenance } from 'immersion/runs';
import { commandLine, optionsOf, numberOf, refuse } from './options.js';
import { checkedOut } from './speed/before.js';
import { type Measured, speedTable } from './speed/rows.js';

const values = optionsOf({
  /** The last commit whose wasm ran in tfjs's memory, on one thread. */
  before: { type: 'string', default: '9a27dd0' },
  only: { type: 'string' },
  threads: { type: 'string', default: String(availableParallelism()) },
  /** What has not begun by then is left out. */
  minutes: { type: 'string', default: '10' },
  json: { type: 'boolean', default: false },
});
const threads = numberOf(values, 'threads');
const minutes = numberOf(values, 'minutes');
const root = fileURLToPath(new URL('..', import.meta.url));
const note = (text: string): void => console.error(`speed: ${text}`);

const earlier = checkedOut(values.before);
const before = typeof earlier === 'string' ? [] : ['--before', earlier.folder];

const peers = (workloads: string, only: string, rounds: number, ...words: readonly string[]) => [
  ...['peers', '--workloads', workloads, '--only', only, '--rounds', String(rounds), '--seconds', '0.5'],
  ...(words.includes('--threads') ? words : [...words, '--threads', String(threads)]),
];

/** By what each is measured, the quick ones first. Of the paper's net at batch 128 the fastest peer alone: torch.compile takes a minute to begin, and was behind it. */
const commands: Readonly<Record<Exclude<keyof Measured, 'rate' | 'start'>, readonly string[]>> = {
  mlp: peers('mlp', 'cc,native,wasm,jax', 5),
  oneThread: peers('mlp,eighth-64', 'wasm', 5, ...before, '--threads', '1'),
  threads: ['threads', '--threads', '1,2'],
  ready: ['compile', '--depths', '', '--nets', 'mnist', '--backends', 'wasm,cc'],
  rectangular: [
    ...['rectangular', '--backends', 'cc,native', '--ways', 'vmap,hand', '--rounds', '3'],
    ...['--seconds', '0.5', '--threads', String(threads)],
  ],
  eighth: peers('eighth-64', 'cc,native,wasm,tf-hand,torch-compile', 5),
  mnist16: peers('mnist-16', 'cc,native,tf-hand,torch-compile', 5),
  mnist128: peers('mnist-128', 'cc,native,tf-hand', 2),
};

const began = performance.now();
const minutesTaken = (): number => (performance.now() - began) / 60_000;

const running = new Set<ChildProcess>();
const endAll = (): void => {
  for (const { pid } of running) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
};

/** What a command of ours prints as JSON, or why it does not; its own words go on to the terminal. */
/** What a measurement printed: its result, or else what it says in place of one. */
const resultIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return `printed no result: ${text.slice(0, 80)}`;
  }
};

const asked = (words: readonly string[]): Promise<unknown> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, words, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(child);
    const out: string[] = [];
    let last = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      process.stderr.write(text);
      last = text.trim().split('\n').at(-1) ?? last;
    });
    const limit = setTimeout(endAll, Math.max(60, 60 * (minutes + 2 - minutesTaken())) * 1000);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      running.delete(child);
      if (signal !== null) resolve('it took too long');
      else if (code !== 0) resolve(last === '' ? `exit code ${code}` : last);
      else resolve(resultIn(out.join('')));
    });
  });

const tsx = ['--conditions=immersion-source', '--import', 'tsx', join(root, 'bench/main.ts')];

const rateOf = async (): Promise<Measured['rate']> => {
  const report = await asked([join(root, 'bin/immersion.mjs'), 'doctor', '--json']);
  if (typeof report === 'string') return report;
  const { speed }: { readonly speed: Readonly<Record<string, { readonly matmul: number }>> } = JSON.parse(
    JSON.stringify(report),
  );
  return Math.max(...Object.values(speed).map(({ matmul }) => matmul));
};

const STEPS = 2000;

/** Seconds of training, by the run's own clock: on cc as `npm start` finds it the second time, and on wasm before. */
const startOf = async (): Promise<Measured['start']> => {
  if (typeof earlier === 'string') return earlier;
  const scratch = mkdtempSync(join(tmpdir(), 'immersion-speed-'));
  let run = 0;
  const trained = async (folder: string, backend: string): Promise<number | string> => {
    const words = [
      'train',
      join(folder, 'examples/digits.ts'),
      '--backend',
      backend,
      '--steps',
      String(STEPS),
    ];
    const out = join(scratch, String(run++));
    const result = await asked([join(folder, 'bin/immersion.mjs'), ...words, '--json', '--out', out]);
    if (typeof result === 'string') return result;
    const { seconds }: { readonly seconds: number } = JSON.parse(JSON.stringify(result));
    return seconds;
  };
  try {
    const cc: number[] = [];
    const old: number[] = [];
    await trained(root, 'cc');
    for (let round = 0; round < 3; round++) {
      const own = await trained(root, 'cc');
      const other = await trained(earlier.folder, 'wasm');
      if (typeof own === 'string') return own;
      if (typeof other === 'string') return other;
      cc.push(own);
      old.push(other);
    }
    return { cc, before: old };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

const names: readonly (keyof Measured)[] = [
  ...(['rate', 'mlp', 'oneThread', 'threads', 'ready', 'start'] as const),
  ...(['rectangular', 'eighth', 'mnist16', 'mnist128'] as const),
];
const wanted = values.only?.split(',') ?? names;
const stray = wanted.find((name) => !names.some((one) => one === name));
if (stray !== undefined) refuse('--only', stray, `some of ${names.join(', ')}`);

const words = (name: keyof Measured): string =>
  name === 'rate'
    ? 'immersion doctor'
    : name === 'start'
      ? `immersion train examples/digits.ts --backend cc --steps ${STEPS}, and with wasm at ${values.before}`
      : `npm run bench -- ${commands[name].map((word) => (word === '' ? "''" : word)).join(' ')}`;

const measuredOne = async (name: keyof Measured): Promise<unknown> => {
  if (!wanted.includes(name)) return 'it was left out';
  if (minutesTaken() > minutes) return `more than ${minutes} minutes`;
  note(`${words(name)} (after ${minutesTaken().toFixed(1)} min)`);
  if (name === 'rate') return rateOf();
  if (name === 'start') return startOf();
  return asked([...tsx, ...commands[name], '--json']);
};

const found: Partial<Record<keyof Measured, unknown>> = {};
const report = (): void => {
  // Each is what the measurement of that name prints, as rows.ts has its type.
  const measured: Measured = JSON.parse(
    JSON.stringify(Object.fromEntries(names.map((name) => [name, found[name] ?? 'it was not reached']))),
  );
  const { date, processor, versions } = provenance();
  const command = commandLine();
  const taken = minutesTaken().toFixed(1);
  console.log(
    values.json
      ? JSON.stringify({ date, processor, versions, command, measured }, null, 2)
      : [
          `\`${command}\`, ${date}, ${processor}, Node ${versions['node']}, ${taken} minutes.`,
          'Medians of rounds in turns (least–most); above 1 ours is faster. What both compute is compared before it is timed.',
          '',
          speedTable(measured, (name) => names.indexOf(name) + 1),
          '',
          ...names.map((name, i) => `${i + 1}. \`${words(name)}\``),
        ].join('\n'),
  );
};
// What was measured until then is worth its time.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    endAll();
    report();
    process.exit(130);
  });
for (const name of names) found[name] = await measuredOne(name);
report();
process.exit(0);
