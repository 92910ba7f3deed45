/** Orders items so that they can run, and drops what nobody needs any more. */
import type { Var } from '../ir/program.js';
import type { View } from './access.js';
import type { Item } from './items.js';

/**
 * Drops members that nobody needs any more, because every reader computes them again, and says which values each cluster
 * must store. Later items are looked at first, so that all readers of a value are known.
 */
export const trim = (
  items: readonly Item[],
  outputs: readonly number[],
  {
    viewOf,
    isConstant,
    home,
  }: { viewOf: (x: Var) => View; isConstant: (x: Var) => boolean; home: ReadonlyMap<number, Item> },
  position: ReadonlyMap<number, number>,
): readonly Item[] => {
  const wanted = new Set(outputs);
  const want = (x: Var): void => {
    if (!isConstant(x)) wanted.add(viewOf(x).source.id);
  };
  const kept: Item[] = [];
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i];
    if (item.tag === 'kernel') {
      if (!wanted.has(item.eq.out.id)) continue;
      item.eq.inputs.forEach(want);
      kept.push(item);
      continue;
    }
    const reductions = item.reductions.filter((r) => wanted.has(r.out.id));
    const stored = new Set([...item.members.keys()].filter((id) => wanted.has(id) && home.get(id) === item));
    const needed = new Set([...stored, ...reductions.map((r) => r.value.id)]);
    const members = [...item.members.values()]
      .sort((a, b) => (position.get(a.out.id) ?? 0) - (position.get(b.out.id) ?? 0))
      .reverse()
      .filter((eq) => {
        if (needed.has(eq.out.id)) for (const x of eq.inputs) needed.add(x.id);
        return needed.has(eq.out.id);
      })
      .reverse();
    if (stored.size === 0 && reductions.length === 0) continue;
    const inside = new Map(members.map((eq) => [eq.out.id, eq]));
    for (const x of [...members.flatMap((eq) => eq.inputs), ...reductions.map((r) => r.value)]) {
      if (!inside.has(x.id)) want(x);
    }
    kept.push({ ...item, members: inside, reductions, stored });
  }
  return kept.reverse();
};

/** The latest equation of an item that belongs to it alone. */
const lastPosition = (item: Item, position: ReadonlyMap<number, number>): number => {
  const ids =
    item.tag === 'kernel'
      ? [item.eq.out.id]
      : [...item.members.keys(), ...item.reductions.map((r) => r.out.id)];
  return Math.max(...ids.map((id) => position.get(id) ?? 0));
};

/** A topological order that stays close to the program's own, so that values do not live longer than they must. */
export const schedule = (
  dependencies: ReadonlyMap<Item, ReadonlySet<Item>>,
  position: ReadonlyMap<number, number>,
): readonly Item[] => {
  const order: Item[] = [];
  const done = new Set<Item>();
  const pending = [...dependencies.keys()]
    .map((item) => ({ item, at: lastPosition(item, position) }))
    .sort((a, b) => a.at - b.at);
  const visit = (item: Item): void => {
    if (done.has(item)) return;
    done.add(item);
    for (const before of dependencies.get(item) ?? []) visit(before);
    order.push(item);
  };
  for (const { item } of pending) visit(item);
  return order;
};
