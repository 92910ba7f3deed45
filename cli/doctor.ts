/** `immersion doctor`: what this machine offers, how fast it is and which backend is chosen; with `--build` it builds the native one. */
import { elementAt } from '../dsl/lookup.js';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem, showProblem } from '../dsl/index.js';
import { compile } from '../compiler/index.js';
import { createCcBackend } from '../backends/cc/cc.js';
import { startBackend } from '../backends/choose.js';
import { attempt } from '../backends/failure.js';
import { threadCount } from '../backends/tensorflow/tensorflow.js';
import { loadBinding } from '../backends/tensorflow/install/binding.js';
import { build, type Source } from '../backends/tensorflow/install/build.js';
import { fusedMultiplyAdd } from '../backends/wasm/relaxed.js';
import { hasSimd } from '../backends/wasm/simd.js';
import { createWebgpuBackend } from '../backends/webgpu/webgpu.js';
import { usualThreads } from '../backends/usual-threads.js';
import { type Option, readArguments, wantsJson } from './options/arguments.js';
import { fail, printText, printJson, say } from './terminal/output.js';
import { bundledSpec } from './running/bundled-spec.js';
import { measureSpeed, type Speed } from './running/speed.js';
import { columnsOf, USUAL_COLUMNS, wrapped } from './terminal/width.js';
import { usage } from './options/usage.js';

const options: readonly Option[] = [
  {
    name: 'build',
    summary: 'builds the native backend against a libtensorflow, from wherever it can be had',
  },
  { name: 'library', value: 'DIR', summary: 'build: the folder of a libtensorflow' },
  { name: 'python', value: 'EXE', summary: 'build: a Python that has TensorFlow, or whose pip is used' },
  { name: 'wheel', value: 'FILE', summary: 'build: a wheel of TensorFlow on the disk' },
  { name: 'version', value: 'X.Y.Z', summary: 'build: a version of TensorFlow on PyPI' },
  { name: 'device', value: 'NAME', summary: 'auto, or cpu to leave a GPU alone (auto)' },
];

/** The `--json` result. */
export type Report = {
  readonly ok: true;
  readonly node: { readonly version: string; readonly platform: string };
  readonly native: {
    readonly loads: boolean;
    readonly tensorflow: string | null;
    readonly gpu: boolean;
    readonly problem: string | null;
  };
  /** The machine's C compiler: `--backend cc`. */
  readonly cc: {
    readonly loads: boolean;
    readonly description: string | null;
    readonly problem: string | null;
  };
  /** A GPU through WebGPU: `--backend webgpu`. */
  readonly webgpu: {
    readonly loads: boolean;
    readonly description: string | null;
    readonly problem: string | null;
  };
  readonly threads: Readonly<Record<string, number>>;
  readonly simd: { readonly wasm: boolean; readonly relaxed: boolean; readonly processor: readonly string[] };
  readonly speed: Readonly<Record<string, Speed>>;
  /** What `--backend auto` takes, and why. */
  readonly chosen: {
    /** To train the bundled example for so many steps. */
    readonly training: readonly (Choice & { readonly steps: number })[];
    /** To use a model: encode, sample, evaluate. */
    readonly use: Choice;
  };
};

type Choice = { readonly name: string; readonly description: string };

/** Steps of a run that is over before a compiler pays, and of one that is not. */
const lengths = [100, 100_000] as const;

/** Vector instructions of the processor, where Linux tells. */
const vectorInstructions = (): readonly string[] => {
  try {
    const flags = new Set(
      /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(' '),
    );
    return ['sse4_2', 'avx', 'avx2', 'fma', 'avx512f'].filter((flag) => flags.has(flag));
  } catch {
    return [];
  }
};

type Checked<A> = Either<readonly Problem[], A>;

const speeds = async (
  names: readonly string[],
  device: string | undefined,
): Promise<Checked<Report['speed']>> => {
  const measured: Record<string, Speed> = {};
  for (const name of names) {
    const backend = await startBackend(name, { device });
    if (isLeft(backend)) return backend;
    const speed = await attempt(() => measureSpeed(backend.right));
    if (isLeft(speed)) return speed;
    measured[name] = speed.right;
  }
  return right(measured);
};

/** The choices for training; the one for using a model comes first in a process, since it decides how many threads native has. */
const choicesFor = async (device: string | undefined): Promise<Checked<Report['chosen']['training']>> => {
  const spec = await bundledSpec();
  if (isLeft(spec)) return spec;
  const compiled = compile(spec.right.experiment);
  if (isLeft(compiled)) return compiled;
  const choices: Report['chosen']['training'][number][] = [];
  for (const steps of lengths) {
    const started = await startBackend('auto', { device, work: { program: compiled.right.step, steps } });
    if (isLeft(started)) return started;
    const { name, description } = started.right;
    choices.push({ steps, name, description });
  }
  return right(choices);
};

