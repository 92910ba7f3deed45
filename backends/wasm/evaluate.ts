/** The living definition of a loop kernel: what it computes, in float64 and in the order written. */
import type { BinaryName } from '../../compiler/ir/params.js';
import { functions } from '../../compiler/ir/primitives/functions.js';
import type { Access, Instruction, LoopKernel } from '../../compiler/loops/loop.js';

const binary: Readonly<Record<BinaryName, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  divNoNan: (a, b) => (b === 0 ? 0 : a / b),
  max: Math.max,
  min: Math.min,
  greater: (a, b) => (a > b ? 1 : 0),
  pow: (a, b) => (b === 0 ? 1 : Math.pow(a, b)),
};

/** The value of one instruction, given the loads and the earlier values. */
export const evaluateInstruction = (
  instruction: Instruction,
  load: (index: number) => number,
  value: (index: number) => number,
): number => {
  switch (instruction.op) {
    case 'load':
      return load(instruction.load);
    case 'constant':
      return instruction.value;
    case 'select':
      return value(instruction.a) !== 0 ? value(instruction.b) : value(instruction.c);
    case 'neg':
      return -value(instruction.a);
    default:
      return 'b' in instruction
        ? binary[instruction.op](value(instruction.a), value(instruction.b))
        : functions[instruction.op].value(value(instruction.a));
  }
};

const position = (access: Access, index: readonly number[]): number =>
  index.reduce((sum, i, axis) => sum + i * (access.strides[axis] ?? 0), access.offset);

export const evaluateLoop = (
  kernel: LoopKernel,
  inputs: readonly (Float32Array | Float64Array)[],
): Float64Array[] => {
  const outputs = kernel.outputs.map((size) => new Float64Array(size));
  const index = kernel.extents.map(() => 0);
  const count = kernel.extents.reduce((a, b) => a * b, 1);
  for (let step = 0; step < count; step += 1) {
    const values: number[] = [];
    for (const instruction of kernel.body) {
      values.push(
        evaluateInstruction(
          instruction,
          (i) => {
            const access = kernel.loads[i];
            return access === undefined ? NaN : (inputs[access.buffer]?.[position(access, index)] ?? NaN);
          },
          (i) => values[i] ?? NaN,
        ),
      );
    }
    for (const store of kernel.stores) {
      const output = outputs[store.buffer];
      if (output === undefined) continue;
      const at = position(store, index);
      output[at] = (store.mode === 'sum' ? (output[at] ?? NaN) : 0) + (values[store.value] ?? NaN);
    }
    for (let axis = index.length - 1; axis >= 0; axis -= 1) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next === kernel.extents[axis] ? 0 : next;
      if (index[axis] !== 0) break;
    }
  }
  return outputs;
};
