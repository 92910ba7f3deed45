/** The C of a sum of products in tiles: a tile of sums stays in vectors while the reduced axes run. */
import type { Access } from '../../compiler/loops/loop.js';
import { at, type Nest, registerAxes } from '../../compiler/loops/nest.js';
import { addressOf } from './addresses.js';
import { loadOf, storeOf } from './vectors.js';
import type { Writer } from './writer.js';

type Vector = { readonly element: number; readonly width: number };

/** The axis `shared`, the first unless given, runs from `lo` to `hi`. */
export const writeContraction = (writer: Writer, nest: Nest, direct: boolean, shared = 0): void => {
  const [store] = nest.stores;
  const value = store === undefined ? undefined : nest.body[store.value];
  const L = nest.lanes;
  if (store === undefined || value?.op !== 'mul' || L === undefined) throw new Error('no sum of products');
  const [left, right] = [nest.body[value.a], nest.body[value.b]];
  if (left?.op !== 'load' || right?.op !== 'load') throw new Error('no sum of products');
  const [a, b] = [nest.loads[left.load], nest.loads[right.load]];
  if (a === undefined || b === undefined) throw new Error('no sum of products');

  const last = nest.extents.length - 1;
  const [rows, wide] = [at(nest.extents, last - 1), at(nest.extents, last)];
  const dot = at(store.strides, last) === 0;
  const reduced = registerAxes(nest, store).filter((axis) => axis < last);
  const firstReduced = reduced[0] ?? last - 1;
  const vectors = Array.from({ length: Math.ceil(wide / L) }, (_, v): Vector => ({
    element: L * v,
    width: Math.min(L, wide - L * v),
  }));
  const tile = Array.from({ length: rows }, (_, row) => vectors.map((vector, v) => ({ row, v, vector })));
  const sumOf = (row: number, v: number): string => `acc${row}_${v}`;
  const indices = Array.from({ length: last - 1 }, (_, axis) => `x${axis}`);

  const term = (): void => {
    const known = new Map<string, string>();
    const read = (access: Access, row: number, { element, width }: Vector): string => {
      const stride = at(access.strides, last);
      const extra = row * at(access.strides, last - 1) + element * stride;
      const place = addressOf('in', access, indices, extra);
      const code = stride === 0 ? `all${L}(*(${place}))` : loadOf(L, place, stride, width);
      const name = known.get(code) ?? writer.declare(`f${L}`, code);
      known.set(code, name);
      return name;
    };
    for (const { row, v, vector } of tile.flat())
      writer.line(`${sumOf(row, v)} += ${read(a, row, vector)} * ${read(b, row, vector)};`);
  };
  const terms = (axis: number): void => {
    if (axis > last - 2) return term();
    const index = `x${axis}`;
    writer.block(`for (long ${index} = 0; ${index} < ${at(nest.extents, axis)}; ${index}++)`, () =>
      terms(axis + 1),
    );
  };
  const flush = (): void => {
    const outer = indices.slice(0, firstReduced);
    for (const { row, v, vector } of tile.flat()) {
      const { element, width } = vector;
      const stride = at(store.strides, last);
      const place = addressOf('out', store, outer, row * at(store.strides, last - 1) + element * stride);
      if (dot) {
        writer.line(`*(${place}) ${direct ? '=' : '+='} totalAlong${L}(${sumOf(row, v)});`);
        continue;
      }
      const sum = direct ? sumOf(row, v) : `${loadOf(L, place, stride, width)} + ${sumOf(row, v)}`;
      writer.line(storeOf(L, place, stride, width, sum));
    }
  };
  const along = (axis: number): void => {
    if (axis === firstReduced) {
      for (const { row, v } of tile.flat()) writer.line(`f${L} ${sumOf(row, v)} = {};`);
      terms(axis);
      flush();
      return;
    }
    const index = `x${axis}`;
    const [from, to] = axis === shared ? ['lo', 'hi'] : ['0', String(at(nest.extents, axis))];
    writer.block(`for (long ${index} = ${from}; ${index} < ${to}; ${index}++)`, () => along(axis + 1));
  };
  along(0);
};