const examine = async (device: string | undefined): Promise<Checked<Report>> => {
  const use = await startBackend('auto', { device });
  if (isLeft(use)) return use;
  const { name, description } = use.right;
  const binding = loadBinding();
  const loads = !isLeft(binding);
  const cc = createCcBackend();
  const webgpu = await createWebgpuBackend();
  const names = [
    ...(loads ? ['native'] : []),
    ...(isLeft(cc) ? [] : ['cc']),
    'wasm',
    // A processor that stands in for a GPU would take a minute.
    ...(isLeft(webgpu) || webgpu.right.software ? [] : ['webgpu']),
  ];
  const speed = await speeds(names, device);
  if (isLeft(speed)) return speed;
  const training = await choicesFor(device);
  if (isLeft(training)) return training;
  return right({
    ok: true,
    node: { version: process.versions.node, platform: `${process.platform} ${process.arch}` },
    native: loads
      ? { loads, tensorflow: binding.right.TF_Version, gpu: binding.right.isUsingGpuDevice(), problem: null }
      : { loads, tensorflow: null, gpu: false, problem: showProblem(elementAt(binding.left, 0)) },
    cc: isLeft(cc)
      ? { loads: false, description: null, problem: showProblem(elementAt(cc.left, 0)) }
      : { loads: true, description: cc.right.description, problem: null },
    webgpu: isLeft(webgpu)
      ? { loads: false, description: null, problem: showProblem(elementAt(webgpu.left, 0)) }
      : {
          loads: true,
          description: `${webgpu.right.description}${webgpu.right.software ? ', a processor in place of a GPU' : ''}`,
          problem: null,
        },
    threads: { cores: availableParallelism(), native: threadCount(), wasm: usualThreads() },
    simd: { wasm: hasSimd(), relaxed: fusedMultiplyAdd, processor: vectorInstructions() },
    speed: speed.right,
    chosen: { training: training.right, use: { name, description } },
  });
};

const rounded = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0));

const speedLine = (name: string, { matmul, convolution, call }: Speed): string =>
  [
    name.padEnd(8),
    `matmul ${rounded(matmul)} GF/s`.padEnd(18),
    `convolution ${rounded(convolution)} GF/s`.padEnd(23),
    `call ${call.toFixed(2)} ms`,
  ].join('');

/** Columns of what a line is about. */
const NAMES = 10;

/** The same for people, on a terminal of so many columns. */
export const doctorText = (
  { node, native, cc, webgpu, threads, simd, speed, chosen }: Report,
  columns = USUAL_COLUMNS,
): string => {
  const rows: readonly (readonly [string, string])[] = [
    ['node', `${node.version}, ${node.platform}`],
    [
      'backends',
      [
        ...(native.loads ? ['native'] : []),
        ...(cc.loads ? ['cc'] : []),
        'wasm',
        ...(webgpu.loads ? ['webgpu'] : []),
        'cpu',
      ].join(', '),
    ],
    ['native', native.loads ? `TensorFlow ${native.tensorflow}` : `${native.problem}`],
    ['cc', cc.description ?? String(cc.problem)],
    ['webgpu', webgpu.description ?? String(webgpu.problem)],
    ['gpu', native.gpu ? 'used (--device cpu leaves it alone)' : 'none in use'],
    [
      'threads',
      `native ${threads['native']} (TF_NUM_INTRAOP_THREADS), wasm ${threads['wasm']}; ${threads['cores']} cores`,
    ],
    ['simd', [`wasm ${simd.relaxed ? 'relaxed' : simd.wasm ? 'yes' : 'no'}`, ...simd.processor].join(', ')],
    ...Object.entries(speed).map(([name, one], i): readonly [string, string] => [
      i === 0 ? 'speed' : '',
      speedLine(name, one),
    ]),
    ...chosen.training.map(({ steps, description }, i): readonly [string, string] => [
      i === 0 ? 'chosen' : '',
      `for ${steps.toLocaleString('en')} steps of immersion start: ${description}`,
    ]),
    ['', `to use a model, such as immersion sample: ${chosen.use.description}`],
  ];
  return rows
    .flatMap(([left, right]) =>
      wrapped(right, columns - NAMES).map((line, i) => `${(i === 0 ? left : '').padEnd(NAMES)}${line}\n`),
    )
    .join('');
};

const sourceOptions = ['library', 'python', 'wheel', 'version'] as const;

const buildBackend = async (source: Source, json: boolean): Promise<number> => {
  const built = await build(source, say);
  if (isLeft(built)) return fail(built.left, json);
  const { version, gpu } = built.right;
  say(`native is ready: TensorFlow ${version}${gpu ? ', on the GPU' : ''}`);
  if (json) printJson({ ok: true, tensorflow: version, gpu });
  return 0;
};

export const doctor = async (args: readonly string[]): Promise<number> => {
  const json = wantsJson(args);
  const given = readArguments(args, options, []);
  if (isLeft(given)) return fail(given.left, json);
  const { has, last } = given.right;
  const source = Object.fromEntries(sourceOptions.map((name) => [name, last(name)]));
  if (has('build')) return buildBackend(source, json);
  const stray = sourceOptions.filter(has);
  if (stray.length > 0) {
    return fail(
      stray.map((name) => problem(`--${name}`, 'no --build', `doctor --build --${name}`)),
      json,
    );
  }
  const report = await examine(last('device'));
  if (isLeft(report)) return fail(report.left, json);
  if (json) printJson(report.right);
  else printText(doctorText(report.right, columnsOf(process.stdout)).trimEnd());
  return 0;
};

export const doctorUsage = usage(
  'doctor',
  'Shows what this machine offers, how fast it is and which backend is chosen; with --build it builds the native one.',
  options,
);
