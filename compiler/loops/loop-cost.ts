/** What a loop body costs, and along which axes its values change. */
import type { Instruction } from './loop.js';
import type { Nest } from './nest.js';

const expensive: ReadonlySet<string> = new Set([
  'exp',
  'log',
  'tanh',
  'sigmoid',
  'softplus',
  'elu',
  'erf',
  'pow',
]);

/** Rough cycles of an instruction on four lanes. */
export const weight = (instruction: Instruction): number =>
  instruction.op === 'load' || instruction.op === 'constant'
    ? 0
    : expensive.has(instruction.op)
      ? 20
      : instruction.op === 'div' || instruction.op === 'divNoNan' || instruction.op === 'sqrt'
        ? 5
        : 1;

/** Per instruction, the axes it varies along. */
export const variation = (nest: Nest): readonly ReadonlySet<number>[] => {
  const sets: ReadonlySet<number>[] = [];
  for (const instruction of nest.body) {
    const axes = new Set<number>();
    if (instruction.op === 'load') {
      nest.loads[instruction.load]?.strides.forEach((stride, axis) => {
        if (stride !== 0) axes.add(axis);
      });
    }
    for (const operand of operandsOf(instruction)) for (const axis of sets[operand] ?? []) axes.add(axis);
    sets.push(axes);
  }
  return sets;
};

export const operandsOf = (instruction: Instruction): readonly number[] => {
  if (instruction.op === 'load' || instruction.op === 'constant') return [];
  if (instruction.op === 'select') return [instruction.a, instruction.b, instruction.c];
  return 'b' in instruction ? [instruction.a, instruction.b] : [instruction.a];
};
