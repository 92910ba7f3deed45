/** Finds and loads tfjs-node-gpu's native binding, and says in one line what is missing where it cannot. */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../dsl/problem.js';

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
  ) => readonly { readonly id: number }[];
  readonly getNumOfTensors: () => number;
  readonly isUsingGpuDevice: () => boolean;
};

const hint = 'run `immersion doctor --build`, or use --backend wasm';

const require = createRequire(import.meta.url);

/** The folder of the package, if it is installed. */
export const packageFolder = (): string | undefined => {
  try {
    return dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
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

/** Set before the library loads, since the binding passes no session options: GPU memory on demand, no start-up chatter. */
const setDefaults = (): void => {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
};

export const loadBinding = (): Either<readonly Problem[], Binding> => {
  const folder = packageFolder();
  if (folder === undefined) {
    return left([problem('native', 'no package @tensorflow/tfjs-node-gpu', 'the optional dependency installed', hint)]);
  }
  const path = bindingPath(folder);
  if (path === undefined) return left([problem('native', 'no built binding', 'lib/napi-v*/tfjs_binding.node', hint)]);
  setDefaults();
  try {
    return right(require(path) as Binding);
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split('\n');
    return left([problem('native', reason, 'a binding and a libtensorflow that fit each other', hint)]);
  }
};
