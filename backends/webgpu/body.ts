/** The WGSL of a loop's body at one index. */
import { operandsOf } from '../../compiler/loops/loop-cost.js';
import type { Nest } from '../../compiler/loops/nest.js';
import { elementAt, getFrom } from '../../dsl/lookup.js';
import { float32 } from './float32.js';
import { elementOf } from './wgsl.js';

/** Instructions that the values of these need, in order. */
const needed = ({ body }: Nest, roots: readonly number[]): readonly number[] => {
  const found = new Set<number>();
  const waiting = [...roots];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (found.has(index)) continue;
    found.add(index);
    waiting.push(...operandsOf(elementAt(body, index)));
  }
  return [...found].sort((a, b) => a - b);
};

export type Body = {
  /** Statements, one a line. */
  readonly text: string;
  /** The name of the value of a root. */
  readonly value: (instruction: number) => string;
};

/** `indices` are the variables of the nest's axes, `base` gives the place of an input. */
export const bodyOf = (
  nest: Nest,
  roots: readonly number[],
  indices: readonly string[],
  base: (buffer: number) => string,
): Body => {
  const lines: string[] = [];
  const declare = (expression: string): string => {
    const name = `t${lines.length}`;
    lines.push(`    let ${name} = ${expression};\n`);
    return name;
  };
  const math = float32(declare);
  const names = new Map<number, string>();
  const value = (instruction: number): string => getFrom(names, instruction);
  for (const index of needed(nest, roots)) {
    const instruction = elementAt(nest.body, index);
    const written = ((): string => {
      switch (instruction.op) {
        case 'load': {
          const access = elementAt(nest.loads, instruction.load);
          return declare(`heap[${elementOf(base(access.buffer), access, indices)}]`);
        }
        case 'constant':
          return math.constant(instruction.value);
        case 'select':
          return math.select(value(instruction.a), value(instruction.b), value(instruction.c));
        default:
          return 'b' in instruction
            ? math.binary[instruction.op](value(instruction.a), value(instruction.b))
            : math.unary[instruction.op](value(instruction.a));
      }
    })();
    names.set(index, written);
  }
  return { text: lines.join(''), value };
};
