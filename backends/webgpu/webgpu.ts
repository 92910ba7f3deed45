/** The backend of a GPU: a program is kernels of WGSL, its arrays lie in one buffer of the device, a run is one submission. */
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import type { Program } from '../../compiler/ir/program.js';
import { lowerLoops } from '../../compiler/loops/lower.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { elementAt } from '../../dsl/lookup.js';
import { type Problem, problem } from '../../dsl/problem.js';
import type { ArrayBackend, Executable, Handle } from '../backend.js';
import { BackendFailure } from '../failure.js';
import { openOnArrays } from '../tfjs/instance.js';
import { requestDevice } from './device.js';
import { createHeap, type Range } from './heap.js';
import { createPipelines } from './pipelines.js';
import type { Place } from './kernel.js';
import { type Schedule, scheduleOf } from './program.js';
import { gpuTarget } from './target.js';

type Array = Handle & { readonly range: Range };

type Lowered = { readonly plan: Plan; readonly schedule: Schedule };

/** Problems where there is no GPU, or none that works. */
export const createWebgpuBackend = async (): Promise<Either<readonly Problem[], ArrayBackend>> => {
  const found = await requestDevice();
  if (isLeft(found)) return found;
  const { device, description } = found.right;
  let failure: string | undefined;
  const failed = (): string | undefined => failure;
  device.addEventListener('uncapturederror', (event) => {
    failure ??= event.error.message.split('\n')[0];
    event.preventDefault();
  });
  void device.lost.then(({ message }) => (failure ??= `the device is lost: ${message.split('\n')[0]}`));
  const heap = createHeap(found.right, failed);
  const pipelines = createPipelines(device, heap);

  let live = 0;
  const known = new WeakMap<Handle, Array>();
  const wrap = (range: Range): Array => {
    const handle: Array = { size: range.size, range };
    known.set(handle, handle);
    live += 1;
    return handle;
  };
  const arrayOf = (handle: Handle): Array => {
    const own = known.get(handle);
    if (own === undefined) throw new Error("an array that is not webgpu's");
    return own;
  };
  const lowered = new WeakMap<Program, Lowered>();
  const lowerOnce = (program: Program): Lowered => {
    const before = lowered.get(program);
    if (before !== undefined) return before;
    const plan = lowerLoops(program, gpuTarget);
    const made = { plan, schedule: scheduleOf(plan, gpuTarget) };
    lowered.set(program, made);
    return made;
  };
  const load = (program: Program): Executable => {
    const { plan, schedule } = lowerOnce(program);
    const calls = pipelines.prepared(schedule.calls);
    const constants = schedule.constants.map((values) => {
      const range = heap.take(values.length);
      heap.write(range, values);
      return range.start;
    });
    const sizes = plan.outputs.map(({ operand }) => elementAt(plan.buffers, operand.buffer));
    return {
      run: (inputs) => {
        const read = plan.inputs.map(({ name }) => {
          const array = inputs.get(name);
          if (array === undefined) throw new Error(`no array for ${name}`);
          return arrayOf(array).range.start;
        });
        const outputs = sizes.map((size) => heap.take(size));
        const scratch = heap.take(schedule.scratch);
        const startOf = (place: Place): number => {
          switch (place.of) {
            case 'input':
              return elementAt(read, place.index);
            case 'output':
              return elementAt(outputs, place.index).start;
            case 'constant':
              return elementAt(constants, place.index);
            case 'scratch':
              return scratch.start + place.start;
          }
        };
        calls.run(startOf);
        // What is submitted later runs later, so the memory may be another's at once.
        heap.give(scratch);
        return outputs.map(wrap);
      },
      dispose: () =>
        schedule.constants.forEach((values, i) =>
          heap.give({ start: elementAt(constants, i), size: values.length }),
        ),
    };
  };
  const downloadAll = (handles: readonly Handle[]): Promise<readonly Float32Array[]> =>
    heap.read(handles.map((handle) => arrayOf(handle).range));
  const arrays = {
    load,
    prepare: async (program: Program) => {
      const why = await pipelines.compile(lowerOnce(program).schedule.calls);
      if (why !== undefined)
        throw new BackendFailure(
          problem('webgpu', why, 'a kernel that compiles', 'use --backend cc or wasm'),
        );
    },
    upload: (values: Float32Array) => {
      const range = heap.take(values.length);
      heap.write(range, values);
      return wrap(range);
    },
    download: async (handle: Handle) => elementAt(await downloadAll([handle]), 0),
    downloadAll,
    dispose: (handle: Handle) => {
      const own = known.get(handle);
      if (own === undefined) return;
      known.delete(handle);
      heap.give(own.range);
      live -= 1;
    },
  };
  return right({
    ...arrays,
    name: 'webgpu',
    description: `webgpu (${description})`,
    open: async (programs, state) => openOnArrays(arrays, programs, state),
    liveCount: () => live,
  });
};
