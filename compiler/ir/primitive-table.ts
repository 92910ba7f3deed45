/** The table of primitives: one row each, exhaustive by type, and typed access to it. */
import { bilinear } from './primitives/bilinear.js';
import { elementwise } from './primitives/elementwise.js';
import { matrix } from './primitives/matrix.js';
import { solving } from './primitives/solve.js';
import { reduction } from './primitives/reduction.js';
import { places } from './primitives/places.js';
import { structure } from './primitives/structure.js';
import { areOperands, operandsOf, showArity } from './arity.js';
import type { Table, Value } from './primitive.js';
import type { Params, PrimitiveName } from './params.js';
import type { Emit, EquationOf, Var } from './program.js';
import type { Type } from './type.js';

export const table: Table = {
  ...elementwise,
  ...structure,
  ...places,
  ...reduction,
  ...bilinear,
  ...matrix,
  ...solving({
    evaluate: (eq, inputs, batch) => evaluateEquation(eq, inputs, batch),
    jvp: (eq, context) => jvpOf(eq, context),
    flops: (eq, batch) => flopsOf(eq, batch),
  }),
};

/** The type of a primitive's output by its row, or what the row expects. */
export const typeFrom = <P extends PrimitiveName>(
  primitive: P,
  params: Params[P],
  inputs: readonly Type[],
): Type | string =>
  areOperands(primitive, inputs)
    ? table[primitive].type(params, inputs)
    : `${showArity(primitive)}, found ${inputs.length}`;

/** The type of an equation's output by its row, or what the row expects. */
export const typeOf = <P extends PrimitiveName>(eq: Omit<EquationOf<P>, 'out'>): Type | string =>
  typeFrom(
    eq.primitive,
    eq.params,
    eq.inputs.map((x) => x.type),
  );

export const evaluateEquation = <P extends PrimitiveName>(
  { primitive, params, out }: Omit<EquationOf<P>, 'inputs' | 'out'> & { readonly out: Pick<Var, 'type'> },
  inputs: readonly Value[],
  batch: number,
): Float64Array => table[primitive].evaluate(params, operandsOf(primitive, inputs), out.type, batch);

export const jvpOf = <P extends PrimitiveName>(
  { primitive, params, inputs, out }: EquationOf<P>,
  {
    emit,
    tangents,
    user,
  }: { readonly emit: Emit; readonly tangents: readonly (Var | null)[]; readonly user: boolean },
): Var | null =>
  table[primitive].jvp({
    emit,
    user,
    params,
    out,
    inputs: operandsOf(primitive, inputs),
    tangents: operandsOf(primitive, tangents),
  });

/** Cotangents of an equation's inputs; `primitive` may come from a linear equation only. */
export const transposeOf = <P extends PrimitiveName>(
  { primitive, params, inputs }: EquationOf<P>,
  {
    emit,
    linear,
    cotangent,
  }: { readonly emit: Emit; readonly linear: readonly boolean[]; readonly cotangent: Var },
): readonly (Var | null)[] | null =>
  table[primitive].transpose?.({
    emit,
    params,
    cotangent,
    inputs: operandsOf(primitive, inputs),
    linear: operandsOf(primitive, linear),
  }) ?? null;

export const flopsOf = <P extends PrimitiveName>(
  { primitive, params, inputs, out }: EquationOf<P>,
  batch: number,
): number =>
  table[primitive].flops(
    params,
    operandsOf(
      primitive,
      inputs.map((x) => x.type),
    ),
    out.type,
    batch,
  );
