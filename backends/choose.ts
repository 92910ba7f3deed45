/** The backends by name, and the choice among them where none is named. */
import { elementAt, entryOf } from '../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../dsl/problem.js';
import type { Backend } from './backend.js';
import { createCcBackend } from './cc/cc.js';
import { createCpuBackend } from './tfjs/cpu.js';
import { threadsFor } from './tensorflow/threads.js';
import { createNativeBackend } from './tensorflow/tensorflow.js';
import type { Device } from './tensorflow/install/binding.js';
import { expectedTimes, type Work } from './expected-time.js';
import { attempt } from './failure.js';
import { type GpuRates, mayHaveGpu, measureRates } from './webgpu/rates.js';
import { createWebgpuBackend } from './webgpu/webgpu.js';
import { createWasmBackend } from './wasm/wasm.js';

type Started = Either<readonly Problem[], Backend>;

type NativeOptions = Pick<BackendOptions, 'threads' | 'work' | 'first' | 'without'> & {
  readonly device: Device;
};

const start: Readonly<Record<string, (options: NativeOptions) => Promise<Started>>> = {
  native: async ({ device, threads, work }) =>
    createNativeBackend({ device, threads: threads ?? (work && threadsFor(work.program)) }),
  cc: async ({ threads }) => createCcBackend({ threads }),
  wasm: async ({ threads }) => right(await createWasmBackend({ threads })),
  webgpu: () => createWebgpuBackend(),
  cpu: async () => right(await createCpuBackend()),
};

/** What `backend` may name, `auto` among them. */
export const backendNames: readonly string[] = Object.keys(start);
const deviceNames: readonly Device[] = ['auto', 'cpu'];

export type BackendOptions = {
  /** Where the native backend computes: a GPU that is present (`auto`), or the processor (`cpu`). */
  readonly device?: string | undefined;
  /** Threads that share one operation of the native backend, or a step of cc or wasm; absent for all cores. The first start of native in a process decides. */
  readonly threads?: number | undefined;
  /** What `auto` chooses by: native, or else wasm, without it. */
  readonly work?: Work | undefined;
  /** The one that `auto` takes if it can, such as what a run was begun on. */
  readonly first?: string | undefined;
  /** Those that `auto` leaves out, since they have failed. */
  readonly without?: readonly string[] | undefined;
};

type Reason = { readonly name: string; readonly problem: Problem };

const reasonText = ({ name, problem: { found, hint = '' } }: Reason): string => {
  const advice = hint.replace(/[,;] or use .*/, '');
  return `${name} does not ${name === 'native' ? 'load' : 'work'}: ${found}${advice === '' ? '' : ` (${advice})`}`;
};

/** A backend that can run the program. */
const readyFor = async (name: string, options: NativeOptions): Promise<Started> => {
  const { work } = options;
  const started = await entryOf(start, name)(options);
  if (isLeft(started)) return started;
  const { prepare } = started.right;
  if (work === undefined || prepare === undefined) return started;
  const prepared = await attempt(() => prepare(work.program));
  return isLeft(prepared) ? prepared : started;
};

const secondsText = (seconds: number): string =>
  `${seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)} s`;

/** The time of the one that was chosen, which is the least, beside those of the others. */
const comparison = ([own, ...others]: ReturnType<typeof expectedTimes>): string =>
  own === undefined || others.length === 0
    ? ''
    : `, ${secondsText(own.seconds)} by the costs where ${others.map(({ name, seconds }) => `${name}${name === 'native' ? ', if it loads,' : ''} takes ${secondsText(seconds)}`).join(' and ')}`;

/** A run that takes less elsewhere is over before a GPU is worth its start. */
const worthGpu = 20;

/** What a GPU that is here does; undefined where there is none, or a processor that stands in for one. */
const ratesOfGpu = async (): Promise<GpuRates | undefined> => {
  if (!mayHaveGpu()) return undefined;
  const started = await createWebgpuBackend();
  if (isLeft(started) || started.right.software) return undefined;
  const measured = await attempt(() => measureRates(started.right));
  return isLeft(measured) ? undefined : measured.right;
};

/** The times of a run, with a GPU's where that may be the least. */
const timesOf = async (work: Work): Promise<ReturnType<typeof expectedTimes>> => {
  const times = expectedTimes(work);
  const elsewhere = times[0]?.seconds ?? 0;
  return elsewhere < worthGpu ? times : expectedTimes(work, await ratesOfGpu());
};

/**
 * For a run the backend that the costs expect to end first, of those that load; for other work native, or else wasm, which nothing has to be
 * compiled for. Says why others were passed over.
 */
const startAuto = async (options: NativeOptions): Promise<Started> => {
  const { work } = options;
  const times = work === undefined ? [] : await timesOf(work);
  const chosen = work === undefined ? ['native', 'wasm'] : times.map(({ name }) => name);
  const { first, without = [] } = options;
  const order = [...new Set(first === undefined ? chosen : [first, ...chosen])].filter(
    (name) => Object.hasOwn(start, name) && !without.includes(name),
  );
  const failed: Reason[] = [];
  for (const name of order) {
    const started = await readyFor(name, options);
    if (isLeft(started)) {
      failed.push({ name, problem: elementAt(started.left, 0) });
      continue;
    }
    const backend = started.right;
    const possible = times.filter(
      ({ name: one }) => order.includes(one) && failed.every((f) => f.name !== one),
    );
    const why =
      (name === 'cc' || name === 'webgpu') && possible[0]?.name === name ? comparison(possible) : '';
    const since = failed.length === 0 ? '' : `, since ${failed.map(reasonText).join('; ')}`;
    return right({ ...backend, description: `${backend.description}${why}${since}` });
  }
  return left(failed.map(({ problem }) => problem));
};

const unknown = (option: string, word: string, known: readonly string[]): Started =>
  left([problem(option, JSON.stringify(word), `one of ${known.join(', ')}`, didYouMean(word, known))]);

/** Starts a backend, `auto` for the one that the work would end first on of those that load; an unknown name is a problem with the known ones. */
export const startBackend = async (name: string, options: BackendOptions = {}): Promise<Started> => {
  const device = deviceNames.find((one) => one === (options.device ?? 'auto'));
  if (device === undefined) return unknown('--device', options.device ?? '', deviceNames);
  const native = { ...options, device };
  if (name === 'auto') return startAuto(native);
  return Object.hasOwn(start, name)
    ? entryOf(start, name)(native)
    : unknown('--backend', name, ['auto', ...backendNames]);
};
