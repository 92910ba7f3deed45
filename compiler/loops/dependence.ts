/** What loops may be reordered, which sums may be written without adding, and which outputs must have their start: questions of where accesses meet. */
import { elementAt } from '../../dsl/lookup.js';
import { reductions } from '../ir/primitives/reduction.js';
import type { LoopKernel, Store } from './loop.js';
import { movesAlone, variation } from './loop-cost.js';
import { at, product, registerAxes, type Nest } from './nest.js';

/** Whether an access surely meets no element twice, over the given axes: sorted by stride, each step passes all smaller ones. */
export const isInjective = (strides: readonly number[], extents: readonly number[]): boolean => {
  const axes = strides
    .map((stride, axis) => ({ stride: Math.abs(stride), extent: at(extents, axis) }))
    .filter(({ extent }) => extent > 1)
    .sort((a, b) => a.stride - b.stride);
  let reach = 0;
  for (const { stride, extent } of axes) {
    if (stride <= reach) return false;
    reach += stride * (extent - 1);
  }
  return true;
};

const kept = (store: Store, extents: readonly number[]): { strides: number[]; extents: number[] } => {
  const axes = extents.flatMap((_, axis) => (at(store.strides, axis) === 0 ? [] : [axis]));
  return { strides: axes.map((a) => at(store.strides, a)), extents: axes.map((a) => at(extents, a)) };
};

/** Whether two accesses with the same strides, injective together, can meet: is the distance of their offsets a sum of strides? */
const meets = (distance: number, strides: readonly number[], extents: readonly number[]): boolean => {
  const order = strides.map((_, i) => i).sort((a, b) => Math.abs(at(strides, b)) - Math.abs(at(strides, a)));
  const search = (rest: number, position: number): boolean => {
    const axis = order[position];
    if (axis === undefined) return rest === 0;
    const stride = Math.abs(at(strides, axis));
    const low = Math.floor(rest / stride);
    return [low, low + 1].some(
      (steps) => Math.abs(steps) < at(extents, axis) && search(rest - steps * stride, position + 1),
    );
  };
  return search(distance, 0);
};

/** The two accesses' lowest and highest elements do not overlap. */
const apart = (a: Store, b: Store, extents: readonly number[]): boolean => {
  const range = (s: Store): readonly [number, number] => {
    const ends = s.strides.map((stride, axis) => stride * (at(extents, axis) - 1));
    return [
      s.offset + ends.reduce((sum, e) => sum + Math.min(e, 0), 0),
      s.offset + ends.reduce((sum, e) => sum + Math.max(e, 0), 0),
    ];
  };
  const [lowA, highA] = range(a);
  const [lowB, highB] = range(b);
  return highA < lowB || highB < lowA;
};

const disjoint = (a: Store, b: Store, extents: readonly number[]): boolean => {
  if (a.buffer !== b.buffer) return true;
  if (a.place !== undefined || b.place !== undefined) return false;
  if (apart(a, b, extents)) return true;
  if (a.strides.some((stride, axis) => stride !== at(b.strides, axis))) return false;
  const axes = kept(a, extents);
  return isInjective(axes.strides, axes.extents) && !meets(b.offset - a.offset, axes.strides, axes.extents);
};

/** Stores by their buffer: only those of one can meet. */
const byBuffer = (stores: readonly Store[]): ReadonlyMap<number, readonly Store[]> => {
  const groups = new Map<number, Store[]>();
  for (const store of stores) {
    const group = groups.get(store.buffer);
    if (group === undefined) groups.set(store.buffer, [store]);
    else group.push(store);
  }
  return groups;
};

/** Whether the loops may run in any order: every `set` meets an element once, and no other store meets it. */
export const reorderable = (nest: Nest): boolean =>
  nest.stores.every(
    (store) =>
      store.mode !== 'set' || (store.place === undefined && isInjective(store.strides, nest.extents)),
  ) &&
  [...byBuffer(nest.stores).values()].every((stores) =>
    stores.every((store, i) =>
      stores.every(
        (other, j) =>
          j <= i || (store.mode !== 'set' && other.mode !== 'set') || disjoint(store, other, nest.extents),
      ),
    ),
  );

