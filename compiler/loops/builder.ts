/** Builds plans: numbers buffers, shares equal calls, and finds where each buffer is used for the last time. */
import { elementAt } from '../../dsl/lookup.js';
import { keyOf } from '../ir/key.js';
import type { Attribute, Constant, Operand, Plan, PlanBuilder, PlanOutput, Step } from './plan.js';
import { sizeOfShape } from '../ir/type.js';

export type PlanDraft = PlanBuilder & {
  readonly input: (name: string, shape: readonly number[]) => Operand;
  readonly finish: (outputs: readonly PlanOutput[]) => Plan;
};

type Inputs = Readonly<Record<string, Operand>> | readonly Operand[];

const operandsOf = (inputs: Inputs): readonly Operand[] => Object.values<Operand>(inputs);

const reads = (step: Step): readonly number[] =>
  step.tag === 'kernel' ? operandsOf(step.inputs).map((o) => o.buffer) : step.inputs;

export const writes = (step: Step): readonly number[] =>
  step.tag === 'kernel' ? [step.output.buffer] : step.outputs;

/** For each step the buffers that it uses last; buffers of `kept` outlive the plan. */
const releases = (steps: readonly Step[], kept: ReadonlySet<number>): readonly (readonly number[])[] => {
  const last = new Map<number, number>();
  steps.forEach((step, i) => [...reads(step), ...writes(step)].forEach((buffer) => last.set(buffer, i)));
  const result: number[][] = steps.map(() => []);
  for (const [buffer, i] of last) if (!kept.has(buffer)) elementAt(result, i).push(buffer);
  return result;
};

export const createPlan = (
  { blocks, near }: Pick<PlanBuilder, 'blocks' | 'near'> = { blocks: [8], near: 0 },
): PlanDraft => {
  const buffers: number[] = [];
  const steps: Step[] = [];
  const inputs: { readonly name: string; readonly operand: Operand }[] = [];
  const constants: Constant[] = [];
  const known = new Map<string, Operand>();
  const knownLoops = new Map<string, readonly Operand[]>();
  const allocate = (shape: readonly number[]): Operand => ({
    buffer: buffers.push(sizeOfShape(shape)) - 1,
    shape,
  });
  return {
    blocks,
    near,
    input: (name, shape) => {
      const operand = allocate(shape);
      inputs.push({ name, operand });
      return operand;
    },
    kernel: (kernel, kernelInputs, attributes, shape) => {
      const key = keyOf([kernel, kernelInputs, attributes, shape]);
      const before = known.get(key);
      if (before !== undefined) return before;
      const output = allocate(shape);
      steps.push({ tag: 'kernel', kernel, inputs: kernelInputs, attributes, output });
      known.set(key, output);
      return output;
    },
    loop: (loop, operands, shapes) => {
      const key = keyOf([loop, operands.map((o) => o.buffer), shapes]);
      const before = knownLoops.get(key);
      if (before !== undefined) return before;
      const outputs = shapes.map(allocate);
      knownLoops.set(key, outputs);
      steps.push({
        tag: 'loop',
        loop,
        inputs: operands.map((o) => o.buffer),
        outputs: outputs.map((o) => o.buffer),
      });
      return outputs;
    },
    routine: (routine, operands, shape) => {
      const output = allocate(shape);
      const buffers = operands.map((o) => o.buffer);
      steps.push({ tag: 'routine', routine, inputs: buffers, outputs: [output.buffer] });
      return output;
    },
    repeat: (body, times, carried, kept) => {
      const buffers = [...carried, ...kept].map((o) => o.buffer);
      const key = keyOf(['repeat', body, times, buffers]);
      const before = knownLoops.get(key);
      if (before !== undefined) return before;
      const outputs = carried.map(({ shape }) => allocate(shape));
      knownLoops.set(key, outputs);
      steps.push({ tag: 'repeat', body, times, inputs: buffers, outputs: outputs.map((o) => o.buffer) });
      return outputs;
    },
    constant: (values, shape, dtype = 'float32') => {
      const key = keyOf([values, shape, dtype]);
      const before = known.get(key);
      if (before !== undefined) return before;
      const operand = allocate(shape);
      constants.push({ operand, values, dtype });
      known.set(key, operand);
      return operand;
    },
    finish: (outputs) => {
      const kept = new Set([...inputs, ...constants, ...outputs].map(({ operand }) => operand.buffer));
      return { buffers, inputs, constants, steps, release: releases(steps, kept), outputs };
    },
  };
};

/** A plan's attributes that several kernels share. */
export const imageAttributes = (
  strides: readonly [number, number],
  [top, bottom, left, right]: readonly [number, number, number, number],
): Readonly<Record<string, Attribute>> => ({
  strides,
  pad: [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ],
  dataFormat: 'NHWC',
  dilations: [1, 1],
});
