/** Loads a binding in a process of its own first: a libtensorflow that does not fit can end the process that loads it. */
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Problem, problem } from '../../../dsl/problem.js';

/** What a binding says of itself once it is loaded. */
export type Probe = {
  readonly version: string;
  readonly gpu: boolean;
  /** Files of TensorFlow's that came with it, where the system tells. */
  readonly libraries: readonly string[];
};

export const rebuild = 'run `immersion doctor --build`, or use --backend wasm';

/** The oldest TensorFlow that is taken: the one which the package itself downloads is 2.9.1. */
const oldest = { major: 2, minor: 9 };
const supported = `TensorFlow ${oldest.major}.${oldest.minor} or newer`;

/** Why a version of TensorFlow is not taken. */
export const versionProblem = (version: string): Problem | undefined => {
  const [major, minor] = version.split('.').map(Number);
  const fits = major === oldest.major && minor !== undefined && minor >= oldest.minor;
  return fits ? undefined : problem('native', `TensorFlow ${version}`, supported, rebuild);
};

/** The first line of what the dynamic loader said, read as one of the ways in which a library does not fit. */
export const loadProblem = (message: string): Problem => {
  const [line] = atLeast(1, message.split('\n'));
  const symbol = /undefined symbol:\s*(\w+)|symbol not found[^']*'_?(\w+)'/i.exec(message);
  if (symbol !== null) {
    const name = symbol[1] ?? symbol[2];
    return problem('native', `a libtensorflow without ${name}`, supported, rebuild);
  }
  const file =
    /([^\s:]+): cannot open shared object file/.exec(line)?.[1] ??
    /Library not loaded: (\S+)/.exec(message)?.[1];
  if (file !== undefined)
    return problem('native', `no library ${file}`, 'the library that the binding was built with', rebuild);
  if (/ELF|mach-o|not a valid Win32/i.test(line)) {
    return problem('native', line, `a library for ${process.platform} ${process.arch}`, rebuild);
  }
  return problem('native', line, 'a binding and a libtensorflow that fit each other', rebuild);
};

/** Runs in the child. It multiplies nothing: a tensor made and read back has passed through the library. */
const script = `
const answer = (value) => process.stdout.write('\\n' + JSON.stringify(value) + '\\n');
let version;
try {
  const binding = require(process.argv[1]);
  version = binding.TF_Version;
  const id = binding.createTensor([2], binding.TF_FLOAT, Float32Array.of(1, 2));
  const [one] = binding.tensorDataSync(id);
  if (one !== 1) throw new Error('a tensor that does not come back');
  let maps = '';
  try { maps = require('fs').readFileSync('/proc/self/maps', 'utf8'); } catch {}
  const libraries = [...new Set(maps.match(/\\/\\S*libtensorflow\\S*/g) ?? [])];
  answer({ version, gpu: binding.isUsingGpuDevice(), libraries });
} catch (error) {
  answer({ version, error: String(error && error.message || error) });
}`;

const parse = (text: string): Partial<Probe & { readonly error: string }> => {
  try {
    return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Partial<Probe & { readonly error: string }>;
  } catch {
    return {};
  }
};

/** Loads the binding in a child, with every symbol resolved at once, and reports how that went, an old library included. */
export const probe = (binding: string): Either<readonly Problem[], Probe> => {
  const child = spawnSync(process.execPath, ['-e', script, binding], {
    // A loader in NODE_OPTIONS is ours, not the child's.
    env: { ...process.env, NODE_OPTIONS: '', LD_BIND_NOW: '1', TF_CPP_MIN_LOG_LEVEL: '3' },
    encoding: 'utf8',
    timeout: 120_000,
  });
  const { error, version, gpu = false, libraries = [] } = parse(child.stdout);
  const wrong = version === undefined ? undefined : versionProblem(version);
  if (wrong !== undefined) return left([wrong]);
  if (error !== undefined) return left([loadProblem(error)]);
  if (version !== undefined) return right({ version, gpu, libraries });
  // The dynamic loader's own last words, where it ends the process.
  const words = child.stderr.split('\n').find((line) => /symbol|error/i.test(line));
  if (words !== undefined && child.signal === null) return left([loadProblem(words)]);
  const end = child.error?.message ?? child.signal ?? `exit ${child.status}`;
  const found = `a process that ended (${end}) while it loaded the binding`;
  return left([problem('native', found, 'a binding and a libtensorflow that fit each other', rebuild)]);
};

type Seen = { readonly path: string; readonly size: number; readonly modified: number };
type Stamp = { readonly node: string; readonly search: string; readonly files: readonly Seen[] };

const stampPath = (binding: string): string => join(dirname(binding), 'immersion-probe.json');

/** A path that is no more has size −1, and so differs from what was seen. */
const seen = (path: string): Seen => {
  const stat = statSync(path, { throwIfNoEntry: false });
  return { path, size: stat?.size ?? -1, modified: stat?.mtimeMs ?? 0 };
};

const stampOf = (paths: readonly string[]): Stamp => ({
  node: process.version,
  search: process.env['LD_LIBRARY_PATH'] ?? '',
  files: paths.map(seen),
});

const hasPassed = (binding: string): boolean => {
  try {
    const text = readFileSync(stampPath(binding), 'utf8');
    const { files } = JSON.parse(text) as Stamp;
    return (
      elementAt(files, 0).path === binding && text === JSON.stringify(stampOf(files.map(({ path }) => path)))
    );
  } catch {
    return false;
  }
};

/** Remembers, beside the binding, that these files load together. */
export const remember = (binding: string, { libraries }: Probe): void => {
  try {
    writeFileSync(stampPath(binding), JSON.stringify(stampOf([binding, ...libraries])));
  } catch {
    // A folder that cannot be written costs a probe at each start, nothing else.
  }
};

/** Probes a binding unless it has passed before, with the same files and the same Node. */
export const checkBinding = (binding: string): Either<readonly Problem[], void> => {
  if (hasPassed(binding)) return right(undefined);
  const result = probe(binding);
  if (result._tag === 'Left') return result;
  remember(binding, result.right);
  return right(undefined);
};
