/** The instructions of a loop's body in the order in which they are computed, and each by a target's operations. */
import { elementAt } from '../../dsl/lookup.js';
import type { Elementary } from './float32.js';
import type { Access, Instruction } from './loop.js';
import { operandsOf } from './loop-cost.js';
import type { Nest } from './nest.js';

/** Instructions that the values of these need, in order. */
export const neededBy = ({ body, loads }: Nest, roots: readonly number[]): readonly number[] => {
  const found = new Set<number>();
  const waiting = [...roots];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (found.has(index)) continue;
    found.add(index);
    waiting.push(...operandsOf(elementAt(body, index), loads));
  }
  return [...found].sort((a, b) => a - b);
};

/** `value` gives what an earlier instruction computed, `read` what lies where a load reads, given what says its place. */
export const computed = <V>(
  math: Elementary<V> & { readonly constant: (value: number) => V },
  { loads }: Nest,
  instruction: Instruction,
  value: (index: number) => V,
  read: (access: Access, place: V | undefined) => V,
): V => {
  switch (instruction.op) {
    case 'load': {
      const access = elementAt(loads, instruction.load);
      return read(access, access.place === undefined ? undefined : value(access.place.at));
    }
    case 'whole':
      return math.whole(value(instruction.a), instruction.size);
    case 'constant':
      return math.constant(instruction.value);
    case 'select':
      return math.select(value(instruction.a), value(instruction.b), value(instruction.c));
    default:
      return 'b' in instruction
        ? math.binary[instruction.op](value(instruction.a), value(instruction.b))
        : math.unary[instruction.op](value(instruction.a));
  }
};
