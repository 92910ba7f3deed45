/** How many operands each primitive takes, and operands typed by that number, so that its rules can name them. */
import { map } from 'fp-ts/lib/ReadonlyRecord.js';
import { internalError } from '../../dsl/lookup.js';
import { functions } from './primitives/functions.js';
import type { PrimitiveName } from './params.js';

/** `some` is one or more. */
type Arity = 0 | 1 | 2 | 3 | 'some';

const ofFunctions = map((): 1 => 1)(functions);

export const arity = {
  constant: 0,
  ...ofFunctions,
  neg: 1,
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  divNoNan: 2,
  max: 2,
  min: 2,
  pow: 2,
  greater: 2,
  select: 3,
  stop: 1,
  statistics: 1,
  broadcast: 1,
  reduce: 1,
  reshape: 1,
  permute: 1,
  reorder: 1,
  slice: 1,
  pad: 1,
  concat: 'some',
  broadcastBatch: 1,
  sumBatch: 1,
  rotateBatch: 1,
  axisToBatch: 1,
  batchToAxis: 1,
  gather: 2,
  scatterAdd: 2,
  linear: 2,
  linearInput: 2,
  linearFilter: 2,
  conv: 2,
  convInput: 2,
  convFilter: 2,
  band: 1,
  matmul: 2,
  cholesky: 1,
  lq: 1,
  triangularSolve: 2,
  solveSPD: 'some',
} as const satisfies Readonly<Record<PrimitiveName, Arity>>;

type Tuple<T> = {
  readonly 0: readonly [];
  readonly 1: readonly [T];
  readonly 2: readonly [T, T];
  readonly 3: readonly [T, T, T];
  readonly some: readonly [T, ...(readonly T[])];
};

/** One T for each operand of a primitive. */
export type Operands<P extends PrimitiveName, T> = Tuple<T>[(typeof arity)[P]];

/** Whether there are as many values as the primitive has operands. */
export const areOperands = <P extends PrimitiveName, T>(
  primitive: P,
  values: readonly T[],
): values is Operands<P, T> & readonly T[] => {
  const expected: Arity = arity[primitive];
  return expected === 'some' ? values.length > 0 : values.length === expected;
};

/** `a value`, `2 values` … for a message about their number. */
export const showArity = (primitive: PrimitiveName): string => {
  const expected: Arity = arity[primitive];
  return expected === 'some' ? 'one operand or more' : expected === 1 ? '1 operand' : `${expected} operands`;
};

/** Values that are known to be as many as the primitive's operands. */
export const operandsOf = <P extends PrimitiveName, T>(primitive: P, values: readonly T[]): Operands<P, T> =>
  areOperands(primitive, values)
    ? values
    : internalError(`${primitive} takes ${showArity(primitive)} and got ${values.length}`);
