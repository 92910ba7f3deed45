/** Groups element-wise equations and the reductions of their results into clusters that run as one loop each. */
import { elementwise } from '../ir/primitives/elementwise.js';
import { type Equation, is, type Program, type Var } from '../ir/program.js';
import { stridesOf } from '../ir/primitives/structure.js';
import { physicalShape } from '../ir/type.js';
import { contiguous, type View, viewThrough } from './access.js';
import type { Cluster, Item } from './items.js';
import { schedule, trim } from './order.js';

const expensive: ReadonlySet<string> = new Set([
  'exp',
  'log',
  'tanh',
  'sigmoid',
  'softplus',
  'elu',
  'erf',
  'pow',
]);

/** `stop` and `statistics` only mark a value: they are read through, like a move. */
const isElementwise = (eq: Equation): boolean =>
  Object.hasOwn(elementwise, eq.primitive) && !is(eq, 'stop') && !is(eq, 'statistics');

/** How many equations deep a cheap value may be computed again instead of being stored and read. */
const recomputeDepth = 6;
/** More loads than this, and reading the stored value is cheaper. */
const recomputeLoads = 2;

export type Clustering = {
  /** Items in an order in which they can run. */
  readonly items: readonly Item[];
  /** How to read a variable from outside its cluster. */
  readonly viewOf: (x: Var) => View;
  readonly definition: (x: Var) => Equation | undefined;
};

