/** A loop kernel as kernels of the device, one after another: each element is written by one thread at a time. */
import { isInjective, reachOf, reorderable, startOf } from '../../compiler/loops/dependence.js';
import type { LoopKernel, Store } from '../../compiler/loops/loop.js';
import { hasPlace } from '../../compiler/loops/places.js';
import { at, dropUnits, type Nest, product } from '../../compiler/loops/nest.js';
import { elementAt } from '../../dsl/lookup.js';
import { contractionKernels, type Cutting } from './contraction.js';
import { elementsKernel, fillKernel, placesKernel, serialKernel, storesOf } from './elements.js';
import type { Kernel } from './kernel.js';
import { reductionKernels } from './reduction.js';

/** Results of one kernel: each has its numbers in a workgroup's memory. */
const mostReductions = 8;

const keptAxes = ({ strides }: Store): readonly number[] =>
  strides.flatMap((stride, axis) => (stride === 0 ? [] : [axis]));

/** Whether a store meets each element of its output once, but for what it reduces. */
const owns = (store: Store, extents: readonly number[]): boolean => {
  const kept = keptAxes(store);
  return isInjective(
    kept.map((axis) => at(store.strides, axis)),
    kept.map((axis) => at(extents, axis)),
  );
};

export const kernelsOf = (kernel: LoopKernel, cutting: Cutting): readonly Kernel[] => {
  const { extents, loads, body, stores, outputs } = kernel;
  const empty = product(extents) === 0;
  const nest: Nest = empty
    ? { extents, loads, body, stores, mode: 'scalar' }
    : dropUnits({ extents, loads, body, stores, mode: 'scalar' });
  const parallel =
    reorderable(nest) && nest.stores.every((store) => !hasPlace(store) && owns(store, nest.extents));
  const written = outputs.map((_, buffer) => nest.stores.filter((store) => store.buffer === buffer));
  /** Alone on its output, a store need not look at what is there. */
  const alone = (store: Store): boolean => written[store.buffer]?.length === 1;
  const covers = (store: Store): boolean =>
    product(keptAxes(store).map((axis) => at(nest.extents, axis))) === elementAt(outputs, store.buffer);
  const fills = outputs.flatMap((size, buffer) => {
    const [first, second] = written[buffer] ?? [];
    const whole = first !== undefined && second === undefined && !hasPlace(first) && covers(first);
    return size === 0 || (whole && parallel && !empty)
      ? []
      : [fillKernel(size, buffer, startOf(kernel, buffer))];
  });
  if (empty) return fills;
  const [only, another] = nest.stores;
  if (only !== undefined && another === undefined && hasPlace(only)) {
    const reach = reachOf(only, nest);
    const isApart = reorderable(nest) && isInjective(reach.strides, reach.extents);
    return [...fills, isApart ? placesKernel(nest) : serialKernel(nest)];
  }
  if (!parallel) return [...fills, serialKernel(nest)];

  const isReduced = (store: Store): boolean => keptAxes(store).length < nest.extents.length;
  // Stores of one output that add may meet an element in several threads.
  const isSingle = (store: Store): boolean => store.mode === 'set' || alone(store);
  const every = nest.stores.flatMap((store, i) => (isReduced(store) || !isSingle(store) ? [] : [i]));
  const meeting = nest.stores.flatMap((store, i) => (isReduced(store) || isSingle(store) ? [] : [i]));
  // Stores of one output are combined one after another; those of others that reduce the same axes go together.
  const groups: number[][] = [];
  nest.stores.forEach((store, i) => {
    if (!isReduced(store)) return;
    const key = keptAxes(store).join();
    const group = groups.find((members) => {
      const first = nest.stores[members[0] ?? -1];
      return first !== undefined && members.length < mostReductions && keptAxes(first).join() === key;
    });
    if (alone(store) && group !== undefined && alone(elementAt(nest.stores, group[0] ?? 0))) group.push(i);
    else groups.push([i]);
  });
  return [
    ...fills,
    ...(every.length === 0
      ? []
      : [
          elementsKernel(
            storesOf(nest, every),
            every.map((i) => alone(elementAt(nest.stores, i))),
          ),
        ]),
    ...meeting.map((i) => elementsKernel(storesOf(nest, [i]))),
    ...groups.flatMap((group) => {
      const part = storesOf(nest, group);
      const direct = part.stores.map(alone);
      return contractionKernels(part, direct, cutting) ?? reductionKernels(part, direct);
    }),
  ];
};
