/** Matrix multiplication as a loop kernel, after whatever packing of its operands pays. */
import { atLeast } from '../../dsl/lookup.js';
import { longestStridedRun } from './tiling.js';
import type { Operand, PlanBuilder } from './plan.js';
import { blocked, blockOf, copy, packing, sumOfProducts, type Axis } from './packing.js';

/** Rank-2 a·b, either transposed. */
export const lowerMatmul = (
  builder: PlanBuilder,
  a: Operand,
  b: Operand,
  { transposeA, transposeB }: { readonly transposeA: boolean; readonly transposeB: boolean },
): Operand => {
  const [p = 1, q = 1] = a.shape;
  const [r = 1, s = 1] = b.shape;
  const [m, k] = transposeA ? [q, p] : [p, q];
  const n = transposeB ? r : s;
  /** Terms after which both sides are read again. */
  const run = transposeA ? Math.min(k, longestStridedRun) : k;
  // A transposed left side is read a few columns at a time: fine while its rows are short or a near cache holds those of a run, else every
  // term is a cache line.
  const left =
    transposeA && m > 32 && k > 32 && m * run > builder.near
      ? copy(
          builder,
          a,
          [
            { extent: m, from: [1], to: k },
            { extent: k, from: [m], to: 1 },
          ],
          [m, k],
        )
      : a;
  const [rowStride, termStride] = transposeA && left === a ? [1, m] : [k, 1];
  const [columnFrom, termFrom] = transposeB ? [k, 1] : [1, n];
  const block = blockOf(builder, n);
  // Packing touches k·n numbers to save on m·k·n products, and few terms stay in cache without it. With b transposed and few
  // rows, dot products need none.
  const pack =
    builder.blocks.length > 0 &&
    (transposeB
      ? n >= 4 && (m >= 16 || k % 4 !== 0)
      : k > 64 && block < n && m >= 16 && run * n > builder.near);
  const [outer, inner] = packing(builder, n, columnFrom, k);
  const right = pack
    ? copy(builder, b, [outer, { extent: k, from: [termFrom], to: block }, inner], [n / block, k, block])
    : b;
  const columns: readonly Axis[] = pack
    ? blocked(builder, n, 1, k)
    : [{ extent: n, from: [0, columnFrom], to: 1 }];
  return sumOfProducts(
    builder,
    [left, right],
    [
      { extent: m, from: [rowStride, 0], to: n },
      ...columns,
      { extent: k, from: [termStride, pack ? block : termFrom], to: 0 },
    ],
    [m, n],
  );
};

/** A product for each row, [rows,n,k] and [rows,k,m] or one matrix each, either transposed: small matrices, read as they lie. */
export const lowerMatrices = (
  builder: PlanBuilder,
  a: Operand,
  b: Operand,
  { transposeA, transposeB }: { readonly transposeA: boolean; readonly transposeB: boolean },
): Operand => {
  const [p, q] = atLeast(2, a.shape.slice(-2));
  const [r, s] = atLeast(2, b.shape.slice(-2));
  const [n, k] = transposeA ? [q, p] : [p, q];
  const m = transposeB ? r : s;
  const rows = a.shape.slice(0, -2);
  const lead: readonly Axis[] = rows.map((extent) => ({ extent, from: [p * q, r * s], to: n * m }));
  const [aRow, aTerm]: readonly [number, number] = transposeA ? [1, n] : [k, 1];
  const [bTerm, bColumn]: readonly [number, number] = transposeB ? [1, k] : [m, 1];
  return sumOfProducts(
    builder,
    [a, b],
    [
      ...lead,
      { extent: n, from: [aRow, 0], to: m },
      { extent: m, from: [0, bColumn], to: 1 },
      { extent: k, from: [aTerm, bTerm], to: 0 },
    ],
    [...rows, n, m],
  );
};
