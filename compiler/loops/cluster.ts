/** Groups element-wise equations and the reductions of their results into clusters that run as one loop each. */
import { elementAt } from '../../dsl/lookup.js';
import { isSum } from '../ir/primitives/reduction.js';
import { type Equation, is, type Program, type Var } from '../ir/program.js';
import { stridesOf } from '../ir/primitives/structure.js';
import { physicalShape } from '../ir/type.js';
import { contiguous, repeats, type View, viewThrough } from './access.js';
import { isOperation } from './instruction.js';
import { createItemGraph } from './item-graph.js';
import type { Cluster, Item } from './items.js';
import { isExpensive } from './loop-cost.js';
import { schedule, trim } from './order.js';
import { split } from './split.js';
import type { Target } from './target.js';

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
  /** Edges between items that were looked at: near-linear in the equations. */
  readonly visits: number;
};

export const clusterProgram = (program: Program, { arrays }: Pick<Target, 'arrays'>): Clustering => {
  const { batch } = program;
  const shapeOf = (x: Var): readonly number[] => physicalShape(x.type, batch);
  const definitions = new Map(program.equations.map((eq) => [eq.out.id, eq]));
  const definition = (x: Var): Equation | undefined => definitions.get(x.id);
  /** The item that computes a variable. */
  const home = new Map<number, Item>();
  const graph = createItemGraph();
  /** The variables that the members of a cluster read, as sources of their views. */
  const sources = new Map<Cluster, Set<number>>();
  const views = new Map<number, View>();
  /**
   * What extrema are taken of. It is not computed again elsewhere, where it may be rounded otherwise: derivatives ask which elements are the
   * greatest.
   */
  const compared = new Set<number>();
  const uses = new Map<number, number>();
  for (const eq of program.equations) for (const x of eq.inputs) uses.set(x.id, (uses.get(x.id) ?? 0) + 1);
  for (const o of program.outputs) uses.set(o.var.id, (uses.get(o.var.id) ?? 0) + 1);

  const isConstant = (x: Var): boolean => definition(x)?.primitive === 'constant';

  const newCluster = (space: readonly number[]): Cluster => {
    const cluster: Cluster = { tag: 'cluster', space, members: new Map(), reductions: [], stored: new Set() };
    graph.add(cluster);
    sources.set(cluster, new Set());
    return cluster;
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
    graph.wait(reader, item);
  };

  const addMember = (cluster: Cluster, eq: Equation): void => {
    cluster.members.set(eq.out.id, eq);
    const read = sources.get(cluster);
    for (const x of eq.inputs) read?.add(viewOf(x).source.id);
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
      if (views.has(y.id) && repeats(viewOf(y))) return true;
      const inMemory =
        item === undefined ||
        item.tag === 'kernel' ||
        item.stored.has(source.id) ||
        !item.members.has(source.id);
      if (inMemory) {
        if (!repeats(viewOf(y))) loads.add(source.id);
        return loads.size <= recomputeLoads;
      }
      const eq = definition(y);
      if (
        eq === undefined ||
        compared.has(y.id) ||
        depth === 0 ||
        views.has(y.id) ||
        !isOperation(eq) ||
        isExpensive(eq.primitive)
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
      addMember(into, eq);
      if (home.get(id) === from) home.set(id, into);
    }
    for (const id of from.stored) into.stored.add(id);
    for (const r of from.reductions) {
      into.reductions.push(r);
      home.set(r.out.id, into);
    }
    graph.contract(into, from);
  };

  /** Whether a member of `reader` reads a sum of `of`, which is there only when all of `of` has run. */
  const readsSum = (reader: Cluster, of: Cluster): boolean => {
    const read = sources.get(reader);
    return read !== undefined && of.reductions.some((r) => read.has(r.out.id));
  };

  /** Two clusters may become one when neither waits for the other through a third item. */
  const canMerge = (a: Cluster, b: Cluster): boolean =>
    !readsSum(a, b) && !readsSum(b, a) && !graph.reachesThrough(a, b) && !graph.reachesThrough(b, a);

  /** Whether a computation with these inputs may join a cluster: none of them waits for it from outside. */
  const canJoin = (cluster: Cluster, inputs: readonly Var[]): boolean =>
    inputs.every((x) => {
      if (isConstant(x) || cluster.members.has(x.id)) return true;
      const view = views.get(x.id);
      const item = home.get(viewOf(x).source.id);
      if (item === undefined) return true;
      if (item === cluster) return view === undefined && cluster.members.has(x.id);
      return !graph.reaches(item, cluster);
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
        addMember(cluster, eq);
      }
      if (!cluster.members.has(x.id)) readFrom(cluster, x);
    }
  };

  const clusterFor = (space: readonly number[], inputs: readonly Var[]): Cluster => {
    const [first, ...rest] = candidates(space, inputs).filter((c) => canJoin(c, inputs));
    const cluster = first ?? newCluster(space);
    for (const other of rest) {
      if (graph.has(other) && canMerge(cluster, other) && canJoin(cluster, inputs)) merge(cluster, other);
    }
    supply(cluster, inputs);
    return cluster;
  };

  const addElementwise = (eq: Equation): void => {
    const cluster = clusterFor(shapeOf(eq.out), eq.inputs);
    addMember(cluster, eq);
    home.set(eq.out.id, cluster);
  };

  /** A reduction, a sum over the batch, or both in a row as one sum. */
  const addReduction = (eq: Equation): void => {
    const inner = is(eq, 'sumBatch') ? definition(elementAt(eq.inputs, 0)) : undefined;
    const both = inner !== undefined && isSum(inner) && uses.get(inner.out.id) === 1;
    const value = both ? elementAt(inner.inputs, 0) : elementAt(eq.inputs, 0);
    const space = shapeOf(value);
    const lead = value.type.rows === 0 ? 0 : 1;
    const summed = new Set<number>();
    if (is(eq, 'sumBatch')) summed.add(0);
    const own = both ? inner : eq;
    if (is(own, 'reduce')) for (const axis of own.params.axes) summed.add(axis + lead);
    const kept = space.map((_, i) => i).filter((i) => !summed.has(i));
    const keptStrides = stridesOf(kept.map((i) => elementAt(space, i)));
    const strides = space.map((_, i) => (summed.has(i) ? 0 : elementAt(keptStrides, kept.indexOf(i))));
    const op = is(eq, 'reduce') ? eq.params.op : 'add';
    if (op === 'max' || op === 'min') compared.add(viewOf(value).source.id);
    const cluster = clusterFor(space, [value]);
    cluster.reductions.push({ op, value, out: eq.out, strides });
    home.set(eq.out.id, cluster);
  };

  const addKernel = (eq: Equation): void => {
    const item: Item = { tag: 'kernel', eq };
    graph.add(item);
    for (const x of eq.inputs) readFrom(item, x);
    home.set(eq.out.id, item);
  };

  const summedOverBatch = new Set(
    program.equations.flatMap((eq) => (is(eq, 'sumBatch') ? eq.inputs.map((x) => x.id) : [])),
  );
  const isDeferred = (eq: Equation): boolean =>
    isSum(eq) && uses.get(eq.out.id) === 1 && summedOverBatch.has(eq.out.id);

  for (const eq of program.equations) {
    if (is(eq, 'constant') || isDeferred(eq)) continue;
    if (isOperation(eq)) addElementwise(eq);
    else if (is(eq, 'reduce') || is(eq, 'sumBatch')) addReduction(eq);
    else {
      const input =
        eq.inputs.length === 1 && !isConstant(elementAt(eq.inputs, 0))
          ? viewThrough(eq, viewOf(elementAt(eq.inputs, 0)), batch)
          : null;
      if (input === null) addKernel(eq);
      else views.set(eq.out.id, input);
    }
  }
  const position = new Map(program.equations.map((eq, i) => [eq.out.id, i]));
  const ordered = schedule(graph, position);
  const outputs = program.outputs.filter((o) => !isConstant(o.var)).map((o) => viewOf(o.var).source.id);
  const items = trim(ordered, outputs, { viewOf, isConstant, home }, position);
  const sourceOf = (x: Var): number | undefined => (isConstant(x) ? undefined : viewOf(x).source.id);
  const bounded = items.flatMap((item): readonly Item[] =>
    item.tag === 'kernel' ? [item] : split(item, arrays, sourceOf),
  );
  return { items: bounded, viewOf, definition, visits: graph.visits() };
};
