/** The table of primitives: one row each, exhaustive by type, and typed access to it. */
import { bilinear } from './primitives/bilinear.js';
import { elementwise } from './primitives/elementwise.js';
import { matrix } from './primitives/matrix.js';
import { solving } from './primitives/solve.js';
import { structure } from './primitives/structure.js';
import type { JvpContext, Table, TransposeContext, Value } from './primitive.js';
import type { PrimitiveName } from './params.js';
import type { Equation, EquationOf, Var } from './program.js';
import type { Type } from './type.js';

export const table: Table = {
  ...elementwise,
  ...structure,
  ...bilinear,
  ...matrix,
  ...solving({
    evaluate: (eq, inputs, batch) => evaluateEquation(eq, inputs, batch),
    jvp: (eq, context) => jvpOf(eq, context),
    flops: (eq, batch) => flopsOf(eq, batch),
  }),
};

/** The type of an equation's output by its row, or what the row expects. */
export const typeOf = <P extends PrimitiveName>(eq: Omit<EquationOf<P>, 'out'>): Type | string =>
  table[eq.primitive].type(
    eq.params,
    eq.inputs.map((x) => x.type),
  );

export const evaluateEquation = <P extends PrimitiveName>(
  eq: EquationOf<P>,
  inputs: readonly Value[],
  batch: number,
): Float64Array => table[eq.primitive].evaluate(eq.params, inputs, eq.out.type, batch);

export const jvpOf = <P extends PrimitiveName>(
  eq: EquationOf<P>,
  context: Pick<JvpContext<P>, 'emit' | 'tangents' | 'user'>,
): Var | null => table[eq.primitive].jvp({ ...context, params: eq.params, inputs: eq.inputs, out: eq.out });

/** Cotangents of an equation's inputs; `primitive` may come from a linear equation only. */
export const transposeOf = <P extends PrimitiveName>(
  eq: EquationOf<P>,
  context: Pick<TransposeContext<P>, 'emit' | 'linear' | 'cotangent'>,
): readonly (Var | null)[] | null =>
  table[eq.primitive].transpose?.({ ...context, params: eq.params, inputs: eq.inputs }) ?? null;

export const flopsOf = <P extends PrimitiveName>(eq: EquationOf<P>, batch: number): number =>
  table[eq.primitive].flops(
    eq.params,
    eq.inputs.map((x) => x.type),
    eq.out.type,
    batch,
  );

/** Whether an equation is linear in some of its inputs. */
export const isLinear = (eq: Equation): boolean => table[eq.primitive].transpose !== null;
