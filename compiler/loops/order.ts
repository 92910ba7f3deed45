/** Orders items so that they can run, and drops what nobody needs any more. */
import { elementAt } from '../../dsl/lookup.js';
import type { Var } from '../ir/program.js';
import type { View } from './access.js';
import type { ItemGraph } from './item-graph.js';
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
    const item = elementAt(items, i);
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
  if (item.tag === 'kernel') return position.get(item.eq.out.id) ?? 0;
  let latest = 0;
  for (const id of item.members.keys()) latest = Math.max(latest, position.get(id) ?? 0);
  for (const { out } of item.reductions) latest = Math.max(latest, position.get(out.id) ?? 0);
  return latest;
};

/** A topological order that stays close to the program's own, so that values do not live longer than they must. */
export const schedule = (
  graph: Pick<ItemGraph, 'items' | 'before'>,
  position: ReadonlyMap<number, number>,
): readonly Item[] => {
  const order: Item[] = [];
  const begun = new Set<Item>();
  const pending = [...graph.items()]
    .map((item) => ({ item, at: lastPosition(item, position) }))
    .sort((a, b) => a.at - b.at);
  /** Items that wait for the one after them, each with what it has still to wait for: chains are longer than a stack of calls. */
  const waiting: { readonly item: Item; readonly before: Iterator<Item> }[] = [];
  const begin = (item: Item): void => {
    if (begun.has(item)) return;
    begun.add(item);
    waiting.push({ item, before: graph.before(item).values() });
  };
  for (const { item } of pending) {
    begin(item);
    for (let top = waiting.at(-1); top !== undefined; top = waiting.at(-1)) {
      const next = top.before.next();
      if (next.done !== true) begin(next.value);
      else {
        order.push(top.item);
        waiting.pop();
      }
    }
  }
  return order;
};
