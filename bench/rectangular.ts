/**
 * `npm run bench -- rectangular [--tables hepmass,miniboone] [--crossing] [--ours] [--rounds 5] [--seconds 4] [--threads 2] [--json]`: the whole
 * training step of a rectangular flow on native, exact and stochastic, against the authors' algorithm in PyTorch, from the same
 * weights on the same batch, terms and gradients compared before anything is timed. `--crossing` times ours alone for d = 2 … 50.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isLeft } from 'fp-ts/lib/Either.js';
import { costOf } from 'immersion/compiler';
import { showProblem } from 'immersion/dsl';
import { type Backend, startBackend } from 'immersion/training';
import { quotients, type Reading, summary } from './measure.js';
import { agreement } from './peers/compare.js';
import { type Peer, startPeer } from './peers/peer.js';
import {
  compiledTable,
  constants,
  type Method,
  networksOf,
  stateOf,
  type Table,
  tables,
  writeTable,
} from './peers/rectangular.js';
import { install, torch } from './peers/roster.js';
import type { ArrayEntry, Ready, Terms } from './peers/workloads.js';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== 'rectangular'),
  options: {
    tables: { type: 'string' },
    crossing: { type: 'boolean', default: false },
    ours: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    threads: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const [rounds, turnSeconds, threads] = [values.rounds, values.seconds, values.threads].map(Number);

const note = (text: string): void => console.error(`rectangular: ${text}`);

/** Something that takes steps: terms, and milliseconds of some steps. */
type Stepper = {
  readonly name: string;
  readonly ready: Ready;
  readonly gradients: Float32Array;
  readonly time: (steps: number) => Promise<readonly number[]>;
  readonly end: () => void;
};

type Folder = { readonly path: string; readonly arrays: readonly ArrayEntry[] };

const numbersOf = (file: string): Float32Array => {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
};

/** Adam's first moment after one step is a tenth of the gradient. */
const firstMomentShare = 0.1;

const ours = async (backend: Backend, table: Table, method: Method, folder: Folder): Promise<Stepper> => {
  const compiled = compiledTable(table, method);
  const all = numbersOf(join(folder.path, 'arrays'));
  const given = new Map(
    folder.arrays.map(({ name, shape, offset }) => [
      name,
      all.slice(offset, offset + shape.reduce((a, b) => a * b, 1)),
    ]),
  );
  const { step: program } = compiled;
  const state = stateOf(compiled, given);
  const instance = await backend.open(new Map([[program.name, program]]), state);
  const feeds = new Map(
    program.binders
      .filter(({ name }) => !state.has(name))
      .map(({ name }) => [name, given.get(name) ?? Float32Array.of(0)] as const),
  );
  let taken = 0;
  const step = async (): Promise<Terms> => {
    const outputs = await instance.run(program.name, new Map([...feeds, ['step', Float32Array.of(taken++)]]));
    return Object.fromEntries([...outputs].map(([name, [value]]) => [name, value]));
  };
  const first = await step();
  const now = await instance.read();
  const gradients = folder.arrays
    .filter(({ role }) => role === 'parameter')
    .flatMap(({ name }) => [...(now.get(`adam/mean/${name}`) ?? [])].map((m) => m / firstMomentShare));
  return {
    name: `Immersion, ${method}`,
    ready: { versions: { Node: process.version }, terms: [first, await step()] },
    gradients: Float32Array.from(gradients),
    time: async (steps) => {
      const milliseconds: number[] = [];
      for (let i = 0; i < steps; i++) {
        const start = performance.now();
        await step();
        milliseconds.push(performance.now() - start);
      }
      return milliseconds;
    },
    end: () => instance.dispose(),
  };
};

const theirs = async (
  python: string,
  table: Table,
  method: Method,
  way: string,
  folder: Folder,
): Promise<Stepper> => {
  const script = fileURLToPath(new URL('peers/rectangular.py', import.meta.url));
  const peer: Peer = startPeer({ program: python, args: [script, method, way], env: {} }, threads);
  const gradients = join(folder.path, 'gradients');
  const workload = { ...networksOf(table), ...constants };
  const request = {
    op: 'prepare',
    workload,
    file: join(folder.path, 'arrays'),
    arrays: folder.arrays,
    gradients,
  };
  const [ready]: readonly Ready[] = JSON.parse(JSON.stringify([await peer.ask(request, 900)]));
  return {
    name: `PyTorch, ${method}, ${way}`,
    ready,
    gradients: numbersOf(gradients).slice(),
    time: async (steps) => {
      const answer = await peer.ask({ op: 'time', steps, clock: 'wall' }, 1800);
      const [{ milliseconds }]: readonly { readonly milliseconds: readonly number[] }[] = JSON.parse(
        JSON.stringify([answer]),
      );
      return milliseconds;
    },
    end: peer.end,
  };
};

