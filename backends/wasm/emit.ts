/** The code of one loop nest: pointers that step with the loops, values computed at the outermost loop they depend on, sums held in registers. */
import { elementAt, getFrom } from '../../dsl/lookup.js';
import { reductions } from '../../compiler/ir/primitives/reduction.js';
import type { Assembler, VectorOp } from './encode.js';
import type { Access, Instruction, Store } from '../../compiler/loops/loop.js';
import { lanes } from './lanes.js';
import { mathematics, type Code } from './mathematics.js';
import { placedOf } from './placed.js';
import { at, registerAxes, type Nest } from '../../compiler/loops/nest.js';
import { pointersOf, type Pointer, type Range } from './pointers.js';
import { computed } from '../../compiler/loops/computed.js';
import { operandsOf, placeVaries, rootsOf, variation, weight } from '../../compiler/loops/loop-cost.js';

const between: { readonly [M in Store['mode']]: VectorOp } = {
  set: 'f32x4.add',
  add: 'f32x4.add',
  max: 'f32x4.max',
  min: 'f32x4.min',
  mul: 'f32x4.mul',
};

const startingWith = (mode: Store['mode']): number => (mode === 'set' ? 0 : reductions[mode].identity);

/** `inputs` and `outputs` are the locals that hold the buffers' addresses; `direct[i]`: store i writes its sum instead of adding it. */
export const emitNest = (
  asm: Assembler,
  nest: Nest,
  inputs: readonly number[],
  outputs: readonly number[],
  direct: readonly boolean[],
  range?: Range,
): void => {
  const math = mathematics(asm);
  const lane = lanes(asm);
  const placed = placedOf(asm, math, lane, nest);
  const depth = nest.extents.length;
  const last = depth - 1;
  const tiled = nest.mode === 'transposed';
  /** Axes before this one are loops around the innermost code. */
  const innermost = tiled ? last - 1 : last;
  const innerStride = (access: Access): number => at(access.strides, last);

  const { place, advance, repeat } = pointersOf(asm, nest, inputs, outputs, range);

  // Values.
  const varies = variation(nest);
  const needed = new Set<number>();
  const need = (index: number): void => {
    if (needed.has(index)) return;
    needed.add(index);
    operandsOf(elementAt(nest.body, index), nest.loads).forEach(need);
  };
  rootsOf(nest.stores).forEach(need);
  const order = [...needed].sort((a, b) => a - b);
  const hoisted = new Map<number, Code>();
  /** Unrolled only: values of the last axis that do not change along the one before, one per position. */
  const columns = new Map<string, Code>();

  type Reader = (access: Access, says: Code | undefined) => Code;
  const compute = (instruction: Instruction, value: (index: number) => Code, read: Reader): Code => {
    if (instruction.op === 'max' || instruction.op === 'min') {
      // With a constant that is not NaN, one instruction does: pmin and pmax keep a NaN in their first operand.
      const [a, b] = [nest.body[instruction.a], nest.body[instruction.b]];
      const op = instruction.op === 'max' ? 'f32x4.pmax' : 'f32x4.pmin';
      const fast =
        (x: number, c: number): Code =>
        () => {
          value(x)();
          value(c)();
          asm.vector(op);
        };
      if (b?.op === 'constant' && !Number.isNaN(b.value)) return fast(instruction.a, instruction.b);
      if (a?.op === 'constant' && !Number.isNaN(a.value)) return fast(instruction.b, instruction.a);
    }
    return computed(math, nest, instruction, value, read);
  };
  const isConstant = (index: number): boolean => nest.body[index]?.op === 'constant';
  const loopOf = (index: number): number => Math.max(-1, ...elementAt(varies, index));
  /** Computes what varies along `axis` and no axis within it, on four equal lanes. */
  const hoist = (axis: number): void => {
    for (const index of order) {
      const instruction = nest.body[index];
      if (instruction === undefined || loopOf(index) !== axis) continue;
      const code = compute(
        instruction,
        (i) => getFrom(hoisted, i),
        (access, says) => placed.splat(access, says, place('input', access)),
      );
      const value = isConstant(index) ? code : math.hold(code);
      hoisted.set(index, value);
      placed.note(index, value);
    }
  };

  // Sums in registers: per store, one vector per loop of the run, so that partial sums stay short.
  type Held = {
    readonly index: number;
    readonly store: Store;
    readonly axes: readonly number[];
    readonly kept: boolean;
  };
  const held: readonly Held[] = nest.stores.flatMap((store, index) => {
    const axes = registerAxes(nest, store);
    return axes.length === 0 ? [] : [{ index, store, axes, kept: innerStride(store) !== 0 }];
  });
  const accumulators = new Map<string, number>();
  const accumulator = (store: number, axis: number, slot: number): number => {
    const id = `${store} ${axis} ${slot}`;
    const local = accumulators.get(id) ?? asm.local('v128');
    accumulators.set(id, local);
    return local;
  };
  const addInto = ({ mode }: Store, target: number, code: Code): void => {
    asm.get(target);
    code();
    asm.vector(between[mode]);
    asm.set(target);
  };
  const start = ({ mode }: Store, local: number): void => {
    math.constant(startingWith(mode))();
    asm.set(local);
  };

  // The last axis: instances of up to four lanes, at fixed distances from the pointers.
  const width = nest.mode === 'scalar' ? 1 : 4;
  const extent = at(nest.extents, last);
  const whole = Math.floor(extent / width);
  const tail = extent % width;
  const work = order.reduce((sum, index) => {
    const instruction = nest.body[index];
    return instruction !== undefined && varies[index]?.has(last) === true
      ? sum + Math.max(1, weight(instruction))
      : sum;
  }, nest.stores.length);
  const unroll = nest.mode === 'scalar' ? 1 : work <= 4 ? 8 : work <= 12 ? 4 : work <= 40 ? 2 : 1;
  const straight = nest.mode === 'unrolled' || whole <= 2 * unroll;
  /** What is left of the last axis from its `first` vector on. */
  const remaining = (first: number): readonly { readonly element: number; readonly width: number }[] => [
    ...Array.from({ length: whole - first }, (_, i) => ({ element: width * (first + i), width })),
    ...(tail > 0 ? [{ element: width * whole, width: tail }] : []),
  ];
  const positions = straight ? remaining(0) : [];
  const slots = Math.max(1, Math.min(held.length > 2 ? 2 : 4, straight ? positions.length : unroll));
  const mask = ({ mode }: Store, code: Code, lanesUsed: number): Code =>
    lanesUsed === 4
      ? code
      : () => {
          code();
          const used = [0, 1, 2, 3].flatMap((i) => Array<number>(4).fill(i < lanesUsed ? 0xff : 0));
          if (mode !== 'add') math.constant(startingWith(mode))();
          asm.constant(used);
          asm.vector(mode === 'add' ? 'v128.and' : 'v128.bitselect');
        };

  const values = (
    element: number,
    lanesUsed: number,
    filter: (index: number) => boolean,
    slot: number,
  ): Map<number, Code> => {
    const local = new Map<number, Code>();
    const value = (i: number): Code => local.get(i) ?? columns.get(`${i} ${slot}`) ?? getFrom(hoisted, i);
    const read: Reader = (access, says) => {
      const stride = innerStride(access);
      const spread = placeVaries(access, last, varies);
      const lanes = { stride, width: lanesUsed, spread };
      return placed.load(access, says, place('input', access, element * stride), lanes);
    };
    for (const index of order) {
      const instruction = nest.body[index];
      if (
        instruction === undefined ||
        hoisted.has(index) ||
        columns.has(`${index} ${slot}`) ||
        !filter(index)
      )
        continue;
      const held = math.hold(compute(instruction, value, read));
      local.set(index, held);
      placed.note(index, held);
    }
    return local;
  };
  type At = { readonly element: number; readonly width: number };
  const write = (store: Store, index: number, at: At, given: Code, says?: Code): void => {
    const { element, width: lanesUsed } = at;
    const stride = innerStride(store);
    const own = place('output', store, element * stride);
    const { place: target, value } = placed.target(store, says, own, given);
    if (direct[index] === true) return lane.store(target, stride, lanesUsed, value);
    const sum = math.hold(() => {
      lane.load(target, stride, lanesUsed)();
      value();
      asm.vector(between[store.mode]);
    });
    lane.store(target, stride, lanesUsed, sum);
  };
  const instance = (element: number, lanesUsed: number, slot: number): void =>
    asm.scope(() => {
      const local = values(element, lanesUsed, () => true, slot);
      nest.stores.forEach((store, index) => {
        const known = (i: number): Code => local.get(i) ?? columns.get(`${i} ${slot}`) ?? getFrom(hoisted, i);
        const value = known(store.value);
        const sum = held.find((h) => h.index === index);
        const says = store.place === undefined ? undefined : known(store.place.at);
        if (sum === undefined) return write(store, index, { element, width: lanesUsed }, value, says);
        const axis = sum.axes.at(-1) ?? last;
        addInto(
          store,
          accumulator(index, axis, sum.kept ? slot : slot % slots),
          sum.kept ? value : mask(store, value, lanesUsed),
        );
      });
    });

  const tile = (): void =>
    asm.scope(() => {
      const turn = last - 1;
      const turnStride = (access: Access): number => at(access.strides, turn);
      const turned = (access: Access): boolean =>
        turnStride(access) === 1 && innerStride(access) !== 1 && innerStride(access) !== 0;
      const columnsOf = new Map<Access, readonly Code[]>();
      const shared = new Map<number, Code>();
      const rows = [0, 1, 2, 3].map((row) => {
        const local = new Map<number, Code>();
        const value = (i: number): Code => local.get(i) ?? shared.get(i) ?? getFrom(hoisted, i);
        const read: Reader = (access) => {
          if (turned(access)) {
            const columns =
              columnsOf.get(access) ??
              lane.transpose(
                [0, 1, 2, 3].map((b) =>
                  math.hold(lane.load(place('input', access, b * innerStride(access)), 1, 4)),
                ),
                math.hold,
              );
            columnsOf.set(access, columns);
            return elementAt(columns, row);
          }
          const start = place('input', access, row * turnStride(access));
          return innerStride(access) === 0 ? lane.splat(start) : lane.load(start, innerStride(access), 4);
        };
        for (const index of order) {
          const instruction = nest.body[index];
          if (instruction === undefined || hoisted.has(index) || shared.has(index)) continue;
          const code = math.hold(compute(instruction, value, read));
          (varies[index]?.has(turn) === true ? local : shared).set(index, code);
        }
        return value;
      });
      for (const store of nest.stores) {
        const vectors = rows.map((value) => value(store.value));
        if (turned(store)) {
          lane
            .transpose(vectors, math.hold)
            .forEach((code, b) => lane.store(place('output', store, b * innerStride(store)), 1, 4, code));
        } else {
          vectors.forEach((code, row) =>
            lane.store(place('output', store, row * turnStride(store)), innerStride(store), 4, code),
          );
        }
      }
    });

  /** Runs the innermost axes; returns how many of the last axis's elements the pointers have moved. */
  const inner = (): number => {
    if (tiled) {
      tile();
      return 0;
    }
    for (const { index, store, axes, kept } of held) {
      if (!kept && axes.includes(last))
        for (let s = 0; s < slots; s += 1) start(store, accumulator(index, last, s));
    }
    let moved = 0;
    if (straight) {
      positions.forEach((position, slot) => instance(position.element, position.width, slot));
    } else {
      const step = unroll * width;
      const times = Math.floor(whole / unroll);
      asm.repeat(times, () => {
        for (let u = 0; u < unroll; u += 1) instance(u * width, width, u);
        advance(({ strides }) => 4 * step * at(strides, last));
      });
      moved = times * step;
      remaining(times * unroll).forEach(({ element, width: used }, slot) =>
        instance(element - moved, used, slot),
      );
    }
    for (const { index, store, axes, kept } of held) {
      if (kept || !axes.includes(last)) continue;
      for (let s = 1; s < slots; s += 1) {
        const part = accumulator(index, last, s);
        addInto(store, accumulator(index, last, 0), () => asm.get(part));
      }
    }
    finishAxis(last);
    return moved;
  };

  /** A finished sum of four lanes goes to memory; pointers may stand past the end of the last axis, where the stride is 0. */
  const flush = (index: number, store: Store, local: number): void => {
    asm.scope(() => {
      const pattern = (lanesOf: readonly number[]): readonly number[] =>
        lanesOf.flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]);
      const halves = math.hold(() => {
        asm.get(local);
        asm.get(local);
        asm.get(local);
        asm.vector('i8x16.shuffle', ...pattern([2, 3, 2, 3]));
        asm.vector(between[store.mode]);
      });
      const total = math.hold(() => {
        halves();
        halves();
        halves();
        asm.vector('i8x16.shuffle', ...pattern([1, 1, 1, 1]));
        asm.vector(between[store.mode]);
      });
      const target = place('output', store);
      if (direct[index] === true) return lane.store(target, 0, 1, total);
      const sum = math.hold(() => {
        lane.load(target, 0, 1)();
        total();
        asm.vector(between[store.mode]);
      });
      lane.store(target, 0, 1, sum);
    });
  };
  const finishAxis = (axis: number): void => {
    for (const { index, store, axes, kept } of held) {
      if (!axes.includes(axis)) continue;
      if (kept) {
        positions.forEach((position, slot) =>
          asm.scope(() => write(store, index, position, () => asm.get(accumulator(index, axis, slot)))),
        );
      } else if (axis === axes[0]) flush(index, store, accumulator(index, axis, 0));
      else addInto(store, accumulator(index, axis - 1, 0), () => asm.get(accumulator(index, axis, 0)));
    }
  };
  const startAxis = (axis: number): void => {
    for (const { index, store, axes, kept } of held) {
      if (!axes.includes(axis) || (!kept && axis === last)) continue;
      const count = kept ? positions.length : 1;
      for (let slot = 0; slot < count; slot += 1) start(store, accumulator(index, axis, slot));
    }
  };
  const hoistColumns = (): void => {
    positions.forEach(({ element, width: used }, slot) => {
      const independent = (index: number): boolean => varies[index]?.has(last - 1) === false;
      for (const [index, code] of values(element, used, independent, slot))
        columns.set(`${index} ${slot}`, code);
    });
  };

  /** The loop of an axis and all within it; returns the bytes by which each pointer is left ahead. */
  const loop = (axis: number): ((pointer: Pointer) => number) => {
    if (axis === innermost) {
      const moved = inner();
      return ({ strides }) => 4 * moved * at(strides, last);
    }
    if (nest.mode === 'unrolled' && axis === last - 1) hoistColumns();
    startAxis(axis);
    let ahead: (pointer: Pointer) => number = () => 0;
    const moved = repeat(axis, () => {
      hoist(axis);
      ahead = loop(axis + 1);
      const within = ahead;
      advance((pointer) => 4 * at(pointer.strides, axis) - within(pointer));
    });
    // Sums over this axis have stride 0 along it, so their pointers have not moved.
    finishAxis(axis);
    return ({ strides }) => 4 * moved * at(strides, axis);
  };

  hoist(-1);
  loop(0);
};
