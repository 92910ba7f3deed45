/** The living definition of a loop kernel: what it computes, in float64 and in the order written. */
import { elementAt, floatAt, float64At } from '../../dsl/lookup.js';
import type { BinaryName } from '../ir/params.js';
import { placeOf } from '../ir/primitives/places.js';
import { functions } from '../ir/primitives/functions.js';
import { reductions } from '../ir/primitives/reduction.js';
import { startOf } from './dependence.js';
import type { Access, Instruction, LoopKernel } from './loop.js';

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
    case 'whole':
      return placeOf(value(instruction.a), instruction.size);
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

/** Undefined where what says the place says that there is none. */
const position = (
  { offset, strides, place }: Access,
  index: readonly number[],
  values: readonly number[],
): number | undefined => {
  const start = index.reduce((sum, i, axis) => sum + i * elementAt(strides, axis), offset);
  if (place === undefined) return start;
  const whole = elementAt(values, place.at);
  return whole < 0 ? undefined : start + whole * place.stride;
};

export const evaluateLoop = (
  kernel: LoopKernel,
  inputs: readonly (Float32Array | Float64Array)[],
): Float64Array[] => {
  const outputs = kernel.outputs.map((size, buffer) => new Float64Array(size).fill(startOf(kernel, buffer)));
  const index = kernel.extents.map(() => 0);
  const count = kernel.extents.reduce((a, b) => a * b, 1);
  for (let step = 0; step < count; step += 1) {
    const values: number[] = [];
    for (const instruction of kernel.body) {
      values.push(
        evaluateInstruction(
          instruction,
          (i) => {
            const access = elementAt(kernel.loads, i);
            const at = position(access, index, values);
            return at === undefined ? 0 : floatAt(elementAt(inputs, access.buffer), at);
          },
          (i) => elementAt(values, i),
        ),
      );
    }
    for (const store of kernel.stores) {
      const output = elementAt(outputs, store.buffer);
      const at = position(store, index, values);
      if (at === undefined) continue;
      const value = elementAt(values, store.value);
      output[at] =
        store.mode === 'set' ? value : reductions[store.mode].between(float64At(output, at), value);
    }
    for (let axis = index.length - 1; axis >= 0; axis -= 1) {
      const next = elementAt(index, axis) + 1;
      index[axis] = next === kernel.extents[axis] ? 0 : next;
      if (index[axis] !== 0) break;
    }
  }
  return outputs;
};
