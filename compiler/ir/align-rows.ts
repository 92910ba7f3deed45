/** Brings operands of different rows together by an explicit broadcast or repeat. */
import type { Var } from './var.js';

/** As much of a program's `emit` as this takes. */
export type EmitMoves = {
  (broadcast: 'broadcastBatch', params: { readonly rows: number }, inputs: readonly Var[]): Var;
  (toBatch: 'axisToBatch', params: Readonly<Record<never, never>>, inputs: readonly Var[]): Var;
  (
    broadcast: 'broadcast',
    params: { readonly shape: readonly number[]; readonly axes: readonly number[] },
    inputs: readonly Var[],
  ): Var;
};

/** The value at `rows` rows per example: a shared value is broadcast, a per-example one repeated. */
export const atRows = (emit: EmitMoves, rows: number, x: Var): Var => {
  if (x.type.rows === rows) return x;
  if (x.type.rows === 0) return emit('broadcastBatch', { rows }, [x]);
  const times = rows / x.type.rows;
  const { shape } = x.type;
  return emit('axisToBatch', {}, [
    emit('broadcast', { shape: [times, ...shape], axes: shape.map((_, i) => i + 1) }, [x]),
  ]);
};

/** All operands at the greatest number of rows among them. */
export const joined = (emit: EmitMoves, operands: readonly Var[]): readonly Var[] => {
  const rows = Math.max(...operands.map((x) => x.type.rows));
  return operands.map((x) => atRows(emit, rows, x));
};
