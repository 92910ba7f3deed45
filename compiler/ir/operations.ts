/** Short names for emitting equations; operands of different rows are brought together by an explicit broadcast or repeat. */
import type { BinaryName, UnaryName } from './params.js';
import type { Emit, Var } from './program.js';
import { joined } from './align-rows.js';
import type { Type } from './type.js';

export { atRows, joined } from './align-rows.js';

export const constantLike = (emit: Emit, value: number, { rows, shape }: Type): Var =>
  emit('constant', { value, rows, shape }, []);

export const binary = (emit: Emit, name: BinaryName, a: Var, b: Var): Var =>
  emit(name, {}, joined(emit, [a, b]));
export const unary = (emit: Emit, name: UnaryName | 'stop', a: Var): Var => emit(name, {}, [a]);

export const add = (emit: Emit, a: Var, b: Var): Var => binary(emit, 'add', a, b);
export const sub = (emit: Emit, a: Var, b: Var): Var => binary(emit, 'sub', a, b);
export const mul = (emit: Emit, a: Var, b: Var): Var => binary(emit, 'mul', a, b);
export const div = (emit: Emit, a: Var, b: Var): Var => binary(emit, 'div', a, b);

export const select = (emit: Emit, mask: Var, a: Var, b: Var): Var =>
  emit('select', {}, joined(emit, [mask, a, b]));

/** x + c and x · c for a number c. */
export const plus = (emit: Emit, x: Var, c: number): Var => add(emit, x, constantLike(emit, c, x.type));
export const times = (emit: Emit, x: Var, c: number): Var => mul(emit, x, constantLike(emit, c, x.type));

/** The mean over all rows of a batch; a shared value is its own. */
export const batchMean = (emit: Emit, x: Var, batch: number): Var =>
  x.type.rows === 0 ? x : times(emit, emit('sumBatch', {}, [x]), 1 / (batch * x.type.rows));

/** A sum of optional tangents: null where all are zero. */
export const addTangents = (emit: Emit, a: Var | null, b: Var | null): Var | null =>
  a === null ? b : b === null ? a : add(emit, a, b);

/** A scalar of each row made to fill a shape. */
export const fillShape = (emit: Emit, x: Var, shape: readonly number[]): Var =>
  shape.length === 0 ? x : emit('broadcast', { shape, axes: [] }, [x]);

/** Sum over all axes of one row but the first `keep`. */
export const sumAll = (emit: Emit, x: Var, keep = 0): Var => {
  const axes = x.type.shape.map((_, i) => i).slice(keep);
  return axes.length === 0 ? x : emit('reduce', { op: 'add', axes }, [x]);
};