/**
 * Per store of the kernel, whether it may write rather than add: it is alone on its buffer, meets an element once,
 * and no nest adds to what another began.
 */
export const directStores = (kernel: LoopKernel, nests: readonly Nest[]): readonly boolean[] => {
  const groups = byBuffer(kernel.stores);
  return kernel.stores.map((store, i) => {
    if (store.mode === 'set') return true;
    const axes = kept(store, kernel.extents);
    const alone = groups.get(store.buffer)?.length === 1;
    if (!alone || store.place !== undefined || !isInjective(axes.strides, axes.extents)) return false;
    const count = (strides: readonly number[], extents: readonly number[]): number =>
      product(extents.filter((_, axis) => at(strides, axis) !== 0));
    const written = nests.reduce(
      (sum, nest) => sum + count(elementAt(nest.stores, i).strides, nest.extents),
      0,
    );
    return (
      written === count(store.strides, kernel.extents) &&
      nests.every((nest) => {
        const own = elementAt(nest.stores, i);
        const held = registerAxes(nest, own);
        return nest.extents.every(
          (extent, axis) => extent === 1 || at(own.strides, axis) !== 0 || held.includes(axis),
        );
      })
    );
  });
};

/** What the elements of an output are before anything is stored: what its operator leaves as it is, else 0. */
export const startOf = ({ stores }: Pick<LoopKernel, 'stores'>, buffer: number): number => {
  const store = stores.find((one) => one.buffer === buffer && one.mode !== 'set');
  return store === undefined || store.mode === 'set' ? 0 : reductions[store.mode].identity;
};

/** A nest that gives every element of an output its start. */
export const startNest = (kernel: LoopKernel, buffer: number): Nest => ({
  extents: [elementAt(kernel.outputs, buffer)],
  loads: [],
  body: [{ op: 'constant', value: startOf(kernel, buffer) }],
  stores: [{ buffer, offset: 0, strides: [1], value: 0, mode: 'set' }],
  mode: 'vector',
});

/** Per output buffer, whether it must have its start before the nests run: it is added to, or not surely covered. */
export const clearedOutputs = (
  kernel: LoopKernel,
  nests: readonly Nest[],
  direct: readonly boolean[],
): readonly boolean[] => {
  const ordered = nests.some((nest) => nest.mode === 'scalar');
  const groups = byBuffer(kernel.stores);
  const added = new Set(kernel.stores.flatMap(({ buffer }, i) => (direct[i] === true ? [] : [buffer])));
  return kernel.outputs.map((size, buffer) => {
    const stores = groups.get(buffer) ?? [];
    if (nests.length === 0 || added.has(buffer)) return true;
    if (ordered && stores.length > 1) return true;
    const covered = stores.reduce((sum, store) => {
      const axes = kept(store, kernel.extents);
      return store.place === undefined && isInjective(axes.strides, axes.extents)
        ? sum + product(axes.extents)
        : sum;
    }, 0);
    return covered < size;
  });
};

/** The strides and extents of a store's axes but those of stride 0, its places among them: which elements it may meet. */
export const reachOf = (
  store: Store,
  { extents, body }: Pick<Nest, 'extents' | 'body'>,
): { readonly strides: readonly number[]; readonly extents: readonly number[] } => {
  const axes = kept(store, extents);
  const { place } = store;
  const says = place === undefined ? undefined : body[place.at];
  return place === undefined || says?.op !== 'whole'
    ? axes
    : { strides: [...axes.strides, place.stride], extents: [...axes.extents, says.size] };
};

/**
 * Whether parts of an axis touch no element in common, so that they may run at once: every store moves along it, meets none twice but for
 * its place, and that stays as it is along the axis.
 */
export const rangesApart = (nest: Nest, axis: number): boolean => {
  const varies = variation(nest);
  return [...byBuffer(nest.stores).values()].every((stores) =>
    stores.every((store) => {
      const reach = reachOf(store, nest);
      return (
        stores.length === 1 && movesAlone(store, axis, varies) && isInjective(reach.strides, reach.extents)
      );
    }),
  );
};
