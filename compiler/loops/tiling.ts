/** Register tiles for sums of products: matrix multiplications, convolutions and their transposes are one loop nest each, out[m, n] += Σ_k a[m, k] b[k, n]. */
import type { Access } from './loop.js';
import { at, block, divide, largestDivisor, permute, product, slice, withAxis, type Nest } from './nest.js';
import type { Target } from './target.js';

export type Product = { readonly a: Access; readonly b: Access };

/** The two loads, where the nest does nothing but sum their product. */
export const productOf = (nest: Nest): Product | undefined => {
  const [store, second] = nest.stores;
  if (store === undefined || second !== undefined || store.mode !== 'add') return undefined;
  const value = nest.body[store.value];
  if (value?.op !== 'mul') return undefined;
  const [left, right] = [nest.body[value.a], nest.body[value.b]];
  if (left?.op !== 'load' || right?.op !== 'load') return undefined;
  const [a, b] = [nest.loads[left.load], nest.loads[right.load]];
  if (a === undefined || b === undefined) return undefined;
  return [a, b, store].some(({ place }) => place !== undefined) ? undefined : { a, b };
};

/** Vectors along the vector axis, and rows along the tiled one. */
type Tile = {
  readonly axis: number;
  readonly rows: number;
  readonly vectors: number;
  readonly lanes: number;
  readonly rate: number;
};

/** Rows per part when an axis is cut into the fewest parts of at most `most`. */
const average = (extent: number, most: number): number => extent / Math.ceil(extent / most);

/** Loads of one term: an operand is read once per row where it changes along rows, and once per vector where it is not splat. */
const loadsOf = (
  access: Access,
  rows: number,
  rowAxis: number,
  vectors: number,
  vectorized: number,
): number =>
  (at(access.strides, rowAxis) === 0 ? 1 : rows) * (at(access.strides, vectorized) === 0 ? 1 : vectors);

/**
 * Useful lanes per cycle: two multiply-adds and two loads a cycle, four cycles until a sum may be added to again. Vectors that stream from a
 * farther cache take half a cycle more: of tiles that compute as fast the one that reads less is faster.
 */
const rateOf = (rows: number, lanesWide: number, vectors: number, loads: number, streamed: number): number =>
  (rows * lanesWide) / (Math.max((rows * vectors) / 2, loads / 2, 4) + streamed / 2);

const bestTile = (
  nest: Nest,
  vectorized: number,
  { a, b }: Product,
  lanes: number,
  { registers, readsMemory }: Target,
): Tile => {
  const store = nest.stores[0];
  const extent = at(nest.extents, vectorized);
  const reduced = store === undefined || at(store.strides, vectorized) === 0;
  let best: Tile = { axis: -1, rows: 1, vectors: 1, lanes, rate: 0 };
  const axes = nest.extents.flatMap((_, axis) =>
    axis !== vectorized && at(store?.strides ?? [], axis) !== 0 ? [axis] : [],
  );
  for (const axis of [-1, ...axes]) {
    const length = axis < 0 ? 1 : at(nest.extents, axis);
    for (const vectors of reduced ? [1] : [1, 2, 3, 4, 6, 8, 12]) {
      if (vectors > 1 && lanes * (vectors - 1) >= extent) continue;
      for (let rows = 1; rows <= Math.min(length, 12); rows += 1) {
        const loads =
          loadsOf(a, rows, axis, vectors, vectorized) + loadsOf(b, rows, axis, vectors, vectorized);
        // V8 issues all loads of a term before its arithmetic, so each needs a register there.
        if (rows * vectors + (readsMemory ? vectors + 1 : loads) > registers) continue;
        const lanesWide = average(extent, lanes * vectors);
        const rate = rateOf(average(length, rows), lanesWide, vectors, loads, readsMemory ? vectors : 0);
        // Rows that do not divide the axis are two kernels to compile and to run. Ties go to vectors that are full, then to the nearer rows, then to the longest vectors.
        const unused = 1 - lanesWide / (lanes * vectors);
        const near = axis < 0 ? 0 : Math.abs(at(a.strides, axis)) + Math.abs(at(b.strides, axis));
        const uneven = length % Math.ceil(length / rows) === 0 ? 0 : 0.05;
        const score = rate * (1 - uneven - 1e-3 * unused - 1e-9 * near);
        if (score > best.rate) best = { axis, rows, vectors, lanes, rate: score };
      }
    }
  }
  return best;
};

/**
 * Terms of a sum before it goes to memory: short enough for the rows of both operands to stay in the first cache.
 * Where every term takes a cache line of its own (gradients of filters), that is soon.
 */
