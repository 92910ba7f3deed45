/** The addresses of a nest's accesses: locals that step with the loops, one per buffer and list of strides. */
import { elementAt, getFrom } from '../../dsl/lookup.js';
import type { Access } from '../../compiler/loops/loop.js';
import type { Assembler } from './encode.js';
import type { Place } from './lanes.js';
import type { Nest } from '../../compiler/loops/nest.js';

export type Side = 'input' | 'output';

/** Accesses of one buffer with equal strides share a pointer and differ by a constant distance. */
export type Pointer = { readonly local: number; readonly strides: readonly number[] };

export type Pointers = {
  /** An access's place, `elements` further on. */
  readonly place: (side: Side, access: Access, elements?: number) => Place;
  /** Moves every pointer by the bytes it should. */
  readonly advance: (bytes: (pointer: Pointer) => number) => void;
};

const key = (side: Side, access: Access): string => `${side} ${access.buffer} ${access.strides.join(' ')}`;

/** Sets up the pointers at index 0 of every axis; `inputs` and `outputs` are the locals of the buffers' addresses. */
export const pointersOf = (
  asm: Assembler,
  nest: Nest,
  inputs: readonly number[],
  outputs: readonly number[],
): Pointers => {
  const pointers = new Map<string, Pointer>();
  const origin = new Map<string, number>();
  const sides = [
    ...nest.loads.map((access) => ({ side: 'input' as const, access })),
    ...nest.stores.map((access) => ({ side: 'output' as const, access })),
  ];
  for (const { side, access } of sides) {
    const id = key(side, access);
    origin.set(id, Math.min(origin.get(id) ?? access.offset, access.offset));
  }
  for (const { side, access } of sides) {
    const id = key(side, access);
    if (pointers.has(id)) continue;
    const pointer = { local: asm.local('i32'), strides: access.strides };
    pointers.set(id, pointer);
    asm.get(elementAt(side === 'input' ? inputs : outputs, access.buffer));
    const start = 4 * getFrom(origin, id);
    if (start !== 0) {
      asm.i32(start);
      asm.addI32();
    }
    asm.set(pointer.local);
  }
  return {
    place: (side, access, elements = 0) => {
      const id = key(side, access);
      return {
        pointer: getFrom(pointers, id).local,
        bytes: 4 * (access.offset - getFrom(origin, id) + elements),
      };
    },
    advance: (bytes) => {
      for (const pointer of pointers.values()) {
        const step = bytes(pointer) | 0;
        if (step === 0) continue;
        asm.get(pointer.local);
        asm.i32(step);
        asm.addI32();
        asm.set(pointer.local);
      }
    },
  };
};
