/**
 * Entries of a table at places that are read, out[i, s] = table[round(index[i]), s], and the sums of what goes to each place: linear in the
 * first operand and each the transpose of the other; the derivative by an index is zero.
 */
import { atLeast, elementAt, float64At } from '../../../dsl/lookup.js';
import { atRows } from '../operations.js';
import type { Row } from '../primitive.js';
import type { Emit, Var } from '../program.js';
import { elementCount, rowCount, showType, sizeOfShape, type Type } from '../type.js';

/** The number that counts one row after another, each half a place from the next, in single precision. */
const mostPlaces = 2 ** 24;

/** The whole number from 0 to size − 1 that is nearest to a number, less than ½ from it; −1 where there is none, as for NaN. */
export const placeOf = (x: number, size: number): number => {
  const whole = Math.round(x);
  return Math.abs(x - whole) < 0.5 && whole >= 0 && whole < size ? whole + 0 : -1;
};

const begins = (shape: readonly number[], start: readonly number[]): boolean =>
  start.every((n, i) => n === shape[i]);

/** Calls `visit` with the place of each index and where its entry begins in the table's rows and in the entries' rows. */
const forEachPlace = (
  table: Type,
  index: { readonly type: Type; readonly data: Float64Array },
  entries: Type,
  batch: number,
  visit: (inTable: number, inEntries: number, width: number) => void,
): void => {
  const [size] = atLeast(1, table.shape);
  const width = sizeOfShape(table.shape.slice(1));
  const count = sizeOfShape(index.type.shape);
  for (let r = 0; r < rowCount(entries, batch); r++) {
    for (let i = 0; i < count; i++) {
      const place = placeOf(float64At(index.data, (index.type.rows === 0 ? 0 : r * count) + i), size);
      if (place < 0) continue;
      visit(((table.rows === 0 ? 0 : r) * size + place) * width, (r * count + i) * width, width);
    }
  }
};

/** Two operands of which one may be shared, else of as many rows. */
const besides = (emit: Emit, a: Var, b: Var): readonly [Var, Var] => {
  if (a.type.rows === 0 || b.type.rows === 0) return [a, b];
  const rows = Math.max(a.type.rows, b.type.rows);
  return [atRows(emit, rows, a), atRows(emit, rows, b)];
};

/** The entries of a table at an index. */
export const gatherAt = (emit: Emit, table: Var, index: Var): Var =>
  emit('gather', {}, besides(emit, table, index));

export const places: { readonly [P in PlacesName]: Row<P> } = {
  gather: {
    type: (_, [table, index]) => {
      const [size, ...entry] = table.shape;
      if (size === undefined || size < 1 || size > mostPlaces)
        return `a table [n, …] of 1 to ${mostPlaces} entries, found ${showType(table)}`;
      return table.rows === 0 || index.rows === 0 || table.rows === index.rows
        ? { rows: Math.max(table.rows, index.rows), shape: [...index.shape, ...entry] }
        : `a table and an index of as many rows, or one of them shared, found ${showType(table)} and ${showType(index)}`;
    },
    evaluate: (_, [table, index], out, batch) => {
      const entries = new Float64Array(elementCount(out, batch));
      forEachPlace(table.type, index, out, batch, (from, to, width) => {
        entries.set(table.data.subarray(from, from + width), to);
      });
      return entries;
    },
    jvp: ({ emit, inputs: [, index], tangents: [t] }) => (t === null ? null : gatherAt(emit, t, index)),
    transpose: ({ emit, inputs: [table, index], cotangent }) => [
      emit(
        'scatterAdd',
        { size: elementAt(table.type.shape, 0), shared: table.type.rows === 0 && index.type.rows > 0 },
        [cotangent, index],
      ),
      null,
    ],
    flops: () => 0,
  },
  scatterAdd: {
    type: ({ size, shared }, [values, index]) => {
      if (!Number.isInteger(size) || size < 1 || size > mostPlaces)
        return `a number of places from 1 to ${mostPlaces}, found ${size}`;
      const found = `found ${showType(values)} and ${showType(index)}`;
      if (!begins(values.shape, index.shape)) return `values [i…, …] for an index [i…], ${found}`;
      if (
        shared ? index.rows === 0 || values.rows !== index.rows : index.rows > 0 && values.rows !== index.rows
      )
        return `${shared ? 'an index and values of as many rows' : 'values of as many rows as the index, or a shared index'}, ${found}`;
      return { rows: shared ? 0 : values.rows, shape: [size, ...values.shape.slice(index.shape.length)] };
    },
    evaluate: (_, [values, index], out, batch) => {
      const sums = new Float64Array(elementCount(out, batch));
      forEachPlace(out, index, values.type, batch, (to, from, width) => {
        for (let k = 0; k < width; k++)
          sums[to + k] = float64At(sums, to + k) + float64At(values.data, from + k);
      });
      return sums;
    },
    jvp: ({ emit, params, inputs: [, index], tangents: [t] }) =>
      t === null ? null : emit('scatterAdd', params, besides(emit, t, index)),
    transpose: ({ emit, inputs: [, index], cotangent }) => [gatherAt(emit, cotangent, index), null],
    flops: () => 0,
  },
};

export type PlacesName = 'gather' | 'scatterAdd';