const longestRun = 1536;
export const longestStridedRun = 192;

/** Reduced axes, the farthest steps first. */
const reducedAxes = (nest: Nest, { a, b }: Product): readonly number[] => {
  const far = (axis: number): number => Math.abs(at(a.strides, axis)) + Math.abs(at(b.strides, axis));
  const store = nest.stores[0];
  return nest.extents
    .flatMap((_, axis) => (at(store?.strides ?? [], axis) === 0 ? [axis] : []))
    .sort((x, y) => far(y) - far(x));
};

/** Schedules a nest that is a sum of products; `plan` schedules what a tile leaves over. */
export const planContraction = (
  nest: Nest,
  target: Target,
  plan: (rest: Nest) => readonly Nest[],
): readonly Nest[] | undefined => {
  const factors = productOf(nest);
  const store = nest.stores[0];
  if (factors === undefined || store === undefined) return undefined;
  const { a, b } = factors;
  const reduced = reducedAxes(nest, factors);
  if (product(reduced.map((axis) => at(nest.extents, axis))) < 4) return undefined;
  const unit = (access: Access, axis: number): boolean => at(access.strides, axis) === 1;
  const candidates = nest.extents.flatMap((extent, axis) => {
    const plain = [a, b].every((access) => unit(access, axis) || at(access.strides, axis) === 0);
    const kept = unit(store, axis) && plain;
    const dot = at(store.strides, axis) === 0 && unit(a, axis) && unit(b, axis);
    return extent >= 4 && (kept || dot) ? [axis] : [];
  });
  const tiles = target.lanes.flatMap((lanes) =>
    candidates.map((axis) => ({ vectorized: axis, tile: bestTile(nest, axis, factors, lanes, target) })),
  );
  const best = tiles.reduce<(typeof tiles)[number] | undefined>(
    (x, y) => (x === undefined || y.tile.rate > x.tile.rate ? y : x),
    undefined,
  );
  // Below this rate the operands are read once each, and the ordinary schedule does as well.
  if (best === undefined || best.tile.rate < 3.5) return undefined;
  return tiled(nest, factors, best.vectorized, best.tile, plan);
};

const tiled = (
  nest: Nest,
  factors: Product,
  vectorized: number,
  tile: Tile,
  plan: (rest: Nest) => readonly Nest[],
): readonly Nest[] => {
  const store = nest.stores[0];
  const dot = at(store?.strides ?? [], vectorized) === 0;
  const width = dot ? tile.lanes : tile.lanes * tile.vectors;
  if (at(nest.extents, vectorized) > width) {
    const [main, rest] = divide(nest, vectorized, width);
    if (rest !== undefined) return [...tiled(main, factors, vectorized, tile, plan), ...plan(rest)];
  }
  if (tile.axis >= 0) {
    const extent = at(nest.extents, tile.axis);
    const parts = Math.ceil(extent / tile.rows);
    const longer = extent % parts;
    if (longer !== 0) {
      const size = Math.floor(extent / parts);
      const cut = longer * (size + 1);
      return [
        ...tiled(slice(nest, tile.axis, 0, cut), factors, vectorized, { ...tile, rows: size + 1 }, plan),
        ...tiled(
          slice(nest, tile.axis, cut, extent - cut),
          factors,
          vectorized,
          { ...tile, rows: size },
          plan,
        ),
      ];
    }
    return arranged(nest, vectorized, tile.axis, extent / parts, width, dot, tile.lanes);
  }
  return arranged(withAxis(nest), vectorized, nest.extents.length, 1, width, dot, tile.lanes);
};

