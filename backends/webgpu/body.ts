/** The WGSL of a loop's body at one index. */
import { computed, neededBy } from '../../compiler/loops/computed.js';
import type { Access } from '../../compiler/loops/loop.js';
import type { Nest } from '../../compiler/loops/nest.js';
import { elementAt, getFrom } from '../../dsl/lookup.js';
import { float32 } from './float32.js';
import { elementOf } from './wgsl.js';

export type Body = {
  /** Statements, one a line. */
  readonly text: string;
  /** The name of the value of a root. */
  readonly value: (instruction: number) => string;
};

/** Whether something says a place. */
export const isThere = (says: string): string => `${says} > -0.5f`;

/** An element further on by the place that something says, never beyond the last. */
export const further = ({ body }: Nest, { place }: Access, element: string, says: string): string => {
  const by = place === undefined ? undefined : body[place.at];
  return place === undefined || by?.op !== 'whole'
    ? element
    : `${element} + clamp(i32(${says}), 0, ${by.size - 1}) * ${place.stride}`;
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
  for (const index of neededBy(nest, roots)) {
    const instruction = elementAt(nest.body, index);
    const written = computed(math, nest, instruction, value, (access, says) => {
      const element = elementOf(base(access.buffer), access, indices);
      return says === undefined
        ? declare(`heap[${element}]`)
        : declare(`select(0.0f, heap[${further(nest, access, element, says)}], ${isThere(says)})`);
    });
    names.set(index, written);
  }
  return { text: lines.join(''), value };
};