/** Median milliseconds of a step in each round, subjects taking turns. */
const inTurns = async (steppers: readonly Stepper[]): Promise<readonly (readonly number[])[]> => {
  const steps: number[] = [];
  for (const one of steppers) {
    const [, trial] = await one.time(2);
    steps.push(Math.max(2, Math.round((turnSeconds * 1000) / trial)));
  }
  const readings = steppers.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of steppers.entries()) readings[i].push(summary(await one.time(steps[i])).median);
  }
  return readings;
};

type Row = { readonly name: string; readonly milliseconds: Reading; readonly timesOurs?: Reading };

const rowOf = ({ name, milliseconds: { median, least, most }, timesOurs }: Row): string => {
  const times =
    timesOurs === undefined
      ? ''
      : `${timesOurs.median.toFixed(2)} (${timesOurs.least.toFixed(2)}–${timesOurs.most.toFixed(2)})`;
  return `| ${name} | ${median.toFixed(1)} (${least.toFixed(1)}–${most.toFixed(1)}) | ${times} |`;
};

const terms = ['loss', 'prior', 'reconstruction', 'volume'];

const compared = (folder: Folder, own: Stepper, other: Stepper): void => {
  const { terms: term, gradient } = agreement(folder.arrays, own, other, terms);
  note(
    `${other.name}: terms ${term.toExponential(1)}, gradients ${gradient.difference.toExponential(1)} (${gradient.name})`,
  );
  if (!(term < 1e-3 && gradient.difference < 3e-2))
    throw new Error(`${other.name} does not compute what ours does`);
};

const measure = async (
  backend: Backend,
  python: string | undefined,
  table: Table,
): Promise<readonly Row[]> => {
  const path = mkdtempSync(join(tmpdir(), 'immersion-rectangular-'));
  const folder: Folder = { path, arrays: writeTable(table, join(path, 'arrays')) };
  const rows: Row[] = [];
  for (const method of ['exact', 'stochastic'] as const) {
    const own = await ours(backend, table, method, folder);
    const others: Stepper[] = [];
    const ways = python === undefined ? [] : method === 'exact' ? ['hand', 'jvp', 'vmap'] : ['hand', 'jvp'];
    for (const way of ways) {
      const other = await theirs(python ?? '', table, method, way, folder);
      compared(folder, own, other);
      others.push(other);
    }
    const readings = await inTurns([own, ...others]);
    [own, ...others].forEach(({ name, end }, i) => {
      const milliseconds = summary(readings[i]);
      rows.push(
        i === 0
          ? { name, milliseconds }
          : { name, milliseconds, timesOurs: summary(quotients(readings[i], readings[0])) },
      );
      end();
    });
  }
  rmSync(path, { recursive: true });
  return rows;
};

const started = await startBackend('native');
if (isLeft(started)) {
  console.error(started.left.map(showProblem).join('\n'));
  process.exit(1);
}
const backend = started.right;
const wanted = values.tables?.split(',');
const chosen: readonly Table[] = values.crossing
  ? [2, 5, 10, 20, 50].map((d) => ({ name: `d = ${d}`, d, D: 2 * d + 1, batch: 400 }))
  : tables.filter(({ name }) => wanted === undefined || wanted.includes(name));
const python = values.crossing || values.ours ? undefined : join(await install(torch), 'bin/python');
const results: {
  readonly table: Table;
  readonly gigaflops: Readonly<Record<Method, number>>;
  readonly rows: readonly Row[];
}[] = [];
for (const table of chosen) {
  const flops = (method: Method): number => costOf(compiledTable(table, method).step).flops / 1e9;
  const gigaflops = { exact: flops('exact'), stochastic: flops('stochastic') };
  results.push({ table, gigaflops, rows: await measure(backend, python, table) });
}
const result = {
  date: new Date().toISOString().slice(0, 16),
  processor: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`,
  backend: backend.description,
  command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
  rounds,
  results,
};
const text = [
  `${result.date.slice(0, 10)}, ${result.processor}, ${result.backend}, Node ${process.version}.`,
  `\`${result.command}\`; medians of ${rounds} rounds in turns (least–most).`,
  ...results.flatMap(({ table, gigaflops, rows }) => [
    '',
    `**${table.name}**, ${table.d} of ${table.D} dimensions, batch ${table.batch}; exact ${gigaflops.exact.toPrecision(3)} GFLOP a step, stochastic at most ${gigaflops.stochastic.toPrecision(3)}`,
    '',
    '| | ms a step | times ours |',
    '|---|---|---|',
    ...rows.map(rowOf),
  ]),
].join('\n');
console.log(values.json ? JSON.stringify(result, null, 2) : text);
process.exit(0);
