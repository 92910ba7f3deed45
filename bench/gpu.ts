/**
 * `bench/gpu.sh pack FILE` and there `bench/gpu.sh run [--quick] [--device cpu] [--python EXE] [--out FILE] [--only mlp,hepmass-exact]`: the whole training step
 * on `webgpu` against JAX's jit and PyTorch on the same GPU, from the same weights on the same batch. Every subject has a process and a time of its
 * own: one that fails is a line, and the others go on. Prints a table, writes JSON.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBackend } from 'immersion/runs';
import { summary, type Reading } from './measure.js';
import { agreement } from './peers/compare.js';
import { type Command, startPeer } from './peers/peer.js';
import { constants, type Method, networksOf, tables, writeTable } from './peers/rectangular.js';
import { type ArrayEntry, type Ready, workloads, writeArrays } from './peers/workloads.js';
import { accepted, numberOf, optionsOf } from './options.js';

const values = optionsOf({
  quick: { type: 'boolean', default: false },
  device: { type: 'string', default: 'cuda' },
  python: { type: 'string', default: 'python3' },
  out: { type: 'string', default: 'gpu.json' },
  only: { type: 'string' },
  /** Of everything, and of one subject. */
  seconds: { type: 'string', default: '350' },
  patience: { type: 'string', default: '75' },
  backend: { type: 'string', default: 'webgpu' },
  /** Only says what the backend runs on. */
  probe: { type: 'boolean', default: false },
});
if (values.probe) {
  console.log(accepted(await startBackend(values.backend)).description);
  process.exit(0);
}
const [total, patience] = [numberOf(values, 'seconds'), numberOf(values, 'patience')];
const [rounds, turn] = values.quick ? [2, 0.05] : [5, 0.6];

