/**
 * Compiles tfjs-node-gpu's two source files against a libtensorflow where it lies: one compiler call, no generated
 * makefiles, no copy of the library. The new binding takes the place of an old one only once it loads.
 */
import { atLeast } from '../../../dsl/lookup.js';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../../dsl/problem.js';
import { run } from './command.js';
import type { Library } from './library.js';
import { probe, type Probe, remember } from './probe.js';
import { inScratch } from './scratch.js';
import { cacheFolder, type Say } from './wheel.js';

type Checked<A> = Either<readonly Problem[], A>;

/** The interface that the binding's sources are written for; every Node from 16 on has it. */
const interfaceVersion = 8;

const hasHeaders = (folder: string): boolean => existsSync(join(folder, 'node_api.h'));

/** Node's headers: beside Node, where node-gyp keeps them, or else the small package that holds them. */
const findHeaders = async (say: Say): Promise<Checked<string>> => {
  const prefix = dirname(dirname(process.execPath));
  const { npm_config_nodedir: given, npm_config_devdir: devdir } = process.env;
  const gyp = join(devdir ?? join(homedir(), '.cache', 'node-gyp'), process.versions.node);
  const roots = [...(given === undefined ? [] : [given]), prefix, gyp, '/usr/local', '/usr'];
  const fetched = join(cacheFolder(), 'node-api-headers');
  const packaged = join(fetched, 'node_modules', 'node-api-headers', 'include');
  const found = [...roots.map((root) => join(root, 'include', 'node')), packaged].find(hasHeaders);
  if (found !== undefined) return right(found);
  say('fetching node-api-headers with npm');
  const args = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefix',
    fetched,
    'node-api-headers@1',
  ];
  const npm = process.env['npm_execpath'];
  const { reason } =
    npm?.endsWith('.js') === true ? await run(process.execPath, [npm, ...args]) : await run('npm', args);
  if (hasHeaders(packaged)) return right(packaged);
  const hint = 'install libnode-dev or nodejs-devel, or set npm_config_nodedir=DIR';
  return left([
    problem("Node's headers", `no node_api.h (${reason})`, `${prefix}/include/node/node_api.h`, hint),
  ]);
};

const compilerHint =
  process.platform === 'darwin'
    ? 'run `xcode-select --install`'
    : 'install g++ (apt install g++, dnf install gcc-c++, apk add g++), or set CXX';

const findCompiler = async (): Promise<Checked<readonly [string, ...(readonly string[])]>> => {
  const given = process.env['CXX']?.trim();
  const candidates = given === undefined || given === '' ? ['c++', 'g++', 'clang++'] : [given];
  for (const candidate of candidates) {
    const [program, ...args] = atLeast(1, candidate.split(/\s+/));
    const { ok } = await run(program, [...args, '--version'], { seconds: 60 });
    if (ok) return right([program, ...args]);
  }
  return left([problem('compiler', `no ${candidates.join(', ')}`, 'a C++ compiler', compilerHint)]);
};

/** What each system's linker wants: N-API's symbols come from Node itself, TensorFlow's are resolved at once. */
const linkFlags = (folder: string): readonly string[] =>
  process.platform === 'darwin'
    ? ['-bundle', '-undefined', 'dynamic_lookup', `-Wl,-rpath,${folder}`]
    : ['-shared', '-s', '-Wl,-z,now', `-Wl,-rpath,${folder}`];

const compile = async (
  [program, ...words]: readonly [string, ...(readonly string[])],
  headers: string,
  source: string,
  { folder, files, include }: Library,
  out: string,
): Promise<Checked<void>> => {
  const args = [
    ...words,
    ...['-std=c++17', '-O2', '-fPIC', `-DNAPI_VERSION=${interfaceVersion}`],
    ...[source, headers, include].map((path) => `-I${path}`),
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(source, name)),
    ...files.map((name) => join(folder, name)),
    ...linkFlags(folder),
    ...['-o', out],
  ];
  const { ok, reason } = await run(program, args);
  if (ok) return right(undefined);
  if (/No space left/.test(reason)) return left([problem('compiler', reason, 'room for the binding')]);
  return left([
    problem(
      'compiler',
      reason,
      'sources that compile against these headers',
      'give another --version or --library',
    ),
  ]);
};

/** Builds the binding of the package in `folder`; answers with the version of TensorFlow that it loads. */
export const buildBinding = async (folder: string, library: Library, say: Say): Promise<Checked<Probe>> => {
  const source = join(folder, 'binding');
  if (!existsSync(join(source, 'tfjs_binding.cc'))) {
    return left([
      problem(
        folder,
        'no sources',
        'binding/tfjs_binding.cc of tfjs-node-gpu 4.22',
        'run `npm ci --ignore-scripts`',
      ),
    ]);
  }
  const compiler = await findCompiler();
  if (isLeft(compiler)) return compiler;
  const headers = await findHeaders(say);
  if (isLeft(headers)) return headers;
  try {
    return await inScratch(join(folder, '.build-'), async (scratch) => {
      const made = join(scratch, 'tfjs_binding.node');
      say(`compiling the binding against ${library.folder}`);
      const compiled = await compile(compiler.right, headers.right, source, library, made);
      if (isLeft(compiled)) return compiled;
      const works = probe(made);
      if (isLeft(works)) return works;
      const place = join(folder, 'lib', `napi-v${interfaceVersion}`);
      await mkdir(place, { recursive: true });
      await rename(made, join(place, 'tfjs_binding.node'));
      remember(join(place, 'tfjs_binding.node'), works.right);
      return works;
    });
  } catch (error) {
    return left([
      problem(
        folder,
        error instanceof Error ? error.message : String(error),
        'a package folder that can be written',
      ),
    ]);
  }
};
