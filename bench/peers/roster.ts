/** Who takes part: how each is installed and started. What is installed lies in `outputs/peers`, or where IMMERSION_PEERS points. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { backendNames } from 'immersion/runs';
import type { Command } from './peer.js';
import type { ObjectiveName } from './workloads.js';

export type Installation = {
  /** Its folder's name. */
  readonly name: string;
  readonly manager: 'pip' | 'npm';
  readonly packages: readonly string[];
};

export type Entry = {
  readonly name: string;
  readonly title: string;
  /** What it is compared with: peers of TensorFlow's kind with native, wasm with wasm. */
  readonly group: 'native' | 'wasm';
  readonly objective: ObjectiveName;
  readonly installation?: Installation;
  readonly command: (folder: string) => Command;
  /** Left out where it would take hours. */
  readonly workloads: readonly string[];
};

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export const cache = process.env['IMMERSION_PEERS'] ?? here('../../outputs/peers');

const everything = ['mlp', 'mnist-16', 'mnist-128', 'eighth-64'];

const ours = (
  name: string,
  title: string,
  backend: string,
  objective: ObjectiveName,
  only: readonly string[],
  env: Readonly<Record<string, string>> = {},
  script = here('ours.ts'),
): Entry => ({
  name,
  title,
  group: backend === 'wasm' ? 'wasm' : 'native',
  objective,
  command: () => ({
    program: process.execPath,
    args: ['--conditions=immersion-source', '--import', 'tsx', script, backend, objective],
    env,
  }),
  workloads: only,
});

const python = (
  name: string,
  title: string,
  installation: Installation,
  script: string,
  ...args: readonly string[]
): Entry => ({
  name,
  title,
  group: 'native',
  objective: 'injFlowLn',
  installation,
  command: (folder) => ({ program: join(folder, 'bin/python'), args: [here(script), ...args], env: {} }),
  workloads: everything,
});

export const torch: Installation = {
  name: 'torch',
  manager: 'pip',
  packages: ['torch==2.15.0', 'numpy==2.4.6'],
};
const jax: Installation = { name: 'jax', manager: 'pip', packages: ['jax==0.10.2'] };
const tensorflow: Installation = { name: 'tensorflow', manager: 'pip', packages: ['tensorflow-cpu==2.21.0'] };
const jaxJs: Installation = { name: 'jax-js', manager: 'npm', packages: ['@jax-js/jax@0.1.25'] };

export const roster: readonly Entry[] = [
  ours('native', 'Immersion, native', 'native', 'injFlowLn', everything),
  ours('cc', 'Immersion, cc', 'cc', 'injFlowLn', everything),
  ours('native-ae', 'Immersion, native, plain autoencoder', 'native', 'ae', everything),
  python('torch-hand', 'PyTorch, tangent by hand', torch, 'pytorch.py', 'hand'),
  python('torch-jvp', 'PyTorch, torch.func.jvp', torch, 'pytorch.py', 'jvp'),
  python('torch-double', 'PyTorch, double backward', torch, 'pytorch.py', 'double'),
  python('torch-compile', 'PyTorch, torch.compile', torch, 'pytorch.py', 'compile'),
  python('jax', 'JAX, jit', jax, 'jax_jit.py'),
  python('tf-hand', 'TensorFlow graph, tangent by hand', tensorflow, 'tensorflow_graph.py', 'hand'),
  python('tf-forward', 'TensorFlow graph, ForwardAccumulator', tensorflow, 'tensorflow_graph.py', 'forward'),
  {
    name: 'tape',
    title: 'tfjs-node, eager tape',
    group: 'native',
    objective: 'injFlowLn',
    command: () => ({ program: process.execPath, args: [here('tape.mjs')], env: {} }),
    workloads: everything,
  },
  ours('wasm', 'Immersion, wasm', 'wasm', 'injFlowLn', ['mlp', 'mnist-16', 'eighth-64']),
  ...(backendNames.includes('webgpu')
    ? [ours('webgpu', 'Immersion, webgpu', 'webgpu', 'injFlowLn', everything)]
    : []),
  {
    name: 'jax-js',
    title: 'jax-js, wasm, jit',
    group: 'wasm',
    objective: 'injFlowLn',
    installation: jaxJs,
    command: (folder) => ({
      program: process.execPath,
      args: [here('jax-js.mjs'), join(folder, 'node_modules/@jax-js/jax')],
      env: {},
    }),
    workloads: ['mlp', 'eighth-64'],
  },
];

/** Our native backend once more, under environment variables given as `KEY=VALUE,KEY=VALUE`. */
export const nativeWith = (settings: string): Entry =>
  ours(
    `native ${settings}`,
    `Immersion, native, ${settings}`,
    'native',
    'injFlowLn',
    everything,
    Object.fromEntries(settings.split(',').map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
  );

/** The wasm backend of another state of this code, in a folder of its own. */
export const wasmOf = (folder: string): Entry =>
  ours(
    `wasm of ${folder}`,
    `Immersion, wasm, ${folder}`,
    'wasm',
    'injFlowLn',
    ['mlp', 'eighth-64'],
    {},
    join(folder, 'bench/peers/ours.ts'),
  );

const run = promisify(execFile);

/** Installs what an entry needs, once; the folder it is in. */
export const install = async ({ name, manager, packages }: Installation): Promise<string> => {
  const folder = join(cache, name);
  const mark = join(folder, '.installed');
  const wanted = packages.join('\n');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return folder;
  console.error(`peers: installing ${packages.join(', ')} in ${folder}`);
  mkdirSync(folder, { recursive: true });
  if (manager === 'pip') {
    await run(process.env['PYTHON'] ?? 'python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...packages]);
  } else {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    await run('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: folder });
  }
  writeFileSync(mark, wanted);
  return folder;
};
