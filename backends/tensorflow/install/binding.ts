/** Finds and loads tfjs-node-gpu's native binding, and says in one line what is missing where it cannot. */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import { checkBinding, loadProblem, rebuild } from './probe.js';

/** What is used of the binding; tensors and sessions are numbers. */
export type Binding = {
  readonly TF_FLOAT: number;
  readonly TF_Version: string;
  readonly createTensor: (shape: readonly number[], dtype: number, values: Float32Array) => number;
  readonly deleteTensor: (id: number) => void;
  readonly tensorDataSync: (id: number) => Float32Array;
  readonly loadSavedModel: (folder: string, tags: string) => number;
  readonly deleteSavedModel: (session: number) => void;
  readonly runSavedModel: (
    session: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ) => readonly { readonly id: number; readonly shape: readonly number[] }[];
  readonly getNumOfTensors: () => number;
  readonly isUsingGpuDevice: () => boolean;
};

const packageName = '@tensorflow/tfjs-node-gpu';
export const missingPackage: Problem = problem(
  'native',
  `no package ${packageName}`,
  'the optional dependency installed',
  `run \`npm install --ignore-scripts ${packageName}\`, then \`immersion doctor --build\`; or use --backend wasm`,
);

const require = createRequire(import.meta.url);

/** The folder of the package, if it is installed. */
export const packageFolder = (): string | undefined => {
  try {
    return dirname(require.resolve(`${packageName}/package.json`));
  } catch {
    return undefined;
  }
};

/** The built binding in the package, newest interface first. */
export const bindingPath = (folder: string): string | undefined => {
  const lib = join(folder, 'lib');
  const versions = existsSync(lib) ? readdirSync(lib).filter((name) => name.startsWith('napi-v')) : [];
  return versions
    .sort((a, b) => Number(b.slice(6)) - Number(a.slice(6)))
    .map((name) => join(lib, name, 'tfjs_binding.node'))
    .find(existsSync);
};

/** `auto` takes a GPU that is present. */
export type Device = 'auto' | 'cpu';

/** Set before the library loads, since the binding passes no session options: GPU memory on demand, no start-up chatter. */
const setDefaults = ({ device = 'auto', threads }: BindingOptions): void => {
  if (threads !== undefined) process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  if (device === 'cpu') process.env['CUDA_VISIBLE_DEVICES'] = '-1';
};

export type BindingOptions = {
  /** The folder of tfjs-node-gpu; undefined where it is not installed. */
  readonly folder?: string | undefined;
  readonly device?: Device;
  /** Threads that share one operation; absent for all cores. */
  readonly threads?: number | undefined;
};

/** The path of a binding that has been seen to load; else no package, no binding, no library or one that does not fit. */
export const findBinding = (options: BindingOptions = {}): Either<readonly Problem[], string> => {
  const folder = 'folder' in options ? options.folder : packageFolder();
  if (folder === undefined) return left([missingPackage]);
  const path = bindingPath(folder);
  if (path === undefined)
    return left([problem('native', 'no built binding', 'lib/napi-v*/tfjs_binding.node', rebuild)]);
  setDefaults(options);
  const checked = checkBinding(path);
  return isLeft(checked) ? checked : right(path);
};

/** Loads the binding, or says why not. */
export const loadBinding = (options: BindingOptions = {}): Either<readonly Problem[], Binding> => {
  const path = findBinding(options);
  if (isLeft(path)) return path;
  try {
    return right(require(path.right) as Binding);
  } catch (error) {
    return left([loadProblem(error instanceof Error ? error.message : String(error))]);
  }
};
