/** The backend of the machine's own C compiler: a program is one native function, its arrays are JavaScript's. */
import { availableParallelism, constants } from 'node:os';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Program } from '../../compiler/ir/program.js';
import { lowerLoops } from '../../compiler/loops/lower.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { errorText, type Problem, problem } from '../../dsl/problem.js';
import type { ArrayBackend, Executable, Handle } from '../backend.js';
import { BackendFailure } from '../failure.js';
import { openOnArrays } from '../tfjs/instance.js';
import { type Compiler, findCompiler } from './compiler.js';
import { runtimeSource } from './runtime-source.js';
import { sourceOf } from './source.js';

/** The addon of runtime-source.ts. Addresses are whole numbers below 2⁵³. */
type Runtime = {
  readonly load: (path: string, out: Float64Array) => string;
  readonly unload: (handle: number) => void;
  readonly address: (array: Float32Array) => number;
  readonly run: (program: number, addresses: Float64Array) => void;
  readonly share: (threads: number) => void;
};

type Checked<A> = Either<readonly Problem[], A>;

const orThrow = <A>(result: Checked<A>): A => {
  if (isLeft(result)) throw new BackendFailure(result.left[0]);
  return result.right;
};

let runtime: Runtime | undefined;

const startRuntime = (compiler: Compiler): Checked<Runtime> => {
  if (runtime !== undefined) return right(runtime);
  const path = compiler.library(runtimeSource, 'addon');
  if (isLeft(path)) return path;
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, path.right, constants.dlopen.RTLD_NOW);
  } catch (error) {
    return left([problem('C compiler', errorText(error), 'an addon that Node loads', 'use --backend wasm')]);
  }
  runtime = module.exports as Runtime;
  return right(runtime);
};

type Array = Handle & { readonly data: Float32Array; readonly address: number };

/** A program as C, without a compiler at hand. */
export const lowerCc = (program: Program, { target }: Pick<Compiler, 'target'>): Plan =>
  lowerLoops(program, target);

export type CcOptions = {
  /** Threads that share a step; all cores unless given. */ readonly threads?: number | undefined;
};

export const createCcBackend = ({
  threads = availableParallelism(),
}: CcOptions = {}): Checked<ArrayBackend> => {
  const found = findCompiler();
  if (isLeft(found)) return found;
  const compiler = found.right;
  const started = startRuntime(compiler);
  if (isLeft(started)) return started;
  const { load: open, unload, address, run, share } = started.right;
  share(threads);

  let live = 0;
  const known = new WeakMap<Handle, Array>();
  const wrap = (data: Float32Array): Array => {
    const handle: Array = { size: data.length, data, address: address(data) };
    known.set(handle, handle);
    live += 1;
    return handle;
  };
  const arrayOf = (handle: Handle): Array => {
    const own = known.get(handle);
    if (own === undefined) throw new Error("an array that is not cc's");
    return own;
  };
  /** Of a size, in memory that does not move. */
  const fresh = (size: number): Float32Array =>
    new Float32Array(new ArrayBuffer(4 * Math.max(1, size)), 0, size);

  const load = (program: Program): Executable => {
    const plan = lowerLoops(program, compiler.target);
    const { text, scratch } = sourceOf(plan, compiler.target);
    const path = orThrow(compiler.library(text, 'program'));
    const out = new Float64Array(2);
    const wrong = open(path, out);
    if (wrong !== '') throw new BackendFailure(problem(program.name, wrong, 'a library that loads'));
    const [handle = 0, entry = 0] = out;
    const memory = fresh(scratch);
    const slots = new Float64Array(plan.inputs.length + plan.outputs.length + 1);
    slots[slots.length - 1] = address(memory);
    const sizes = plan.outputs.map(({ operand }) => plan.buffers[operand.buffer] ?? 0);
    return {
      run: (inputs) => {
        plan.inputs.forEach(({ name }, i) => {
          const array = inputs.get(name);
          if (array === undefined) throw new Error(`no array for ${name}`);
          slots[i] = arrayOf(array).address;
        });
        const outputs = sizes.map((size) => wrap(fresh(size)));
        outputs.forEach((array, i) => {
          slots[plan.inputs.length + i] = array.address;
        });
        run(entry, slots);
        // The scratch memory lives as long as whoever may run on it.
        return memory.length >= 0 ? outputs : [];
      },
      dispose: () => unload(handle),
    };
  };
  const arrays = {
    load,
    upload: (values: Float32Array) => {
      const data = fresh(values.length);
      data.set(values);
      return wrap(data);
    },
    download: async (handle: Handle) => arrayOf(handle).data.slice(),
    dispose: (handle: Handle) => {
      if (known.delete(handle)) live -= 1;
    },
  };
  return right({
    ...arrays,
    name: 'cc',
    description: `cc (${compiler.version}, ${threads} ${threads === 1 ? 'thread' : 'threads'})`,
    open: async (programs, state) => openOnArrays(arrays, programs, state),
    liveCount: () => live,
  });
};
