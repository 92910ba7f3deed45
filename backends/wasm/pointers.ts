/** The addresses of a nest's accesses: locals that step with the loops, one per buffer and list of strides. */
import { elementAt, getFrom } from '../../dsl/lookup.js';
import type { Access } from '../../compiler/loops/loop.js';
import type { Assembler } from './encode.js';
import type { Place } from './lanes.js';
import { at, type Nest } from '../../compiler/loops/nest.js';

export type Side = 'input' | 'output';

/** Accesses of one buffer with equal strides share a pointer and differ by a constant distance. */
export type Pointer = { readonly local: number; readonly strides: readonly number[] };

/** What a thread runs of a nest: of an axis, from the index in one local to before that in another. */
export type Range = { readonly axis: number; readonly lo: number; readonly hi: number };

export type Pointers = {
  /** The loop of an axis, or of the range; answers by how many indices pointers are left ahead if `body` moves each by one. */
  readonly repeat: (axis: number, body: () => void) => number;
  /** An access's place, `elements` further on. */
  readonly place: (side: Side, access: Access, elements?: number) => Place;
  /** Moves every pointer by the bytes it should. */
  readonly advance: (bytes: (pointer: Pointer) => number) => void;
};

const key = (side: Side, access: Access): string => `${side} ${access.buffer} ${access.strides.join(' ')}`;

/** Sets up the pointers at index 0 of every axis, or where the range begins; `inputs` and `outputs` are the locals of the buffers' addresses. */
export const pointersOf = (
  asm: Assembler,
  nest: Nest,
  inputs: readonly number[],
  outputs: readonly number[],
  range?: Range,
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
    const step = 4 * at(access.strides, range?.axis ?? 0);
    if (range !== undefined && step !== 0) {
      asm.get(range.lo);
      asm.i32(step);
      asm.mulI32();
      asm.addI32();
    }
    asm.set(pointer.local);
  }
  return {
    repeat: (axis, body) => {
      if (axis !== range?.axis) {
        asm.repeat(at(nest.extents, axis), body);
        return at(nest.extents, axis);
      }
      asm.scope(() => {
        const count = asm.local('i32');
        asm.get(range.hi);
        asm.get(range.lo);
        asm.subI32();
        asm.set(count);
        asm.repeatFor(count, body);
      });
      if (axis === 0) return 0;
      // Back to where the range begins, for the next turn of the loops around it.
      for (const { local, strides } of pointers.values()) {
        const step = 4 * at(strides, axis);
        if (step === 0) continue;
        asm.get(local);
        asm.get(range.lo);
        asm.get(range.hi);
        asm.subI32();
        asm.i32(step);
        asm.mulI32();
        asm.addI32();
        asm.set(local);
      }
      return 0;
    },
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