const begin = performance.now();
const left = (): number => total - (performance.now() - begin) / 1000;
const note = (text: string): void => console.error(`gpu: ${text}`);

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const node = (file: string, ...args: readonly string[]): Command => ({
  program: process.execPath,
  args: [here(file), ...args],
  env: {},
});
const python = (
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Command => ({
  program: values.python,
  args: [here(script), ...args],
  env: {
    PEER_DEVICE: values.device,
    CUDA_VISIBLE_DEVICES: process.env['CUDA_VISIBLE_DEVICES'] ?? '0',
    ...env,
  },
});

type Subject = { readonly name: string; readonly command: Command };

type Task = {
  readonly name: string;
  readonly workload: object;
  readonly terms: readonly string[];
  readonly write: (file: string) => readonly ArrayEntry[];
  readonly subjects: readonly Subject[];
};

const own = `Immersion, ${values.backend}`;
const tf32 = { PEER_TF32: '1' };

const flow = (name: string): Task => {
  const workload = workloads.find((one) => one.name === name);
  if (workload === undefined) throw new Error(`no workload ${name}`);
  return {
    name,
    workload,
    terms: ['loss', 'prior', 'reconstruction', 'volume', 'injectivity'],
    write: (file) => writeArrays(workload, file),
    subjects: [
      { name: own, command: node('ours.mjs', values.backend) },
      { name: 'JAX, jit', command: python('jax_jit.py', []) },
      { name: 'JAX, jit, TF32', command: python('jax_jit.py', [], tf32) },
      { name: 'PyTorch, tangent by hand', command: python('pytorch.py', ['hand']) },
      { name: 'PyTorch, tangent by hand, TF32', command: python('pytorch.py', ['hand'], tf32) },
      { name: 'PyTorch, torch.compile', command: python('pytorch.py', ['compile']) },
    ],
  };
};

const rectangular = (name: string, method: Method): Task => {
  const table = tables.find((one) => one.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  const ways = method === 'exact' ? ['hand', 'vmap'] : ['hand', 'jvp'];
  return {
    name: `${name}-${method}`,
    workload: { ...networksOf(table), ...constants },
    terms: ['loss', 'prior', 'reconstruction', 'volume'],
    write: (file) => writeTable(table, file),
    subjects: [
      { name: own, command: node('table.mjs', values.backend, name, method) },
      ...ways.map((way) => ({ name: `PyTorch, ${way}`, command: python('rectangular.py', [method, way]) })),
    ],
  };
};

type Row = {
  readonly name: string;
  readonly milliseconds?: Reading;
  readonly timesOurs?: number;
  readonly prepare?: number;
  readonly differs?: { readonly terms: number; readonly gradient: number };
  readonly versions?: unknown;
  readonly failed?: string;
};

const floats = (file: string): Float32Array => {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
};

type Found = { readonly ready: Ready; readonly gradients: Float32Array };

const measured = async (
  { name, command }: Subject,
  { workload, terms }: Task,
  { path, arrays }: { readonly path: string; readonly arrays: readonly ArrayEntry[] },
  reference: Found | undefined,
): Promise<{ readonly row: Row; readonly found?: Found }> => {
  if (left() < 10) return { row: { name, failed: 'no time left' } };
  const until = performance.now() + 1000 * Math.min(patience, left());
  const rest = (): number => Math.max(1, (until - performance.now()) / 1000);
  const peer = startPeer(command, Math.min(16, cpus().length));
  try {
    const [start, gradients] = [performance.now(), join(path, 'gradients')];
    const request = { op: 'prepare', workload, file: join(path, 'arrays'), arrays, gradients };
    const ready: Ready = JSON.parse(JSON.stringify(await peer.ask(request, rest())));
    const prepare = (performance.now() - start) / 1000;
    const found: Found = { ready, gradients: floats(gradients).slice() };
    const differs = reference && agreement(arrays, reference, found, terms);
    const time = async (steps: number): Promise<readonly number[]> => {
      const answer: { readonly milliseconds: readonly number[] } = JSON.parse(
        JSON.stringify(await peer.ask({ op: 'time', steps, clock: 'wall' }, rest())),
      );
      return answer.milliseconds;
    };
    const trial = summary(await time(3)).least;
    const steps = Math.max(1, Math.min(2000, Math.round((turn * 1000) / trial)));
    const medians: number[] = [];
    for (let round = 0; round < rounds && (round === 0 || rest() > (2 * steps * trial) / 1000); round++)
      medians.push(summary(await time(steps)).median);
    const row: Row = {
      name,
      milliseconds: summary(medians),
      prepare,
      versions: ready,
      ...(differs === undefined
        ? {}
        : { differs: { terms: differs.terms, gradient: differs.gradient.difference } }),
    };
    return { row, found };
  } catch (error) {
    return { row: { name, failed: (error instanceof Error ? error.message : String(error)).slice(0, 300) } };
  } finally {
    peer.end();
  }
};

const all: readonly Task[] = values.quick
  ? [flow('mlp'), rectangular('hepmass', 'exact'), rectangular('hepmass', 'stochastic')]
  : [flow('mlp'), flow('mnist-128'), rectangular('hepmass', 'exact'), rectangular('hepmass', 'stochastic')];
const wanted = values.only?.split(',');
const tasks = all.filter(({ name }) => wanted === undefined || wanted.includes(name));

const results: { readonly name: string; readonly rows: readonly Row[] }[] = [];
const save = (): void =>
  writeFileSync(
    values.out,
    JSON.stringify(
      { date: new Date().toISOString(), processor: cpus()[0]?.model, node: process.version, results },
      null,
      1,
    ),
  );

const lineOf = ({ name, milliseconds, timesOurs, differs, prepare, failed }: Row): string =>
  failed !== undefined || milliseconds === undefined
    ? `| ${name} | ${failed ?? 'nothing'} | | | |`
    : `| ${name} | ${milliseconds.median.toPrecision(4)} (${milliseconds.least.toPrecision(4)}–${milliseconds.most.toPrecision(4)}) | ${timesOurs?.toFixed(2) ?? ''} | ${prepare?.toFixed(1)} | ${differs === undefined ? '' : `${differs.terms.toExponential(1)}, ${differs.gradient.toExponential(1)}`} |`;

for (const task of tasks) {
  const path = mkdtempSync(join(tmpdir(), 'immersion-gpu-'));
  const folder = { path, arrays: task.write(join(path, 'arrays')) };
  const rows: Row[] = [];
  let reference: Found | undefined;
  let ours: number | undefined;
  for (const subject of task.subjects) {
    const { row, found } = await measured(subject, task, folder, reference);
    reference ??= found;
    const median = row.milliseconds?.median;
    if (subject.name === own) ours = median;
    const timed: Row =
      median === undefined || ours === undefined || subject.name === own
        ? row
        : { ...row, timesOurs: median / ours };
    rows.push(timed);
    note(`${task.name}: ${lineOf(timed)}`);
  }
  rmSync(path, { recursive: true });
  results.push({ name: task.name, rows });
  save();
}
console.log(
  results
    .flatMap(({ name, rows }) => [
      '',
      `**${name}**`,
      '',
      '| | ms a step | times ours | seconds to the second step | terms, gradients differ |',
      '|---|---|---|---|---|',
      ...rows.map(lineOf),
    ])
    .join('\n'),
);
process.exit(0);
