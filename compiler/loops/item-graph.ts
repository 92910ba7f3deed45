/** Which items wait for which: a graph without circles that grows and contracts while clusters form, and tells whether one item waits for another. */
import type { Item } from './items.js';

type Node = {
  /** Above that of every item it waits for. */
  level: number;
  readonly before: Set<Item>;
  readonly after: Set<Item>;
};

export type ItemGraph = {
  readonly add: (item: Item) => void;
  readonly has: (item: Item) => boolean;
  /** What an item waits for itself. */
  readonly before: (item: Item) => ReadonlySet<Item>;
  readonly wait: (reader: Item, on: Item) => void;
  /** Whether an item is `on` or waits for it, directly or not. */
  readonly reaches: (item: Item, on: Item) => boolean;
  /** Whether it waits for `on` by way of a third item. */
  readonly reachesThrough: (reader: Item, on: Item) => boolean;
  /** Makes two items one; neither may wait for the other through a third. */
  readonly contract: (into: Item, from: Item) => void;
  readonly items: () => Iterable<Item>;
  /** Edges looked at so far: what all this has cost, whatever the machine. */
  readonly visits: () => number;
};

export const createItemGraph = (): ItemGraph => {
  const nodes = new Map<Item, Node>();
  let visits = 0;
  const nodeOf = (item: Item): Node => {
    const node = nodes.get(item);
    if (node === undefined) throw new Error('an item that is not of this graph');
    return node;
  };

  const raise = (item: Item, to: number): void => {
    const rising: (readonly [Item, number])[] = [[item, to]];
    for (let next = rising.pop(); next !== undefined; next = rising.pop()) {
      const node = nodeOf(next[0]);
      if (node.level >= next[1]) continue;
      node.level = next[1];
      for (const reader of node.after) {
        visits += 1;
        rising.push([reader, node.level + 1]);
      }
    }
  };

  /** All that `start` leads to, nearest first, one step for each edge; undefined where the edge leads to nothing new. */
  function* spreading(
    start: Iterable<Item>,
    next: (node: Node) => Iterable<Item>,
    within: (node: Node) => boolean,
  ): Generator<Item | undefined, void> {
    const seen = new Set<Item>();
    const arrive = (item: Item): boolean => {
      visits += 1;
      if (seen.has(item) || !within(nodeOf(item))) return false;
      seen.add(item);
      return true;
    };
    for (const item of start) yield arrive(item) ? item : undefined;
    // A set is walked in the order in which it grows.
    for (const item of seen) for (const one of next(nodeOf(item))) yield arrive(one) ? one : undefined;
  }

  /**
   * Whether one of the items, none above level `high`, is `on` or waits for it. From both ends in turns, so that it ends with the
   * smaller of what waits for `on` and what is waited for; levels leave out what cannot lie between.
   */
  const meets = (items: Iterable<Item>, high: number, on: Item): boolean => {
    const low = nodeOf(on).level;
    const behind = new Set<Item>();
    const ahead = new Set<Item>([on]);
    const back = spreading(
      items,
      ({ before }) => before,
      ({ level }) => level >= low,
    );
    const forth = spreading(
      [on],
      ({ after }) => after,
      ({ level }) => level <= high,
    );
    for (;;) {
      const earlier = back.next();
      if (earlier.done === true) return false;
      if (earlier.value !== undefined) {
        if (ahead.has(earlier.value)) return true;
        behind.add(earlier.value);
      }
      const later = forth.next();
      if (later.done === true) return false;
      if (later.value !== undefined) {
        if (behind.has(later.value)) return true;
        ahead.add(later.value);
      }
    }
  };

  return {
    add: (item) => void nodes.set(item, { level: 0, before: new Set(), after: new Set() }),
    has: (item) => nodes.has(item),
    before: (item) => nodeOf(item).before,
    wait: (reader, on) => {
      const [node, source] = [nodeOf(reader), nodeOf(on)];
      if (node.before.has(on)) return;
      node.before.add(on);
      source.after.add(reader);
      raise(reader, source.level + 1);
    },
    reaches: (item, on) => meets([item], nodeOf(item).level, on),
    reachesThrough: (reader, on) => {
      const { before, level } = nodeOf(reader);
      const others = function* (): Iterable<Item> {
        for (const item of before) if (item !== on) yield item;
      };
      return meets(others(), level - 1, on);
    },
    contract: (into, from) => {
      const [target, source] = [nodeOf(into), nodeOf(from)];
      nodes.delete(from);
      target.before.delete(from);
      target.after.delete(from);
      for (const item of source.before) {
        visits += 1;
        nodes.get(item)?.after.delete(from);
        if (item === into) continue;
        target.before.add(item);
        nodeOf(item).after.add(into);
      }
      for (const item of source.after) {
        visits += 1;
        nodes.get(item)?.before.delete(from);
        if (item === into) continue;
        target.after.add(item);
        nodeOf(item).before.add(into);
      }
      target.level = Math.max(target.level, source.level);
      for (const reader of target.after) raise(reader, target.level + 1);
    },
    items: () => nodes.keys(),
    visits: () => visits,
  };
};
