/**
 * `npm run bench -- rectangular [--tables hepmass,miniboone] [--ways hand,jvp,vmap] [--crossing] [--guards] [--rounds 5] [--seconds 4] [--threads 2] [--clock cpu] [--json]`:
 * the whole training step of a rectangular flow on native, exact and stochastic, against the authors' algorithm in PyTorch, from
 * the same weights on the same batch, terms and gradients compared before anything is timed. `--crossing` times ours alone for
 * d = 2 … 50, `--guards` ours with the guards of a step and without. `--clock cpu` counts the work of all threads: with `--threads 1` to be trusted where others share the machine.
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
import { clockOf, numberOf, optionsOf } from './options.js';

const values = optionsOf({
  tables: { type: 'string' },
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

/** All columns in one call is a way of the exact volume alone. */
const waysOf = (method: Method): readonly string[] =>
  values.ways.split(',').filter((way) => way !== '' && (method === 'exact' || way !== 'vmap'));

const measure = (backend: Backend, python: string, table: Table): Promise<readonly Row[]> =>
  inFolder(table, async (folder) => {
    const rows: Row[] = [];
    for (const method of ['exact', 'stochastic'] as const) {
      const own = await ours(backend, method, compiledTable(table, method), folder, clock);
      const all: Stepper[] = [own];
      for (const way of waysOf(method)) {
        const other = await theirs(python, table, method, way, folder, { threads, clock });
        compared(folder, own, other);
        all.push(other);
      }
      const readings = await inTurns(all, { rounds, seconds });
      all.forEach(({ name, end }, i) => {
        const milliseconds = summary(elementAt(readings, i));
        const timesOurs = summary(quotients(elementAt(readings, i), elementAt(readings, 0)));
        rows.push(i === 0 ? { name, milliseconds } : { name, milliseconds, timesOurs });
        end();
      });
    }
    return rows;
  });

const measureTables = async (backend: Backend, chosen: readonly Table[]) => {
  const python = join(await install(torch), 'bin/python');
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

const started = await startBackend('native', { threads });
if (isLeft(started)) {
  console.error(started.left.map(showProblem).join('\n'));
  process.exit(1);
}
const backend = started.right;
const wanted = values.tables?.split(',');
const chosen = tables.filter(({ name }) => wanted === undefined || wanted.includes(name));
const measured = async () => {
  const options = { rounds, seconds, clock };
  if (values.crossing)
    return measureCrossing(backend, options).then((found) => [found, showCrossing(found)] as const);
  return values.guards
    ? measureGuards(backend, chosen, options).then((found) => [found, showGuards(found)] as const)
    : measureTables(backend, chosen).then((found) => [found, showTables(found)] as const);
};
const [results, text] = await measured();
const result = {
  date: new Date().toISOString().slice(0, 16),
  processor: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`,
  backend: backend.description,
  command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
  rounds,
  clock,
  results,
};
const head = [
  `${result.date.slice(0, 10)}, ${result.processor}, ${result.backend}, Node ${process.version}.`,
  `\`${result.command}\`; medians of ${rounds} rounds in turns (least–most), ${clock} clock.`,
];
console.log(values.json ? JSON.stringify(result, null, 2) : [...head, text].join('\n'));
process.exit(0);
