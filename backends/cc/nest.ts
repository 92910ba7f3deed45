/** The C of a loop nest on vectors along its last axis: values computed at the outermost loop they depend on, sums held in variables. */
import { getFrom } from '../../dsl/lookup.js';
import type { ReductionName } from '../../compiler/ir/params.js';
import { reductions } from '../../compiler/ir/primitives/reduction.js';
import { computed, neededBy } from '../../compiler/loops/computed.js';
import type { Access, Store } from '../../compiler/loops/loop.js';
import { placeVaries, rootsOf, variation } from '../../compiler/loops/loop-cost.js';
import { at, type Nest, registerAxes } from '../../compiler/loops/nest.js';
import type { Target } from '../../compiler/loops/target.js';
import { lanesOf } from './float32.js';
import { addressOf } from './addresses.js';
import { combinations, literal, loadOf, storeOf } from './vectors.js';
import { lanesFor, sumsRows } from './schedule.js';
import type { Writer } from './writer.js';

type Held = {
  readonly store: number;
  readonly axes: readonly number[];
  readonly names: ReadonlyMap<number, string>;
};

/** Two vectors with the operator between them, and that put in the place of the first. */
const combine = (op: ReductionName, L: number, a: string, b: string): string =>
  op === 'add' ? `${a} + ${b}` : `${combinations[op].name}${L}(${a}, ${b})`;

const into = (op: ReductionName, L: number, a: string, b: string): string =>
  op === 'add' ? `${a} += ${b};` : `${a} = ${combine(op, L, a, b)};`;

