/**
 * `npm run bench -- rectangular [--tables hepmass,miniboone] [--backends cc,native] [--ways hand,jvp,vmap] [--crossing] [--guards] [--rounds 5] [--seconds 4] [--threads 2] [--clock cpu] [--json]`:
 * the whole training step of a rectangular flow, exact and stochastic, against the authors' algorithm in PyTorch, from
 * the same weights on the same batch, terms and gradients compared before anything is timed. `--crossing` times ours alone for
 * d = 2 … 50, `--guards` ours with the guards of a step and without, both on the first backend. `--clock cpu` counts the work of all threads: with `--threads 1` to be trusted where others share the machine.
 */
import { elementAt } from '../dsl/lookup.js';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { costOf } from 'immersion/compiler';
import { showProblem } from 'immersion/dsl';
import { type Backend, startBackend } from 'immersion/runs';
import { measureCrossing, showCrossing } from './crossing.js';
import { measureGuards, showGuards } from './guards.js';
import { quotients, type Reading, summary } from './measure.js';
import { agreement } from './peers/compare.js';
import { compiledTable, type Method, type Table, tables } from './peers/rectangular.js';
import { install, torch } from './peers/roster.js';
import { type Folder, inFolder, inTurns, ours, type Stepper, theirs } from './peers/steppers.js';
import { commandLine, clockOf, numberOf, optionsOf, refuse } from './options.js';

const values = optionsOf({
  tables: { type: 'string' },
  backends: { type: 'string', default: 'cc,native' },
  crossing: { type: 'boolean', default: false },
  guards: { type: 'boolean', default: false },
  ways: { type: 'string', default: 'hand,jvp,vmap' },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '4' },
  threads: { type: 'string', default: '2' },
  clock: { type: 'string', default: 'wall' },
  json: { type: 'boolean', default: false },
});
const clock = clockOf(values);
const [rounds, seconds, threads] = [
  numberOf(values, 'rounds'),
  numberOf(values, 'seconds'),
  numberOf(values, 'threads'),
];

const note = (text: string): void => console.error(`rectangular: ${text}`);

type Row = {
  readonly name: string;
  readonly method: Method;
  /** How PyTorch makes J·v; absent for ours. */
  readonly way?: string;
  readonly milliseconds: Reading;
  /** Over the fastest of ours. */
  readonly timesOurs?: Reading;
};

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

const ways = values.ways.split(',').filter((way) => way !== '');

type Taking = { readonly stepper: Stepper; readonly way?: string };

const measure = (backends: readonly Backend[], python: string, table: Table): Promise<readonly Row[]> =>
  inFolder(table, async (folder) => {
    const rows: Row[] = [];
    for (const method of ['exact', 'stochastic'] as const) {
      const all: Taking[] = [];
      const join = (stepper: Stepper, way?: string): void => {
        const [first] = all;
        if (first !== undefined) compared(folder, first.stepper, stepper);
        all.push(way === undefined ? { stepper } : { stepper, way });
      };
      for (const backend of backends) {
        const name = `${backend.name}, ${method}`;
        join(await ours(backend, name, compiledTable(table, method), folder, clock));
      }
      for (const way of ways) join(await theirs(python, table, method, way, folder, { threads, clock }), way);
      const steppers = all.map(({ stepper }) => stepper);
      const readings = await inTurns(steppers, { rounds, seconds });
      const own = readings.slice(0, backends.length);
      const fastest = own.reduce((a, b) => (summary(b).median < summary(a).median ? b : a));
      all.forEach(({ stepper: { name, end }, way }, i) => {
        const reading = elementAt(readings, i);
        const timed = { name, method, milliseconds: summary(reading) };
        rows.push(
          way === undefined ? timed : { ...timed, way, timesOurs: summary(quotients(reading, fastest)) },
        );
        end();
      });
    }
    return rows;
  });

const measureTables = async (backends: readonly Backend[], chosen: readonly Table[]) => {
  const python = join(await install(torch), 'bin/python');
  const results: {
    readonly table: Table;
    readonly gigaflops: Readonly<Record<Method, number>>;
    readonly rows: readonly Row[];
  }[] = [];
  for (const table of chosen) {
    const flops = (method: Method): number => costOf(compiledTable(table, method).step).flops / 1e9;
    const gigaflops = { exact: flops('exact'), stochastic: flops('stochastic') };
    results.push({ table, gigaflops, rows: await measure(backends, python, table) });
  }
  return results;
};

const showTables = (results: Awaited<ReturnType<typeof measureTables>>): string =>
  results
    .flatMap(({ table, gigaflops, rows }) => [
      '',
      `**${table.name}**, ${table.d} of ${table.D} dimensions, batch ${table.batch}; exact ${gigaflops.exact.toPrecision(3)} GFLOP a step, stochastic ${gigaflops.stochastic.toPrecision(3)}`,
      '',
      '| | ms a step | times ours |',
      '|---|---|---|',
      ...rows.map(rowOf),
    ])
    .join('\n');

const backends: Backend[] = [];
for (const name of values.backends.split(',')) {
  const started = await startBackend(name, { threads });
  if (isLeft(started)) note(started.left.map(showProblem).join('; '));
  else backends.push(started.right);
}
const [backend = refuse('--backends', values.backends, 'one that runs here')] = backends;
const wanted = values.tables?.split(',');
const chosen = tables.filter(({ name }) => wanted === undefined || wanted.includes(name));
const measured = async () => {
  const options = { rounds, seconds, clock };
  if (values.crossing)
    return measureCrossing(backend, options).then((found) => [found, showCrossing(found)] as const);
  return values.guards
    ? measureGuards(backend, chosen, options).then((found) => [found, showGuards(found)] as const)
    : measureTables(backends, chosen).then((found) => [found, showTables(found)] as const);
};
const [results, text] = await measured();
const result = {
  date: new Date().toISOString().slice(0, 16),
  processor: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`,
  backends: backends.map(({ description }) => description),
  command: commandLine(),
  rounds,
  clock,
  results,
};
const head = [
  `${result.date.slice(0, 10)}, ${result.processor}, ${result.backends.join(', ')}, Node ${process.version}.`,
  `\`${result.command}\`; medians of ${rounds} rounds in turns (least–most), ${clock} clock.`,
];
console.log(values.json ? JSON.stringify(result, null, 2) : [...head, text].join('\n'));
process.exit(0);
