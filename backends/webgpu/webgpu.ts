/** The backend of a GPU: a program is kernels of WGSL, its arrays lie in one buffer of the device, a run is one submission. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { Program } from '../../compiler/ir/program.js';
import { lowerLoops } from '../../compiler/loops/lower.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { elementAt } from '../../dsl/lookup.js';
import { type Problem, problem } from '../../dsl/problem.js';
import type { ArrayBackend, Executable, Handle } from '../backend.js';
import { BackendFailure } from '../failure.js';
import { createHandles } from '../handles.js';
import { openOnArrays } from '../tfjs/instance.js';
import { type Engine, startEngine } from './engine.js';
import type { Range } from './heap.js';
import { type Schedule, scheduleOf } from './program.js';
import { gpuTarget } from './target.js';

type Array = Handle & { readonly range: Range };

type Lowered = { readonly plan: Plan; readonly schedule: Schedule };

export type WebgpuBackend = ArrayBackend & {
  /** Whether a processor computes in place of a GPU. */
  readonly software: boolean;
};

const backendOn = ({
  description,
  software,
  workgroup,
  heap,
  compile,
  load: loadPlan,
}: Engine): WebgpuBackend => {
  const handles = createHandles<Array>('webgpu', ({ range }) => heap.give(range));
  const wrap = (range: Range): Array => handles.add({ size: range.size, range });
  const lowered = new WeakMap<Program, Lowered>();
  const lowerOnce = (program: Program): Lowered => {
    const before = lowered.get(program);
    if (before !== undefined) return before;
    const plan = lowerLoops(program, gpuTarget);
    const made = { plan, schedule: scheduleOf(plan, { alike: software, bytes: workgroup }) };
    lowered.set(program, made);
    return made;
  };
  const load = (program: Program): Executable => {
    const { plan, schedule } = lowerOnce(program);
    const loaded = loadPlan(plan, schedule);
    return {
      run: (inputs) => loaded.run(handles.read(plan, inputs).map(({ range }) => range.start)).map(wrap),
      dispose: loaded.dispose,
    };
  };
  const downloadAll = (those: readonly Handle[]): Promise<readonly Float32Array[]> =>
    heap.read(those.map((handle) => handles.of(handle).range));
  const arrays = {
    load,
    prepare: async (program: Program) => {
      const why = await compile(lowerOnce(program).schedule);
      if (why !== undefined)
        throw new BackendFailure(
          problem('webgpu', why, 'kernels that the driver compiles', 'use --backend cc or wasm'),
        );
    },
    upload: (values: Float32Array) => {
      const range = heap.take(values.length);
      heap.write(range, values);
      return wrap(range);
    },
    download: async (handle: Handle) => elementAt(await downloadAll([handle]), 0),
    downloadAll,
    dispose: handles.dispose,
  };
  return {
    ...arrays,
    name: 'webgpu',
    description: `webgpu (${description})`,
    software,
    open: async (programs, state) => openOnArrays(arrays, programs, state),
    plan: (program) => lowerOnce(program).plan,
    liveCount: handles.live,
  };
};

let started: Promise<Either<readonly Problem[], WebgpuBackend>> | undefined;

/** Problems where there is no GPU, or none that works. A process has one device, and so one backend, until that device fails. */
export const createWebgpuBackend = (): Promise<Either<readonly Problem[], WebgpuBackend>> =>
  (started ??= startEngine(() => {
    started = undefined;
  }).then((engine) => (isLeft(engine) ? engine : right(backendOn(engine.right)))));
