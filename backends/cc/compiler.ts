/** The machine's own C compiler: found, asked what the processor has, and called for the files of a library, which is kept by content. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Target } from '../../compiler/loops/target.js';
import { elementAt } from '../../dsl/lookup.js';
import { errorText, type Problem, problem } from '../../dsl/problem.js';
import { makeFolder, tidied } from '../places.js';
import { cacheFolder } from '../tensorflow/install/wheel.js';
import { asked, atOnce, type Call, compilerHint, oneByOne } from './call.js';

type Checked<A> = Either<readonly Problem[], A>;

export type Compiler = {
  /** What its first line says of itself. */
  readonly version: string;
  readonly target: Target;
  /** The library of these files: compiled, or as it was kept. */
  readonly library: (files: readonly string[], kind: 'program' | 'addon') => Checked<string>;
  /** The same, its files compiled side by side while Node goes on. */
  readonly libraryAside: (files: readonly string[]) => Promise<Checked<string>>;
};

const given = (name: string): readonly string[] => (process.env[name] ?? '').split(/\s+/).filter(Boolean);

/** Vectors by the macros that a compiler defines for this processor. */
const targetOf = (macros: string): Target => {
  const has = (name: string): boolean => macros.includes(`#define ${name} `);
  const common = { readsMemory: true, near: 1 << 16, arrays: 1000 };
  if (has('__AVX512F__')) return { ...common, lanes: [16, 8, 4], registers: 31, blocks: [32, 16] };
  if (has('__AVX__')) return { ...common, lanes: [8, 4], registers: 15, blocks: [16, 8] };
  return { ...common, lanes: [4], registers: has('__aarch64__') ? 31 : 15, blocks: [8] };
};

/** Finite arithmetic is not assumed, and sums keep their order; products and sums may be fused. */
const flags = ['-std=gnu11', '-fno-math-errno', '-fno-trapping-math', '-ffp-contract=fast', '-fPIC', '-w'];

/** Characters from which on a program takes long to compile, and its steps so long that a hundredth of one more does not show. */
const long = 200_000;

/** A third less to compile for a step that takes from one to seven hundredths longer, the more the shorter it is. */
const levelOf = (files: readonly string[]): string =>
  files.reduce((sum, { length }) => sum + length, 0) > long ? '-O2' : '-O3';

const linking = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];

const nativeFlags = (command: readonly string[]): readonly string[] =>
  isLeft(asked([...command, '-march=native', '-E', '-x', 'c', '-'])) ? ['-mcpu=native'] : ['-march=native'];

/** Folders of compilers that were ended with us, an hour ago or more. */
const leftIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith('.work-'))
    .map((name) => join(folder, name))
    .filter(
      (path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < Date.now() - 3_600_000,
    );

/** Finds the compiler: CC where it is set, else cc, gcc or clang. */
export const findCompiler = (): Checked<Compiler> => {
  const named = given('CC');
  const candidates = named.length > 0 ? [named] : [['cc'], ['gcc'], ['clang']];
  let version: string | undefined;
  /** What is wrong with the first that is there. */
  let wrong: readonly Problem[] | undefined;
  const command = candidates.find((one) => {
    const said = asked([...one, '--version']);
    if (isLeft(said)) {
      if (!elementAt(said.left, 0).found.includes('ENOENT')) wrong ??= said.left;
      return false;
    }
    version = said.right.split('\n')[0];
    return true;
  });
  if (command === undefined || version === undefined) {
    const names = candidates.map((one) => one.join(' ')).join(', ');
    return left(wrong ?? [problem('C compiler', `no ${names}`, 'a compiler of the machine', compilerHint)]);
  }
  const all = [...flags, ...nativeFlags(command), ...given('IMMERSION_CFLAGS')];
  const macros = asked([...command, ...all, '-dM', '-E', '-x', 'c', '-']);
  if (isLeft(macros)) return macros;
  const words: readonly string[] = command;
  const compiler = [...words, ...all];
  const processor = [version, process.arch, cpus()[0]?.model ?? '', all.join(' '), macros.right].join('\n');

  /** The calls that make a library, in groups of which each waits for the one before. */
  function* making(
    files: readonly string[],
    kind: 'program' | 'addon',
  ): Generator<readonly Call[], Checked<string>, Checked<unknown>> {
    const folder = join(cacheFolder(), 'cc');
    const made = makeFolder(folder);
    if (isLeft(made)) return made;
    const hash = createHash('sha256').update(processor);
    for (const file of files) hash.update(file);
    const place = join(folder, `${hash.digest('hex').slice(0, 40)}.${kind === 'addon' ? 'node' : 'so'}`);
    if (existsSync(place)) return right(place);
    leftIn(folder).forEach(tidied);
    const work = mkdtempSync(join(folder, '.work-'));
    try {
      const sources = files.map((_, i) => join(work, `${i}.c`));
      const objects = files.map((_, i) => join(work, `${i}.o`));
      const library = join(work, 'library');
      files.forEach((file, i) => writeFileSync(elementAt(sources, i), file));
      const compiled = yield sources.map((source, i) => [
        ...words,
        levelOf(files),
        ...all,
        ...(kind === 'addon' ? ['-pthread'] : []),
        ...['-c', '-o', elementAt(objects, i), source],
      ]);
      if (isLeft(compiled)) return compiled;
      const own = kind === 'addon' ? [...linking, '-pthread'] : linking;
      const libraries = kind === 'addon' ? ['-ldl'] : [];
      const linked = yield [[...compiler, ...own, '-o', library, ...objects, ...libraries]];
      if (isLeft(linked)) return linked;
      if (!existsSync(library)) {
        const found = `${words.join(' ')}, which wrote no library`;
        return left([problem('C compiler', found, 'a compiler that works', compilerHint)]);
      }
      renameSync(library, place);
      return right(place);
    } catch (error) {
      return left([problem(folder, errorText(error), 'a folder that can be written')]);
    } finally {
      tidied(work);
    }
  }
  return right({
    version,
    target: targetOf(macros.right),
    library: (files, kind) => oneByOne(making(files, kind)),
    libraryAside: (files) => atOnce(making(files, 'program')),
  });
};