/** Orders the axes: long reduced axes, rows, vector tiles, more rows, reduced axes, the tile. */
const arranged = (
  source: Nest,
  vectorized: number,
  rowAxis: number,
  rows: number,
  width: number,
  dot: boolean,
  lanes: number,
): readonly Nest[] => {
  // Both tile axes go last as [outer..., row tile, vector tile]; the places of the others do not change.
  const outer = source.extents.flatMap((_, axis) => (axis === vectorized || axis === rowAxis ? [] : [axis]));
  const ordered = permute(source, [...outer, rowAxis, vectorized]);
  const n = outer.length;
  const wide = Math.min(width, at(ordered.extents, n + 1));
  const split = block(block(ordered, n + 1, wide), n, rows);
  // [outer..., R/rows, rows, V/wide, wide] becomes [outer..., R/rows, V/wide, rows, wide].
  const nest: Nest = {
    ...permute(split, [...outer.map((_, i) => i), n, n + 2, n + 1, n + 3]),
    mode: 'contraction',
    lanes,
  };
  const far = (axis: number): number =>
    nest.loads.reduce((sum, load) => sum + Math.abs(at(load.strides, axis)), 0);
  const store = nest.stores[0];
  const isReduced = (axis: number): boolean => at(store?.strides ?? [], axis) === 0;
  const loops = Array.from({ length: n + 2 }, (_, axis) => axis).filter((axis) => at(nest.extents, axis) > 1);
  const reduced = loops.filter(isReduced).sort((x, y) => far(y) - far(x));
  // Rows are the axes of the operand that is splat; along the others only the vectors change.
  const rowStride = (axis: number): number =>
    nest.loads.reduce(
      (most, load) =>
        !dot && at(load.strides, n + 3) !== 0 ? most : Math.max(most, Math.abs(at(load.strides, axis))),
      0,
    );
  const kept = loops
    .filter((axis) => !isReduced(axis) && rowStride(axis) !== 0)
    .sort((x, y) => rowStride(y) - rowStride(x));
  const vectorTiles = loops.filter((axis) => !isReduced(axis) && rowStride(axis) === 0);
  // Reduced axes that make a run too long go outside everything.
  const run = (axes: readonly number[]): number => product(axes.map((axis) => at(nest.extents, axis)));
  const strided = nest.loads.every((load) => Math.abs(at(load.strides, reduced.at(-1) ?? 0)) > 4);
  const longest = strided ? longestStridedRun : longestRun;
  let inside = reduced;
  const outside: number[] = [];
  while (inside.length > 0 && run(inside) > longest) {
    const [first, ...others] = inside;
    if (first === undefined) break;
    const extent = at(nest.extents, first);
    const most = Math.max(1, Math.floor(longest / Math.max(1, run(others))));
    if (most >= 2 && extent > most) {
      const size = largestDivisor(
        extent,
        Array.from({ length: most - 1 }, (_, i) => most - i),
      );
      if (size < extent && size * 4 >= most)
        return finish(nest, [...outside], first, size, others, kept, vectorTiles, n);
      if (run(others) === 1) {
        const [main, rest] = divide(nest, first, most);
        return [
          ...finish(main, outside, first, most, others, kept, vectorTiles, n),
          ...(rest === undefined
            ? []
            : finish(rest, outside, first, at(rest.extents, first), others, kept, vectorTiles, n)),
        ];
      }
    }
    outside.push(first);
    inside = others;
  }
  return finish(nest, outside, -1, 0, inside, kept, vectorTiles, n);
};

/** The last permutation; `cut` is a reduced axis of which blocks of `size` stay inside. */
const finish = (
  source: Nest,
  outside: readonly number[],
  cut: number,
  size: number,
  inside: readonly number[],
  kept: readonly number[],
  vectorTiles: readonly number[],
  n: number,
): readonly Nest[] => {
  const [firstKept, ...otherKept] = kept;
  // Where rows are one long axis, a block of them is taken through all vector tiles while it is in cache.
  const rowBlock =
    firstKept !== undefined && otherKept.length === 0 && vectorTiles.length > 0
      ? largestDivisor(at(source.extents, firstKept), [16, 15, 14, 13, 12, 11, 10, 9, 8, 1])
      : 1;
  type Part = { readonly axis: number; readonly part: 'whole' | 'outer' | 'inner' };
  const whole = (axis: number): Part => ({ axis, part: 'whole' });
  const blocked = rowBlock > 1 && firstKept !== undefined;
  const order: readonly Part[] = [
    ...outside.map(whole),
    ...(cut >= 0 ? [{ axis: cut, part: 'outer' as const }] : []),
    ...(firstKept === undefined
      ? []
      : [blocked ? { axis: firstKept, part: 'outer' as const } : whole(firstKept)]),
    ...vectorTiles.map(whole),
    ...(blocked ? [{ axis: firstKept, part: 'inner' as const }] : []),
    ...otherKept.map(whole),
    ...(cut >= 0 ? [{ axis: cut, part: 'inner' as const }] : []),
    ...inside.map(whole),
    whole(n + 2),
    whole(n + 3),
  ];
  const cuts = [
    ...(cut >= 0 ? [{ axis: cut, size }] : []),
    ...(blocked ? [{ axis: firstKept, size: rowBlock }] : []),
  ].sort((x, y) => y.axis - x.axis);
  // Blocking from the last axis down leaves the places of earlier axes as they are.
  const split = cuts.reduce((nest, { axis, size: by }) => block(nest, axis, by), source);
  const position = ({ axis, part }: Part): number =>
    axis + cuts.filter((c) => c.axis < axis).length + (part === 'inner' ? 1 : 0);
  return [permute(split, order.map(position))];
};
