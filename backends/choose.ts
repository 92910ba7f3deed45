/** The backends by name, and the choice among them where none is named. */
import { elementAt, entryOf } from '../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { didYouMean, type Problem, problem } from '../dsl/problem.js';
import type { Backend } from './backend.js';
import { createCcBackend } from './cc/cc.js';
import { createCpuBackend } from './tfjs/cpu.js';
import { createNativeBackend } from './tensorflow/tensorflow.js';
import type { Device } from './tensorflow/install/binding.js';
import { createWasmBackend } from './wasm/wasm.js';

type Started = Either<readonly Problem[], Backend>;

type NativeOptions = { readonly device: Device; readonly threads?: number | undefined };

const start: Readonly<Record<string, (options: NativeOptions) => Promise<Started>>> = {
  native: async (options) => createNativeBackend(options),
  cc: async ({ threads }) => createCcBackend({ threads }),
  wasm: async ({ threads }) => right(await createWasmBackend({ threads })),
  cpu: async () => right(await createCpuBackend()),
};

/** What `backend` may name, `auto` among them. */
export const backendNames: readonly string[] = Object.keys(start);
const deviceNames: readonly Device[] = ['auto', 'cpu'];

export type BackendOptions = {
  /** Where the native backend computes: a GPU that is present (`auto`), or the processor (`cpu`). */
  readonly device?: string | undefined;
  /** Threads that share one operation of the native backend, or a step of cc; absent for all cores. The first start of native in a process decides. */
  readonly threads?: number | undefined;
};

/** Native where it loads, else wasm, which then says why. */
const startAuto = async (options: NativeOptions): Promise<Started> => {
  const native = await entryOf(start, 'native')(options);
  if (!isLeft(native)) return native;
  const { found, hint = '' } = elementAt(native.left, 0);
  const advice = hint.replace(/[,;] or use .*/, '');
  const wasm = await createWasmBackend({ threads: options.threads });
  return right({
    ...wasm,
    description: `${wasm.description}, since native does not load: ${found} (${advice})`,
  });
};

const unknown = (option: string, word: string, known: readonly string[]): Started =>
  left([problem(option, JSON.stringify(word), `one of ${known.join(', ')}`, didYouMean(word, known))]);

/** Starts a backend, `auto` for the best that loads; an unknown name is a problem with the known ones. */
export const startBackend = async (name: string, options: BackendOptions = {}): Promise<Started> => {
  const device = deviceNames.find((one) => one === (options.device ?? 'auto'));
  if (device === undefined) return unknown('--device', options.device ?? '', deviceNames);
  const native = { device, threads: options.threads };
  if (name === 'auto') return startAuto(native);
  return Object.hasOwn(start, name)
    ? entryOf(start, name)(native)
    : unknown('--backend', name, ['auto', ...backendNames]);
};
