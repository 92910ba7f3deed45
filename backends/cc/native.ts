/** Plans as native functions: compiled, loaded, and run on arrays of JavaScript, whose memory does not move. */
import { constants } from 'node:os';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { errorText, type Problem, problem } from '../../dsl/problem.js';
import { type Compiler, findCompiler } from './compiler.js';
import { runtimeSource } from './runtime-source.js';
import { type Source, sourceOf } from './source.js';

type Checked<A> = Either<readonly Problem[], A>;

/** The addon of runtime-source.ts. Addresses are whole numbers below 2⁵³. */
type Runtime = {
  readonly load: (path: string, out: Float64Array) => string;
  readonly unload: (handle: number) => void;
  readonly address: (array: Float32Array) => number;
  readonly run: (program: number, addresses: Float64Array, threads: number) => void;
};

export type NativeFunction = {
  /** Runs on addresses: of the plan's inputs, then of its outputs; its nests are shared among so many threads. */
  readonly run: (addresses: Iterable<number>, threads?: number) => void;
  /** Milliseconds of each step of the plan in the last run, where the source is timed. */
  readonly times: Float32Array;
  readonly dispose: () => void;
};

export type Native = {
  readonly compiler: Compiler;
  /** So many zeros, where compiled functions can reach them. */
  readonly numbers: (size: number) => Float32Array;
  /** Where the numbers of an array lie that was made by `numbers`. */
  readonly address: (array: Float32Array) => number;
  /** Its source may be given where it is there already. */
  readonly load: (plan: Plan, source?: Source) => Checked<NativeFunction>;
  /** Compiles a source without loading it, while Node goes on. */
  readonly prepare: (source: Source) => Promise<Checked<unknown>>;
};

/** Bytes of a line of the cache, in which the longest vectors lie whole. */
const line = 64;

/** Arrays of zeros that begin with a line, in memory of their own: small ones may lie where the garbage collector moves them. */
const onLines =
  (address: Runtime['address']) =>
  (size: number): Float32Array => {
    const buffer = new ArrayBuffer(4 * size + line);
    const start = address(new Float32Array(buffer, 0, 1)) % line;
    return new Float32Array(buffer, start === 0 ? 0 : line - start, size);
  };

const addon = (compiler: Compiler): Checked<Runtime> => {
  const path = compiler.library([runtimeSource], 'addon');
  if (isLeft(path)) return path;
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, path.right, constants.dlopen.RTLD_NOW);
  } catch (error) {
    return left([problem('C compiler', errorText(error), 'an addon that Node loads', 'use --backend wasm')]);
  }
  // The exports of runtime-source.ts.
  return right(module.exports as Runtime);
};

const start = (): Checked<Native> => {
  const found = findCompiler();
  if (isLeft(found)) return found;
  const compiler = found.right;
  const loaded = addon(compiler);
  if (isLeft(loaded)) return loaded;
  const { address, load, unload, run } = loaded.right;
  const numbers = onLines(address);
  return right({
    compiler,
    numbers,
    address,
    prepare: ({ files }) => compiler.libraryAside(files),
    load: (plan, { files, scratch } = sourceOf(plan, compiler.target)) => {
      const path = compiler.library(files, 'program');
      if (isLeft(path)) return path;
      const out = new Float64Array(2);
      const wrong = load(path.right, out);
      if (wrong !== '') return left([problem('C compiler', wrong, 'a library that loads')]);
      const [handle = 0, entry = 0] = out;
      const memory = numbers(scratch);
      const count = plan.inputs.length + plan.outputs.length;
      const times = numbers(Math.max(1, plan.steps.length));
      const slots = new Float64Array(count + 2);
      return right({
        times,
        run: (addresses, threads = 1) => {
          let i = 0;
          for (const one of addresses) slots[i++] = one;
          // Asked each time, so that nothing collects them while the program is here.
          slots[count] = address(memory);
          slots[count + 1] = address(times);
          run(entry, slots, threads);
        },
        dispose: () => unload(handle),
      });
    },
  });
};

let started: Checked<Native> | undefined;

/** Once a process: the compiler is found and the addon loaded, or what is in the way. */
export const native = (): Checked<Native> => (started ??= start());
