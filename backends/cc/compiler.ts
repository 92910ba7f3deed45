/** The machine's own C compiler: found, asked what the processor has, and called once for each source, whose library is kept by content. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Target } from '../../compiler/loops/target.js';
import { errorText, type Problem, problem } from '../../dsl/problem.js';
import { makeFolder, tidied } from '../places.js';
import { cacheFolder } from '../tensorflow/install/wheel.js';

type Checked<A> = Either<readonly Problem[], A>;

export type Compiler = {
  /** What its first line says of itself. */
  readonly version: string;
  readonly target: Target;
  /** The library of a source: compiled, or as it was kept. */
  readonly library: (source: string, kind: 'program' | 'addon') => Checked<string>;
};

/** A compiler that says nothing for so long hangs. */
const seconds = 120;

const hint =
  process.platform === 'darwin'
    ? 'run `xcode-select --install`, or use --backend wasm'
    : 'install gcc or clang, or set CC, or use --backend wasm';

/** The first line that says error, or else the last. */
const telling = (text: string): string => {
  const lines = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  return lines.find((line) => /\berror\b/i.test(line)) ?? lines.at(-1) ?? '';
};

const called = (
  [program = 'cc', ...words]: readonly string[],
  args: readonly string[],
  input = '',
): Checked<string> => {
  const done = spawnSync(program, [...words, ...args], {
    input,
    encoding: 'utf8',
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 26,
  });
  if (done.status === 0) return right(done.stdout);
  const late = done.signal === 'SIGKILL' ? `no end after ${seconds} s` : undefined;
  const why =
    done.error === undefined || late !== undefined
      ? (late ?? (telling(done.stderr) || telling(done.stdout) || `exit ${done.status ?? done.signal}`))
      : errorText(done.error);
  return left([problem('C compiler', `${program}: ${why}`, 'a compiler that works', hint)]);
};

const given = (name: string): readonly string[] => (process.env[name] ?? '').split(/\s+/).filter(Boolean);

/** Vectors by the macros that a compiler defines for this processor. */
const targetOf = (macros: string): Target => {
  const has = (name: string): boolean => macros.includes(`#define ${name} `);
  const common = { readsMemory: true, arrays: 1000 };
  if (has('__AVX512F__')) return { ...common, lanes: [16, 8, 4], registers: 31, blocks: [32, 16, 8] };
  if (has('__AVX__')) return { ...common, lanes: [8, 4], registers: 15, blocks: [16, 8] };
  return { ...common, lanes: [4], registers: has('__aarch64__') ? 31 : 15, blocks: [8] };
};

/** Finite arithmetic is not assumed, and sums keep their order; products and sums may be fused. */
const flags = [
  '-std=gnu11',
  '-O3',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-ffp-contract=fast',
  '-fPIC',
  '-w',
];
const linking = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];

const nativeFlags = (command: readonly string[]): readonly string[] =>
  isLeft(called(command, ['-march=native', '-E', '-x', 'c', '-'])) ? ['-mcpu=native'] : ['-march=native'];

/** Finds the compiler: CC where it is set, else cc, gcc or clang. */
export const findCompiler = (): Checked<Compiler> => {
  const named = given('CC');
  const candidates = named.length > 0 ? [named] : [['cc'], ['gcc'], ['clang']];
  let version: string | undefined;
  const command = candidates.find((one) => {
    const said = called(one, ['--version']);
    if (isLeft(said)) return false;
    version = said.right.split('\n')[0];
    return true;
  });
  if (command === undefined || version === undefined) {
    const names = candidates.map((one) => one.join(' ')).join(', ');
    return left([problem('C compiler', `no ${names}`, 'a compiler of the machine', hint)]);
  }
  const all = [...flags, ...nativeFlags(command), ...given('IMMERSION_CFLAGS')];
  const macros = called(command, [...all, '-dM', '-E', '-x', 'c', '-']);
  if (isLeft(macros)) return macros;
  const processor = [version, process.arch, cpus()[0]?.model ?? '', all.join(' ')].join('\n');
  const library: Compiler['library'] = (source, kind) => {
    const folder = join(cacheFolder(), 'cc');
    const made = makeFolder(folder);
    if (isLeft(made)) return made;
    const digest = createHash('sha256').update(processor).update(macros.right).update(source).digest('hex');
    const place = join(folder, `${digest.slice(0, 40)}.${kind === 'addon' ? 'node' : 'so'}`);
    if (existsSync(place)) return right(place);
    const work = mkdtempSync(join(folder, '.work-'));
    try {
      const [from, to] = [join(work, 'source.c'), join(work, 'library')];
      writeFileSync(from, source);
      const own = kind === 'addon' ? [...linking, '-pthread'] : linking;
      const done = called(command, [...all, ...own, '-o', to, from, ...(kind === 'addon' ? ['-ldl'] : [])]);
      if (isLeft(done)) return done;
      renameSync(to, place);
      return right(place);
    } catch (error) {
      return left([problem(folder, errorText(error), 'a folder that can be written')]);
    } finally {
      tidied(work);
    }
  };
  return right({ version, target: targetOf(macros.right), library });
};