/** `direct[i]`: store i writes its sum instead of adding it. The axis `shared`, the first unless given, runs from `lo` to `hi`. */
export const writeNest = (
  writer: Writer,
  nest: Nest,
  direct: readonly boolean[],
  target: Target,
  shared = 0,
): void => {
  const last = nest.extents.length - 1;
  const inner = at(nest.extents, last);
  const scalar = nest.mode === 'scalar';
  const L = lanesFor(scalar ? 1 : inner, target);
  const step = scalar ? 1 : L;
  const math = lanesOf(L, writer.declare);
  const varies = variation(nest);
  const indices = nest.extents.map((_, axis) => `x${axis}`);

  const order = neededBy(nest, rootsOf(nest.stores));
  const loopOf = (index: number): number => Math.max(-1, ...(varies[index] ?? []));

  const loaded = (access: Access, says: string | undefined, width: number, splat: boolean): string => {
    const stride = at(access.strides, last);
    const place = addressOf('in', access, splat ? indices.slice(0, last) : indices);
    if (access.place !== undefined && says !== undefined) {
      if (!splat && placeVaries(access, last, varies))
        return math.hold(`at${L}(${place}, ${says}, ${access.place.stride}L, ${stride}L, ${width})`);
      const far = `${place} + (long)${says}[0] * ${access.place.stride}L`;
      return math.hold(
        splat || stride === 0
          ? `all${L}(${says}[0] < 0 ? 0 : *(${far}))`
          : `${says}[0] < 0 ? (f${L}){} : ${loadOf(L, far, stride, width)}`,
      );
    }
    if (splat || stride === 0) return math.hold(`all${L}(*(${place}))`);
    return math.hold(loadOf(L, place, stride, width));
  };
  const valueIn =
    (known: ReadonlyMap<number, string>) =>
    (index: number): string => {
      const name = known.get(index);
      if (name === undefined) throw new Error(`instruction ${index} is used before it is computed`);
      return name;
    };
  /** What varies along an axis and none within it, the same on all lanes. */
  const hoisted = (axis: number, known: ReadonlyMap<number, string>): ReadonlyMap<number, string> => {
    const all = new Map(known);
    for (const index of order) {
      const instruction = nest.body[index];
      if (instruction === undefined || loopOf(index) !== axis) continue;
      all.set(
        index,
        computed(math, nest, instruction, valueIn(all), (access, says) => loaded(access, says, L, true)),
      );
    }
    return all;
  };

  const held = nest.stores.flatMap((store, i): readonly Held[] => {
    const axes = at(store.strides, last) === 0 ? registerAxes(nest, store) : [];
    return axes.length === 0
      ? []
      : [{ store: i, axes, names: new Map(axes.map((axis) => [axis, writer.fresh('acc')])) }];
  });
  const rows = new Map(
    nest.stores.flatMap((store, i) => (sumsRows(nest, store) ? [[i, writer.fresh('row')] as const] : [])),
  );
  const heldOf = (store: number): Held | undefined => held.find((one) => one.store === store);
  const nameOf = ({ names }: Held, axis: number): string => getFrom(names, axis);

  const write = (store: Store, i: number, width: number, value: string, says: string): void => {
    const stride = at(store.strides, last);
    const far = store.place === undefined ? '' : ` + (long)${says}[0] * ${store.place.stride}L`;
    const place = `${addressOf('out', store, indices)}${far}`;
    const read = loadOf(L, place, stride, width);
    const sum = store.mode === 'set' || direct[i] === true ? value : combine(store.mode, L, read, value);
    const stored = storeOf(L, place, stride, width, sum);
    writer.line(store.place === undefined ? stored : `if (${says}[0] >= 0) ${stored}`);
  };
  const instance = (width: number, outer: ReadonlyMap<number, string>): void => {
    const all = new Map(outer);
    for (const index of order) {
      const instruction = nest.body[index];
      if (instruction === undefined || all.has(index)) continue;
      all.set(
        index,
        computed(math, nest, instruction, valueIn(all), (access, says) => loaded(access, says, width, false)),
      );
    }
    nest.stores.forEach((store, i) => {
      const value = valueIn(all)(store.value);
      const sum = heldOf(i);
      const row = rows.get(i);
      if (row !== undefined) {
        const place = `${row} + x${last}`;
        return writer.line(storeOf(L, place, 1, width, `${loadOf(L, place, 1, width)} + ${value}`));
      }
      const says = store.place === undefined ? '' : valueIn(all)(store.place.at);
      if (sum === undefined) return write(store, i, width, value, says);
      if (store.mode === 'set') return;
      const rest = literal(reductions[store.mode].identity);
      const part = width === L ? value : `first${L}(${value}, ${width}, ${rest})`;
      writer.line(into(store.mode, L, nameOf(sum, last), part));
    });
  };

  const starts = (axis: number): void => {
    if (axis === last - 1) for (const row of rows.values()) writer.line(`float ${row}[${inner}] = {};`);
    for (const one of held) {
      const store = nest.stores[one.store];
      if (store === undefined || store.mode === 'set' || !one.axes.includes(axis)) continue;
      const start = store.mode === 'add' ? '{}' : `all${L}(${literal(reductions[store.mode].identity)})`;
      writer.line(`f${L} ${nameOf(one, axis)} = ${start};`);
    }
  };
  const ends = (axis: number): void => {
    if (axis === last - 1) {
      for (const [i, row] of rows) {
        const store = nest.stores[i];
        if (store === undefined) continue;
        const place = addressOf('out', store, indices.slice(0, axis));
        writer.line(`for (long k = 0; k < ${inner}; k++) (${place})[k] += ${row}[k];`);
      }
    }
    for (const one of held) {
      if (!one.axes.includes(axis)) continue;
      const store = nest.stores[one.store];
      if (store === undefined || store.mode === 'set') continue;
      const own = nameOf(one, axis);
      if (axis === one.axes[0]) {
        const place = `*(${addressOf('out', store, indices.slice(0, axis))})`;
        const { name } = combinations[store.mode];
        const value = `${name}Along${L}(${own})`;
        writer.line(`${place} = ${direct[one.store] === true ? value : `${name}(${place}, ${value})`};`);
      } else writer.line(into(store.mode, L, nameOf(one, axis - 1), own));
    }
  };
  const along = (axis: number, known: ReadonlyMap<number, string>): void => {
    starts(axis);
    const [index, extent] = [`x${axis}`, at(nest.extents, axis)];
    const [from, to] = axis === shared ? ['lo', 'hi'] : ['0', String(extent)];
    if (axis < last) {
      writer.block(`for (long ${index} = ${from}; ${index} < ${to}; ${index}++)`, () => {
        along(axis + 1, hoisted(axis, known));
      });
    } else {
      // A nest of one axis is not cut, so that its vectors are the same whoever runs it.
      const whole = extent - (extent % step);
      if (whole > 0)
        writer.block(`for (long ${index} = 0; ${index} < ${whole}; ${index} += ${step})`, () =>
          instance(scalar ? 1 : L, known),
        );
      if (whole < extent)
        writer.block('', () => {
          writer.line(`const long ${index} = ${whole};`);
          instance(extent - whole, known);
        });
    }
    ends(axis);
  };
  along(0, hoisted(-1, new Map()));
};
