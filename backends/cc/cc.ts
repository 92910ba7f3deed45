/** The backend of the machine's own C compiler: a program is a native library, its arrays are JavaScript's. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { Program } from '../../compiler/ir/program.js';
import { lowerLoops } from '../../compiler/loops/lower.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { elementAt, float32At } from '../../dsl/lookup.js';
import type { Problem } from '../../dsl/problem.js';
import type { ArrayBackend, Executable, Handle } from '../backend.js';
import { BackendFailure } from '../failure.js';
import { createHandles } from '../handles.js';
import { createPace } from '../pace.js';
import { usualThreads } from '../usual-threads.js';
import { openOnArrays } from '../tfjs/instance.js';
import { native, type NativeFunction } from './native.js';
import { createPool, type Place } from './pool.js';
import { type Source, sourceOf } from './source.js';

type Checked<A> = Either<readonly Problem[], A>;

type Array = Handle & Place;

/** A program as loops, and as C. */
type Lowered = { readonly plan: Plan; readonly source: Source };

export type CcOptions = {
  /** Threads that share a step; as many as there are cores, or as the environment allows, unless given. The results do not depend on it. */
  readonly threads?: number | undefined;
};

/** Problems where there is no C compiler, or none that works. */
export const createCcBackend = ({ threads = usualThreads() }: CcOptions = {}): Checked<ArrayBackend> => {
  const found = native();
  if (isLeft(found)) return found;
  const { compiler } = found.right;

  const pool = createPool(found.right);
  const handles = createHandles<Array>('cc', (own) => (handles.live() === 0 ? pool.empty() : pool.give(own)));
  const made = (size: number): Array => handles.add({ size, ...pool.take(size) });
  const lowered = new WeakMap<Program, Lowered>();
  const lowerOnce = (program: Program): Lowered => {
    const known = lowered.get(program);
    if (known !== undefined) return known;
    const plan = lowerLoops(program, compiler.target);
    const made = { plan, source: sourceOf(plan, compiler.target) };
    lowered.set(program, made);
    return made;
  };
  const load = (program: Program): Executable => {
    const { plan, source } = lowerOnce(program);
    const loaded = found.right.load(plan, source);
    if (isLeft(loaded)) throw new BackendFailure(elementAt(loaded.left, 0));
    const sizes = plan.outputs.map(({ operand }) => elementAt(plan.buffers, operand.buffer));
    const isShared = threads > 1 && source.sharing.some(Boolean);
    const pace = createPace();
    let timed: NativeFunction | undefined;
    const withTimes = (): NativeFunction => {
      const made =
        timed === undefined
          ? found.right.load(plan, sourceOf(plan, compiler.target, { timed: true }))
          : right(timed);
      if (isLeft(made)) throw new BackendFailure(elementAt(made.left, 0));
      timed = made.right;
      return timed;
    };
    return {
      run: (inputs, profile) => {
        const { run, times } = profile === undefined ? loaded.right : withTimes();
        const read = handles.read(plan, inputs).map(({ address }) => address);
        const outputs = sizes.map(made);
        const start = performance.now();
        run([...read, ...outputs.map((array) => array.address)], pace.isShared() ? threads : 1);
        if (isShared) pace.took(performance.now() - start);
        if (profile !== undefined)
          plan.steps.forEach((step, i) => profile(step, float32At(times, i), source.sharing[i] === true));
        return outputs;
      },
      dispose: () => {
        loaded.right.dispose();
        timed?.dispose();
      },
    };
  };
  const arrays = {
    load,
    prepare: async (program: Program) => {
      const compiled = await found.right.prepare(lowerOnce(program).source);
      if (isLeft(compiled)) throw new BackendFailure(elementAt(compiled.left, 0));
    },
    upload: (values: Float32Array) => {
      const handle = made(values.length);
      handle.data.set(values);
      return handle;
    },
    download: async (handle: Handle) => handles.of(handle).data.slice(),
    dispose: handles.dispose,
  };
  return right({
    ...arrays,
    name: 'cc',
    description: `cc (${compiler.version}, ${threads} ${threads === 1 ? 'thread' : 'threads'})`,
    open: async (programs, state) => openOnArrays(arrays, programs, state),
    plan: (program) => lowerOnce(program).plan,
    liveCount: handles.live,
  });
};