export const clusterProgram = (program: Program): Clustering => {
  const { batch } = program;
  const shapeOf = (x: Var): readonly number[] => physicalShape(x.type, batch);
  const definitions = new Map(program.equations.map((eq) => [eq.out.id, eq]));
  const definition = (x: Var): Equation | undefined => definitions.get(x.id);
  /** The item that computes a variable. */
  const home = new Map<number, Item>();
  const dependencies = new Map<Item, Set<Item>>();
  const views = new Map<number, View>();
  const uses = new Map<number, number>();
  for (const eq of program.equations) for (const x of eq.inputs) uses.set(x.id, (uses.get(x.id) ?? 0) + 1);
  for (const o of program.outputs) uses.set(o.var.id, (uses.get(o.var.id) ?? 0) + 1);

  const isConstant = (x: Var): boolean => definition(x)?.primitive === 'constant';

  const addItem = (item: Item): Item => {
    dependencies.set(item, new Set());
    return item;
  };

  const newCluster = (space: readonly number[]): Cluster => {
    const cluster: Cluster = { tag: 'cluster', space, members: new Map(), reductions: [], stored: new Set() };
    addItem(cluster);
    return cluster;
  };

  /** Whether `from` depends on `on`, directly or not. */
  const reaches = (from: Iterable<Item>, on: Item): boolean => {
    const seen = new Set<Item>();
    const stack = [...from];
    while (stack.length > 0) {
      const item = stack.pop();
      if (item === undefined || seen.has(item)) continue;
      if (item === on) return true;
      seen.add(item);
      stack.push(...(dependencies.get(item) ?? []));
    }
    return false;
  };

  /** A variable that another item reads: its source must be in memory. */
  const viewOf = (x: Var): View => views.get(x.id) ?? contiguous(x, shapeOf(x));

  /** Marks the source of a variable as stored and notes the dependency; gives the item it waits for. */
  const readFrom = (reader: Item, x: Var): void => {
    if (isConstant(x)) return;
    const { source } = viewOf(x);
    const item = home.get(source.id);
    if (item === undefined || item === reader) return;
    if (item.tag === 'cluster' && item.members.has(source.id)) item.stored.add(source.id);
    dependencies.get(reader)?.add(item);
  };

  /**
   * The equations that compute x again from values that are in memory in any case, or null where that would cost a
   * transcendental function or many loads.
   */
  const recompute = (x: Var, cluster: Cluster): readonly Equation[] | null => {
    const found = new Map<number, Equation>();
    const loads = new Set<number>();
    const visit = (y: Var, depth: number): boolean => {
      if (isConstant(y) || cluster.members.has(y.id) || found.has(y.id)) return true;
      const source = viewOf(y).source;
      const item = home.get(source.id);
      // A value repeated over the space is small, so storing it costs next to nothing.
      if (views.has(y.id) && viewOf(y).strides.some((s, i) => s === 0 && cluster.space[i] > 1)) return true;
      const inMemory =
        item === undefined ||
        item.tag === 'kernel' ||
        item.stored.has(source.id) ||
        !item.members.has(source.id);
      if (inMemory) {
        if (viewOf(y).strides.every((s, i) => s !== 0 || cluster.space[i] === 1)) loads.add(source.id);
        return loads.size <= recomputeLoads;
      }
      const eq = definition(y);
      if (
        eq === undefined ||
        depth === 0 ||
        views.has(y.id) ||
        !isElementwise(eq) ||
        expensive.has(eq.primitive)
      ) {
        return false;
      }
      if (!eq.inputs.every((z) => visit(z, depth - 1))) return false;
      found.set(y.id, eq);
      return true;
    };
    return visit(x, recomputeDepth) ? [...found.values()] : null;
  };

  const sameSpace = (a: readonly number[], b: readonly number[]): boolean => a.join() === b.join();

  /** Moves everything of one cluster into another of the same space. */
  const merge = (into: Cluster, from: Cluster): void => {
    for (const [id, eq] of from.members) {
      into.members.set(id, eq);
      if (home.get(id) === from) home.set(id, into);
    }
    for (const id of from.stored) into.stored.add(id);
    into.reductions.push(...from.reductions);
    for (const r of from.reductions) home.set(r.out.id, into);
    const target = dependencies.get(into);
    for (const item of dependencies.get(from) ?? []) if (item !== into) target?.add(item);
    target?.delete(from);
    dependencies.delete(from);
    for (const set of dependencies.values()) if (set.delete(from)) set.add(into);
    dependencies.get(into)?.delete(into);
  };

  /** Two clusters may become one when neither waits for the other through a third item. */
  const canMerge = (a: Cluster, b: Cluster): boolean => {
    const others = (of: Cluster, but: Cluster): Item[] =>
      [...(dependencies.get(of) ?? [])].filter((i) => i !== but);
    const usesReduction = (reader: Cluster, of: Cluster): boolean =>
      of.reductions.some((r) =>
        [...reader.members.values()].some((eq) => eq.inputs.some((x) => viewOf(x).source.id === r.out.id)),
      );
    return (
      !usesReduction(a, b) && !usesReduction(b, a) && !reaches(others(a, b), b) && !reaches(others(b, a), a)
    );
  };

  /** Whether a computation with these inputs may join a cluster: none of them waits for it from outside. */
  const canJoin = (cluster: Cluster, inputs: readonly Var[]): boolean =>
    inputs.every((x) => {
      if (isConstant(x) || cluster.members.has(x.id)) return true;
      const view = views.get(x.id);
      const item = home.get(viewOf(x).source.id);
      if (item === undefined) return true;
      if (item === cluster) return view === undefined && cluster.members.has(x.id);
      return !reaches([item], cluster);
    });

  const candidates = (space: readonly number[], inputs: readonly Var[]): readonly Cluster[] => {
    const found = new Set<Cluster>();
    for (const x of inputs) {
      const item = home.get(x.id);
      if (item?.tag === 'cluster' && item.members.has(x.id) && sameSpace(item.space, space)) found.add(item);
    }
    return [...found];
  };

  /** Puts the inputs of a new member within reach of its cluster: computed again, or read from memory. */
  const supply = (cluster: Cluster, inputs: readonly Var[]): void => {
    for (const x of inputs) {
      if (isConstant(x) || cluster.members.has(x.id)) continue;
      const again = views.has(x.id) ? null : recompute(x, cluster);
      for (const eq of again ?? []) {
        for (const y of eq.inputs) if (!cluster.members.has(y.id)) readFrom(cluster, y);
        cluster.members.set(eq.out.id, eq);
      }
      if (!cluster.members.has(x.id)) readFrom(cluster, x);
    }
  };

  const clusterFor = (space: readonly number[], inputs: readonly Var[]): Cluster => {
    const [first, ...rest] = candidates(space, inputs).filter((c) => canJoin(c, inputs));
    const cluster = first ?? newCluster(space);
    for (const other of rest) {
      if (dependencies.has(other) && canMerge(cluster, other) && canJoin(cluster, inputs))
        merge(cluster, other);
    }
    supply(cluster, inputs);
    return cluster;
  };

  const addElementwise = (eq: Equation): void => {
    const cluster = clusterFor(shapeOf(eq.out), eq.inputs);
    cluster.members.set(eq.out.id, eq);
    home.set(eq.out.id, cluster);
  };

  /** reduceSum, sumBatch, or both in a row as one sum. */
  const addReduction = (eq: Equation): void => {
    const inner = is(eq, 'sumBatch') ? definition(eq.inputs[0]) : undefined;
    const both = inner !== undefined && is(inner, 'reduceSum') && uses.get(inner.out.id) === 1;
    const value = both ? inner.inputs[0] : eq.inputs[0];
    const space = shapeOf(value);
    const lead = value.type.rows === 0 ? 0 : 1;
    const summed = new Set<number>();
    if (is(eq, 'sumBatch')) summed.add(0);
    const own = both ? inner : eq;
    if (is(own, 'reduceSum')) for (const axis of own.params.axes) summed.add(axis + lead);
    const kept = space.map((_, i) => i).filter((i) => !summed.has(i));
    const keptStrides = stridesOf(kept.map((i) => space[i]));
    const strides = space.map((_, i) => (summed.has(i) ? 0 : keptStrides[kept.indexOf(i)]));
    const cluster = clusterFor(space, [value]);
    cluster.reductions.push({ value, out: eq.out, strides });
    home.set(eq.out.id, cluster);
  };

  const addKernel = (eq: Equation): void => {
    const item = addItem({ tag: 'kernel', eq });
    for (const x of eq.inputs) readFrom(item, x);
    home.set(eq.out.id, item);
  };

  const isDeferred = (eq: Equation): boolean =>
    is(eq, 'reduceSum') &&
    uses.get(eq.out.id) === 1 &&
    program.equations.some((user) => user.primitive === 'sumBatch' && user.inputs[0].id === eq.out.id);

  for (const eq of program.equations) {
    if (is(eq, 'constant') || isDeferred(eq)) continue;
    if (isElementwise(eq)) addElementwise(eq);
    else if (is(eq, 'reduceSum') || is(eq, 'sumBatch')) addReduction(eq);
    else {
      const input =
        eq.inputs.length === 1 && !isConstant(eq.inputs[0])
          ? viewThrough(eq, viewOf(eq.inputs[0]), batch)
          : null;
      if (input === null) addKernel(eq);
      else views.set(eq.out.id, input);
    }
  }
  const position = new Map(program.equations.map((eq, i) => [eq.out.id, i]));
  const ordered = schedule(dependencies, position);
  const outputs = program.outputs.filter((o) => !isConstant(o.var)).map((o) => viewOf(o.var).source.id);
  return { items: trim(ordered, outputs, { viewOf, isConstant, home }, position), viewOf, definition };
};
