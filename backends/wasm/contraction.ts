/** The code of a register-tiled sum of products: a tile of sums stays in vector registers while the reduced axes run. */
import type { Access } from '../../compiler/loops/loop.js';
import type { Assembler } from './encode.js';
import type { Range } from './pointers.js';
import { lanes } from './lanes.js';
import { mathematics, type Code } from './mathematics.js';
import { at, registerAxes, type Nest } from '../../compiler/loops/nest.js';
import { pointersOf, type Pointer } from './pointers.js';

export const emitContraction = (
  asm: Assembler,
  nest: Nest,
  inputs: readonly number[],
  outputs: readonly number[],
  direct: boolean,
  fused: boolean,
  range?: Range,
): void => {
  const [store] = nest.stores;
  const value = store === undefined ? undefined : nest.body[store.value];
  if (store === undefined || value?.op !== 'mul') return;
  const [left, right] = [nest.body[value.a], nest.body[value.b]];
  if (left?.op !== 'load' || right?.op !== 'load') return;
  const [a, b] = [nest.loads[left.load], nest.loads[right.load]];
  if (a === undefined || b === undefined) return;

  const math = mathematics(asm);
  const lane = lanes(asm);
  const { place, advance, repeat } = pointersOf(asm, nest, inputs, outputs, range);
  const last = nest.extents.length - 1;
  const rows = at(nest.extents, last - 1);
  const wide = at(nest.extents, last);
  const dot = at(store.strides, last) === 0;
  const reduced = registerAxes(nest, store).filter((axis) => axis < last);
  const firstReduced = reduced[0] ?? last - 1;
  const vectors = Array.from({ length: Math.ceil(wide / 4) }, (_, v) => ({
    element: 4 * v,
    width: Math.min(4, wide - 4 * v),
  }));
  const sums = Array.from({ length: rows }, () => vectors.map(() => asm.local('v128')));

  /**
   * One term of every sum. V8 11 puts all loads of a basic block before its arithmetic, so a second term in the same block
   * would need its operands' registers too: two terms a turn run at two thirds of the speed, four at half.
   */
  const term = (): void =>
    asm.scope(() => {
      const loaded = new Map<string, Code>();
      const read = (name: string, access: Access, row: number, vector: number): Code => {
        const { element, width } = vectors[vector] ?? { element: 0, width: 4 };
        const stride = at(access.strides, last);
        const elements = row * at(access.strides, last - 1) + element * stride;
        const id = `${name} ${elements}`;
        const code =
          loaded.get(id) ??
          math.hold(
            stride === 0
              ? lane.splat(place('input', access, elements))
              : lane.load(place('input', access, elements), stride, width),
          );
        loaded.set(id, code);
        return code;
      };
      sums.forEach((row, r) =>
        row.forEach((sum, v) => {
          // The shared vectors are read first, so that a row's splat lives shortest.
          const [x, y] = [read('a', a, r, v), read('b', b, r, v)];
          if (fused) {
            x();
            y();
            asm.get(sum);
            asm.vector('f32x4.relaxed_madd');
          } else {
            asm.get(sum);
            x();
            y();
            asm.vector('f32x4.mul');
            asm.vector('f32x4.add');
          }
          asm.set(sum);
        }),
      );
    });

  const moves = (axis: number, count: number, pointer: Pointer): number =>
    4 * count * at(pointer.strides, axis);
  /** All terms of the reduced axes from `axis` on; returns how far the pointers are left ahead. */
  const terms = (axis: number): ((pointer: Pointer) => number) => {
    if (axis > last - 2) {
      term();
      return () => 0;
    }
    const extent = at(nest.extents, axis);
    asm.repeat(extent, () => {
      const within = terms(axis + 1);
      advance((pointer) => moves(axis, 1, pointer) - within(pointer));
    });
    return (pointer) => moves(axis, extent, pointer);
  };

  const put = (elements: number, stride: number, width: number, code: Code): void =>
    asm.scope(() => {
      const target = place('output', store, elements);
      if (direct) return lane.store(target, stride, width, code);
      const sum = math.hold(() => {
        lane.load(target, stride, width)();
        code();
        asm.vector('f32x4.add');
      });
      lane.store(target, stride, width, sum);
    });
  const rowStride = at(store.strides, last - 1);
  const flush = (): void => {
    if (!dot) {
      sums.forEach((row, r) =>
        row.forEach((sum, v) => {
          const { element, width } = vectors[v] ?? { element: 0, width: 4 };
          put(r * rowStride + element, 1, width, () => asm.get(sum));
        }),
      );
      return;
    }
    // Four rows' partial sums, turned, add up to one vector of four sums.
    for (let first = 0; first < rows; first += 4) {
      asm.scope(() => {
        const group = [0, 1, 2, 3].map((i): Code => {
          const sum = sums[first + i]?.[0];
          return sum === undefined ? math.constant(0) : () => asm.get(sum);
        });
        const [p, q, r, s] = lane.transpose(group, math.hold);
        if (p === undefined || q === undefined || r === undefined || s === undefined) return;
        const total = math.hold(math.binary.add(math.binary.add(p, q), math.binary.add(r, s)));
        put(first * rowStride, rowStride, Math.min(4, rows - first), total);
      });
    }
  };

  const loop = (axis: number): ((pointer: Pointer) => number) => {
    if (axis === firstReduced) {
      for (const row of sums) {
        for (const sum of row) {
          math.constant(0)();
          asm.set(sum);
        }
      }
      const ahead = terms(firstReduced);
      flush();
      return ahead;
    }
    const moved = repeat(axis, () => {
      const within = loop(axis + 1);
      advance((pointer) => moves(axis, 1, pointer) - within(pointer));
    });
    return (pointer) => moves(axis, moved, pointer);
  };
  loop(0);
};
