/** Runs plans with tfjs kernels, without tape or tidy: every buffer is freed at the step after which nothing reads it. */
import { elementAt, last } from '../../dsl/lookup.js';
import { type DataId, getKernel, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core';
import type { Operand, Plan, Step } from '../../compiler/loops/plan.js';
import { runRoutine } from '../../compiler/loops/routine.js';
import type { Profile } from '../backend.js';

/** What execution needs of a backend beyond its kernels. */
export type Memory = {
  readonly name: string;
  readonly backend: KernelBackend;
  /** An uninitialised array. */
  readonly allocate: (size: number) => DataId;
  /** The loops of a plan in order, without those of plans inside it. */
  readonly loops: (plan: Plan) => readonly RunLoop[];
};

/** One loop of a plan: reads and writes arrays in place. */
export type RunLoop = (inputs: readonly DataId[], outputs: readonly DataId[]) => void;

type Buffers = (DataId | undefined)[];

/** Runs once: takes the inputs' data in plan order, gives the outputs'. Outputs hold a reference of their own. */
export type Run = (inputs: readonly DataId[], profile?: Profile) => readonly DataId[];

type RunStep = (buffers: Buffers) => void;

const dataOf = (buffers: Buffers, buffer: number): DataId => {
  const data = buffers[buffer];
  if (data === undefined) throw new Error(`buffer ${buffer} is read before it is written`);
  return data;
};

/** tfjs's kernels look at shapes and types only through these. */
const tensorOf = (buffers: Buffers, { buffer, shape }: Operand, dtype: TensorInfo['dtype']): TensorInfo => ({
  dataId: dataOf(buffers, buffer),
  shape: [...shape],
  dtype,
});

const booleanKernels: ReadonlySet<string> = new Set(['Equal', 'NotEqual', 'Greater', 'Less', 'IsFinite']);

/** What is not float32: places, and booleans, which live only between a comparison and the kernel that uses it. */
const typesOf = (plan: Plan): ReadonlyMap<number, TensorInfo['dtype']> => {
  const types = new Map<number, TensorInfo['dtype']>(
    plan.constants.map(({ operand, dtype }) => [operand.buffer, dtype]),
  );
  for (const step of plan.steps) {
    if (step.tag !== 'kernel') continue;
    const { kernel, inputs, attributes, output } = step;
    const operands = Object.values(inputs) as readonly Operand[];
    const arePlaces = kernel === 'Add' && operands.every(({ buffer }) => types.get(buffer) === 'int32');
    if (booleanKernels.has(kernel)) types.set(output.buffer, 'bool');
    else if (attributes['dtype'] === 'int32' || arePlaces) types.set(output.buffer, 'int32');
  }
  return types;
};

const timed =
  (profile: Profile, step: Step, run: RunStep): RunStep =>
  (buffers) => {
    const start = performance.now();
    run(buffers);
    profile(step, performance.now() - start, false);
  };

const prepareKernel = (
  step: Extract<Step, { tag: 'kernel' }>,
  memory: Memory,
  types: ReadonlyMap<number, TensorInfo['dtype']>,
): RunStep => {
  const kernel = getKernel(step.kernel, memory.name);
  if (kernel === undefined) throw new Error(`${memory.name} has no kernel ${step.kernel}`);
  const dtypeOf = (o: Operand): TensorInfo['dtype'] => types.get(o.buffer) ?? 'float32';
  const { inputs, attributes, output } = step;
  // Kernels with a list of inputs take an array where the type says a record.
  const names = Object.keys(inputs);
  const operands = Object.values(inputs) as readonly Operand[];
  const isList = Array.isArray(inputs);
  return (buffers) => {
    const tensors = operands.map((o) => tensorOf(buffers, o, dtypeOf(o)));
    const named = isList ? tensors : Object.fromEntries(names.map((name, i) => [name, tensors[i]]));
    const result = kernel.kernelFunc({
      inputs: named as never,
      attrs: attributes as never,
      backend: memory.backend,
    });
    buffers[output.buffer] = (Array.isArray(result) ? elementAt(result, 0) : result).dataId;
  };
};

const prepareLoop = (
  step: Extract<Step, { tag: 'loop' }>,
  plan: Plan,
  memory: Memory,
  run: RunLoop,
): RunStep => {
  const sizes = step.outputs.map((buffer) => elementAt(plan.buffers, buffer));
  return (buffers) => {
    const outputs = sizes.map((size) => memory.allocate(size));
    step.outputs.forEach((buffer, i) => {
      buffers[buffer] = outputs[i];
    });
    run(
      step.inputs.map((buffer) => dataOf(buffers, buffer)),
      outputs,
    );
  };
};

const prepareRoutine =
  ({ routine, inputs, outputs: [output] }: Extract<Step, { tag: 'routine' }>, { backend }: Memory): RunStep =>
  (buffers) => {
    const values = inputs.map((buffer) => backend.readSync(dataOf(buffers, buffer)) as Float32Array);
    const result = runRoutine(routine, values);
    buffers[output] = backend.write(result, [result.length], 'float32');
  };

/** What a round carries is freed after the next; the first is the caller's. */
const prepareRepeat = (
  { body, times, inputs, outputs }: Extract<Step, { tag: 'repeat' }>,
  memory: Memory,
): RunStep & { readonly dispose: () => void } => {
  const { backend } = memory;
  const prepared = prepare(body, memory);
  const free = (ids: readonly DataId[]): void => ids.forEach((id) => backend.disposeData(id));
  const repeat: RunStep = (buffers) => {
    const first = inputs.map((buffer) => dataOf(buffers, buffer));
    const kept = first.slice(outputs.length);
    let carried = first.slice(0, outputs.length);
    carried.forEach((id) => backend.incRef(id));
    try {
      for (let round = 0; round < times; round++) {
        const results = prepared.run([...carried, ...kept]);
        free(carried);
        carried = results.slice(0, -1);
        const running = last(results);
        const [count] = backend.readSync(running) as Float32Array;
        free([running]);
        if (count === 0) break;
      }
    } catch (error) {
      free(carried);
      throw error;
    }
    outputs.forEach((buffer, i) => {
      buffers[buffer] = carried[i];
    });
  };
  return Object.assign(repeat, { dispose: prepared.dispose });
};

export type Prepared = { readonly run: Run; readonly dispose: () => void };

/** Makes a plan ready to run. */
export const prepare = (plan: Plan, memory: Memory): Prepared => {
  const { backend } = memory;
  const types = typesOf(plan);
  const loops = [...memory.loops(plan)].reverse();
  const inside: Pick<Prepared, 'dispose'>[] = [];
  const steps = plan.steps.map((step): RunStep => {
    switch (step.tag) {
      case 'kernel':
        return prepareKernel(step, memory, types);
      case 'routine':
        return prepareRoutine(step, memory);
      case 'repeat': {
        const repeat = prepareRepeat(step, memory);
        inside.push(repeat);
        return repeat;
      }
      case 'loop': {
        const loop = loops.pop();
        if (loop === undefined) throw new Error('fewer loops than the plan has');
        return prepareLoop(step, plan, memory, loop);
      }
    }
  });
  const constants = plan.constants.map(({ operand, values, dtype }) => ({
    buffer: operand.buffer,
    data: backend.write(
      dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values),
      [...operand.shape],
      dtype,
    ),
  }));
  const release = (buffers: Buffers, ids: readonly number[]): void => {
    for (const buffer of ids) {
      backend.disposeData(dataOf(buffers, buffer));
      buffers[buffer] = undefined;
    }
  };
  const fresh = new Set(plan.steps.flatMap((s) => (s.tag === 'kernel' ? [s.output.buffer] : s.outputs)));
  const run: Run = (inputs, profile) => {
    const buffers: Buffers = new Array<DataId | undefined>(plan.buffers.length);
    plan.inputs.forEach(({ operand }, i) => {
      buffers[operand.buffer] = inputs[i];
    });
    for (const { buffer, data } of constants) buffers[buffer] = data;
    const work =
      profile === undefined ? steps : steps.map((step, i) => timed(profile, elementAt(plan.steps, i), step));
    try {
      work.forEach((step, i) => {
        step(buffers);
        release(buffers, elementAt(plan.release, i));
      });
    } catch (error) {
      const made = [...fresh].filter((buffer) => buffers[buffer] !== undefined);
      release(buffers, made);
      throw error;
    }
    const given = new Set<number>();
    return plan.outputs.map(({ operand: { buffer } }) => {
      const data = dataOf(buffers, buffer);
      // An output that is an input, a constant or another output is shared, so it is counted once more.
      if (!fresh.has(buffer) || given.has(buffer)) backend.incRef(data);
      given.add(buffer);
      return data;
    });
  };
  const dispose = (): void => {
    constants.forEach(({ data }) => backend.disposeData(data));
    inside.forEach((one) => one.dispose());
  };
  return { run, dispose };
};
